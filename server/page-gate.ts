import type { IncomingMessage, ServerResponse } from "node:http";
import type { Authenticator, Credentials } from "./access/authenticate";
import { sitesOf } from "./domain/access";

/** What is served to everybody besides the verbs, which ask for themselves: the sign-in page, and files without any data. */
const OPEN = [/^\/sign-in$/, /^\/_next\/static\//, /^\/favicon\.svg$/, /^\/api\//];

/** What the sender of a request shows. */
export function credentialsOf({ headers, socket }: IncomingMessage): Credentials {
  return {
    cookie: headers.cookie ?? null,
    authorization: headers.authorization ?? null,
    address: [headers["x-forwarded-for"]].flat().at(-1)?.split(",").at(-1)?.trim() || socket.remoteAddress || null,
  };
}

/**
 * Lets pages through to people who are signed in, and leads others to the sign-in page.
 * @returns false when it has answered.
 */
export async function admitToPage(
  authenticator: Authenticator,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const { pathname, search } = new URL(request.url ?? "/", "http://here");
  if (OPEN.some((pattern) => pattern.test(pathname))) return true;
  response.setHeader("cache-control", "no-store");
  try {
    const caller = await authenticator.callerOf(credentialsOf(request));
    if (sitesOf(caller, "view").length > 0) return true;
    const to = caller.kind === "nobody" && pathname !== "/" ? `?to=${encodeURIComponent(pathname + search)}` : "";
    response.writeHead(303, { location: `/sign-in${to}` }).end();
  } catch {
    response.writeHead(503, { "content-type": "text/plain; charset=utf-8", "retry-after": "2" });
    response.end(
      "PostgreSQL cannot be reached, so nobody can be signed in.\nThe log of npm start says why and how to mend it; /api/readyz says when it is back.\n",
    );
  }
  return false;
}
