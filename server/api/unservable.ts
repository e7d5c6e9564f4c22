import type { IncomingMessage, ServerResponse } from "node:http";
import { parseAndValidateFlightRouterState } from "next/dist/server/app-render/parse-and-validate-flight-router-state.js";
import { ProblemError, problemResponse } from "./problem";

/** A path that no page has. */
const NO_PAGE = "/no-such-page";

/**
 * Answers what Next would fail at, or write into the log; an address of a page that can't be read becomes one that there is none of.
 * @param isPage tells addresses that people look at from those of programs. @returns false when Next may have the request.
 */
export async function answerUnservable(
  request: IncomingMessage,
  response: ServerResponse,
  isPage: (path: string) => boolean,
): Promise<boolean> {
  const [path = ""] = (request.url ?? "").split("?", 1);
  // Senders go by the status: a page would lead them on to that of sign-in, and its 200.
  const isForPrograms = !isPage(path);
  if (!isForPrograms && !path.startsWith("/_next/") && !isReadable(path)) {
    request.url = NO_PAGE;
    return false;
  }
  const refused = refusalOf(request, path);
  if (refused === null) return false;
  const answer = problemResponse(refused, path, () => {});
  const headers = isForPrograms ? {} : { "content-type": "text/plain; charset=utf-8" };
  response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), ...headers });
  response.end(isForPrograms ? await answer.text() : `${refused.detail}\n`);
  return true;
}

function refusalOf({ headers }: IncomingMessage, path: string): ProblemError | null {
  if (!isReadable(path))
    return new ProblemError("invalid-parameters", "The address can't be read: a % in it begins no UTF-8 text.");
  try {
    parseAndValidateFlightRouterState(headers["next-router-state-tree"]);
  } catch {
    return new ProblemError("invalid-parameters", "Next-Router-State-Tree can't be read: leave it out.");
  }
  return null;
}

function isReadable(path: string): boolean {
  try {
    // Next gives NUL in a path to the file system, and PostgreSQL can't hold it.
    return !decodeURIComponent(path).includes("\0");
  } catch {
    return false;
  }
}
