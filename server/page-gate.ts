import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Authenticator, Credentials } from "./access/authenticate";
import { sitesOf } from "./domain/access";

/** What is served to everybody besides the verbs, which ask for themselves: the sign-in page, and files without any data. */
const OPEN = [
  /^\/sign-in$/,
  /^\/_next\/static\//,
  /^\/(favicon\.svg|manifest\.webmanifest|sw\.js|offline\.html)$/,
  /^\/api\//,
];

/** Paths that not all read in the same way: a second slash begins a host to some, a backslash is a slash, dots are steps. */
const TWISTED = /\/\/|\\|%5c|%2f|\/(\.|%2e){1,2}(\/|$)/i;

/** What the sender of a request shows. */
export function credentialsOf({ headers, socket }: IncomingMessage): Credentials {
  const nearest = (name: "x-forwarded-for" | "x-forwarded-proto") =>
    [headers[name]].flat().at(-1)?.split(",").at(-1)?.trim() || null;
  return {
    cookie: headers.cookie ?? null,
    authorization: headers.authorization ?? null,
    address: nearest("x-forwarded-for") ?? socket.remoteAddress ?? null,
    isHttps: (nearest("x-forwarded-proto") ?? ((socket as TLSSocket).encrypted ? "https" : "http")) === "https",
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
  const { path, search } = addressOf(request);
  if (OPEN.some((pattern) => pattern.test(path)) && !TWISTED.test(path)) return true;
  response.setHeader("cache-control", "no-store");
  try {
    const caller = await authenticator.callerOf(credentialsOf(request));
    if (sitesOf(caller, "view").length > 0) return true;
    const isWorthIt = caller.kind === "nobody" && path !== "/" && path.startsWith("/") && !TWISTED.test(path);
    const to = isWorthIt ? `?to=${encodeURIComponent(path + search)}` : "";
    response.writeHead(303, { location: `/sign-in${to}` }).end();
  } catch {
    response.writeHead(503, { "content-type": "text/plain; charset=utf-8", "retry-after": "2" });
    response.end(
      "PostgreSQL cannot be reached, so nobody can be signed in.\nThe log of npm start says why and how to mend it; /api/readyz says when it is back.\n",
    );
  }
  return false;
}

/** The path and the query as they were sent; without what Next's own script adds, which is no part of a page's address. */
function addressOf({ url = "" }: IncomingMessage): { readonly path: string; readonly search: string } {
  const [path = "", ...rest] = url.split("?");
  const query = rest.join("?").replace(/(^|&)_rsc=[^&]*/, "");
  return { path, search: query === "" ? "" : `?${query.replace(/^&/, "")}` };
}
