import { withinOr } from "@/server/async/timeout";
import type { VerbName } from "./verbs";

/** The REST routes, bound to this process's engines. */
export interface Api {
  handle(verb: VerbName, request: Request, params: Record<string, string>): Promise<Response>;
  openApi(): Promise<Response>;
  notAllowed(request: Request, allowed: readonly string[]): Promise<Response>;
  notFound(request: Request): Promise<Response>;
  /** Answers a request of a protocol of others, see source-doors/. */
  receive(request: Request): Promise<Response>;
}

type Route = (
  request: Request,
  context: { params: Promise<Record<string, string | string[]> | undefined> },
) => Promise<Response>;

/**
 * Next runs route handlers in the same process but in a module graph of its own, so a plain variable would exist twice.
 * This is the one place where the two meet.
 */
const shared = globalThis as { fieldwatchApi?: Api };

/** Makes the routes answer. @returns a function that takes it back. */
export function shareApi(api: Api): () => void {
  const { fieldwatchApi: before } = shared;
  shared.fieldwatchApi = api;
  return () => {
    if (shared.fieldwatchApi !== api) return;
    if (before) shared.fieldwatchApi = before;
    else delete shared.fieldwatchApi;
  };
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** Next's exports of one route file: the verb of each method, and the right refusal for the others. */
export function routes(verbs: {
  readonly GET?: VerbName;
  readonly POST?: VerbName;
  readonly PATCH?: VerbName;
  readonly DELETE?: VerbName;
}): Record<(typeof METHODS)[number] | "OPTIONS", Route> {
  const allowed = Object.keys(verbs).flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  const route = (method: (typeof METHODS)[number]): Route => {
    const name = (verbs as Partial<Record<string, VerbName>>)[method];
    if (name === undefined) return withApi((api, request) => api.notAllowed(request, allowed));
    return withApi((api, request, params) => api.handle(name, request, params));
  };
  const options: Route = async () => new Response(null, { status: 204, headers: { allow: allowed.join(", ") } });
  return {
    ...(Object.fromEntries(METHODS.map((method) => [method, route(method)])) as Record<
      (typeof METHODS)[number],
      Route
    >),
    OPTIONS: options,
  };
}

/** Next's export for the OpenAPI document. */
export const openApiRoute: Route = withApi((api) => api.openApi());

/**
 * Answers a GET within this process, for a page that shows it in its first HTML.
 * @param askedBy the headers of the request for the page: it shows what its reader may see.
 * @returns null when there is no good answer within `patienceMs`: the page's own script then asks, and tells what is wrong.
 */
export async function answerFor<T>(
  verb: VerbName,
  address: string,
  patienceMs: number,
  askedBy: { get(name: string): string | null },
): Promise<T | null> {
  const api = shared.fieldwatchApi;
  if (api === undefined) return null;
  const shown = ["cookie", "authorization", "x-forwarded-for", "x-forwarded-proto"].flatMap((name) => {
    const value = askedBy.get(name);
    return value === null ? [] : [[name, value] as [string, string]];
  });
  const asked = api
    .handle(verb, new Request(new URL(address, "http://localhost"), { headers: shown }), {})
    .then(async (answer) => (answer.ok ? ((await answer.json()) as T) : null))
    .catch(() => null);
  return withinOr(patienceMs, asked, null);
}

/** Next's export for every address under /api that isn't there. */
export const notFoundRoute: Route = withApi((api, request) => api.notFound(request));

function withApi(answer: (api: Api, request: Request, params: Record<string, string>) => Promise<Response>): Route {
  return async (request, context) => {
    const api = shared.fieldwatchApi;
    if (api === undefined) return stopping();
    // A route without parameters gets none from Next, not an empty set.
    return answer(api, request, ((await context.params) ?? {}) as Record<string, string>);
  };
}

function stopping(): Response {
  const body = { type: "/problems/starting-or-stopping", title: "The server is starting or stopping", status: 503 };
  return new Response(JSON.stringify(body), {
    status: 503,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store, no-transform",
      "retry-after": "2",
    },
  });
}
