import type { Pool, PoolClient } from "pg";
import { SYSTEM } from "@/server/domain/caller";
import type { EpochMs } from "@/server/domain/terms";
import type { Context } from "@/server/postgres/context";
import { withTransaction } from "@/server/postgres/transaction";
import { createOpenApi } from "./openapi";
import { parseParameters } from "./parse";
import { type OnUnforeseen, ProblemError, problemResponse } from "./problem";
import type { Api } from "./runtime";
import { type ApiDeps, type VerbName, VERBS } from "./verbs";
import type { FileAnswer, Operation } from "./verb";

type Handler = (
  ctx: Context<Pool | PoolClient>,
  call: { params: unknown; query: unknown; request: Request },
) => Promise<unknown>;

/** The dependencies of answering itself, besides those of the verbs. */
interface CallDeps {
  readonly pool: Pool;
  readonly now: () => EpochMs;
}

/** Binds every verb to what it depends on. `onUnforeseen` is told of every error nobody foresaw, once. */
export function createApi(deps: ApiDeps & CallDeps, version: string, onUnforeseen: OnUnforeseen): Api {
  const bound = Object.fromEntries(
    Object.entries(VERBS).map(([name, { operation, writes, create }]) => [
      name,
      { operation, writes, handle: (create as unknown as (deps: ApiDeps) => Handler)(deps) },
    ]),
  ) as unknown as Record<VerbName, { operation: Operation; writes: boolean; handle: Handler }>;
  const openApi = createOpenApi(Object.values(VERBS), version);

  async function answered(request: Request, answer: (url: URL) => Promise<Response>): Promise<Response> {
    const url = new URL(request.url);
    const response = await answer(url).catch((error: unknown) => problemResponse(error, url.pathname, onUnforeseen));
    // Browsers go by the server's clock, and learn it from every answer.
    response.headers.set("fieldwatch-time", String(deps.now()));
    return response;
  }

  return {
    handle: (name, request, params) =>
      answered(request, async ({ searchParams }) => {
        const { operation, writes, handle } = bound[name as VerbName];
        const call = {
          params: parseParameters(operation.params, Object.entries(params)),
          query: parseParameters(operation.query, searchParams),
          request,
        };
        const ctx = { caller: SYSTEM, signal: request.signal, now: deps.now() };
        const answer = writes
          ? await withTransaction(deps.pool, (tx) => handle({ ...ctx, tx }, call))
          : await handle({ ...ctx, tx: deps.pool }, call);
        if (operation.file) return file(answer as FileAnswer, operation.file.contentType);
        return json(answer, operation.status);
      }),
    openApi: async () => json(openApi, 200),
    notAllowed: (request, allowed) =>
      answered(request, async () => {
        const allow = allowed.join(", ");
        throw new ProblemError("method-not-allowed", `${request.method.slice(0, 20)} is not taken here; ${allow} is.`, {
          headers: { allow },
        });
      }),
    notFound: (request) =>
      answered(request, async ({ pathname }) => {
        throw new ProblemError(
          "not-found",
          `There is nothing at ${pathname.slice(0, 200)}. /api/openapi.json lists every address.`,
        );
      }),
  };
}

function file({ name, text }: FileAnswer, contentType: string): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await text.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await text.return(undefined);
    },
  });
  return new Response(body, {
    status: 200,
    headers: {
      "content-type": contentType,
      "content-disposition": `attachment; filename="${name}"`,
      "cache-control": "no-store",
    },
  });
}

/** Shorter answers cost more to compress than they save; Next, which compresses, isn't told how long one is. */
const WORTH_COMPRESSING = 1024;

function json(value: unknown, status: number): Response {
  const text = JSON.stringify(value);
  const cacheControl = text.length < WORTH_COMPRESSING ? "no-store, no-transform" : "no-store";
  return new Response(text, {
    status,
    headers: { "content-type": "application/json", "cache-control": cacheControl },
  });
}
