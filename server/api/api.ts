import type { Pool, PoolClient } from "pg";
import type { z } from "zod";
import { createSemaphore } from "@/server/async/semaphore";
import { type Caller, NOBODY, type Sites, sitesOf } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import type { Context } from "@/server/postgres/context";
import { withTransaction } from "@/server/postgres/transaction";
import { addressOf } from "./address";
import { createRecording } from "./recording";
import { createOpenApi } from "./openapi";
import { parseParameters } from "./parse";
import { type OnUnforeseen, ProblemError, problemKind, problemResponse } from "./problem";
import type { Api } from "./runtime";
import { PROTOCOLS } from "./source-doors/receive";
import { type ApiDeps, type VerbName, VERBS } from "./verbs";
import { notProven } from "./step-up";
import { EVERYWHERE, notHeld, NotHereError } from "./within";
import type { Access, elsewhere, FileAnswer, Noted, Operation } from "./verb";

type Handler = (
  ctx: Context<Pool | PoolClient>,
  call: {
    params: unknown;
    query: unknown;
    request: Request;
    headers: Headers;
    note: (deed: Noted) => void;
    attempt: (deed: Noted) => Promise<void>;
  },
) => Promise<unknown>;

/** The dependencies of answering itself, besides those of the verbs. */
interface CallDeps {
  readonly pool: Pool;
  readonly now: () => EpochMs;
  /** Who sends a request. */
  readonly callerOf: (request: Request) => Promise<Caller>;
  /** Who sends one to a door of sources. */
  readonly doorCallerOf: (request: Request) => Promise<Caller>;
}

/** Binds every verb to what it depends on. `onUnforeseen` is told of every error nobody foresaw, once. */
export function createApi(deps: ApiDeps & CallDeps, version: string, onUnforeseen: OnUnforeseen): Omit<Api, "receive"> {
  const bound = Object.fromEntries(
    Object.entries(VERBS).map(([name, { operation, writes, create }]) => [
      name,
      { operation, writes, handle: (create as unknown as (deps: ApiDeps) => Handler)(deps) },
    ]),
  ) as unknown as Record<VerbName, { operation: Operation; writes: boolean; handle: Handler }>;
  const recording = createRecording(deps.pool, (error, verb) => onUnforeseen(error, verb, "audit-unavailable"));
  // A verb that writes may ask a port that has a connection of its own: were all taken by such verbs, each would wait for the others.
  const writing = createSemaphore(Math.max(1, Math.floor(deps.pool.options.max / 2)));
  // Made when somebody asks: it takes an eighth of the start of web.
  let openApi: object | undefined;

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
        const caller =
          operation.access === "public" ? NOBODY : await (operation.door ? deps.doorCallerOf : deps.callerOf)(request);
        const address = addressOf(request);
        const target = targetOf(params);
        const sites = placesOf(caller, operation);
        const refusal =
          refusalOf(caller, operation.access, sites) ?? (operation.stepUp ? notProven(caller, deps.now()) : null);
        if (refusal !== null) {
          if (refusal.kind !== "not-signed-in")
            await recording.denied(caller, { verb: name, target, address, detail: null });
          // A key of ours that may not be used, or not from there. What it was to be used for is anybody's words.
          else if (caller.kind === "nobody" && caller.key !== undefined)
            await recording.denied(caller, { verb: name, target: null, address, detail: { why: caller.why } });
          throw refusal;
        }
        let noted: Noted = {};
        const call = {
          params: parseParameters(operation.params, Object.entries(params)),
          query: operation.door ? {} : parseParameters(operation.query, searchParams),
          request,
          headers: new Headers(),
          note: (deed: Noted) => void (noted = deed),
          attempt: async (deed: Noted) => void (noted = deed),
        };
        const deed = () => ({
          ...{ verb: name, target: noted.target ?? target, address },
          // Of a file it is told what was asked for.
          detail: noted.detail ?? (operation.file ? { asked: call.query as object } : null),
        });
        const ctx = { caller, sites, signal: request.signal, now: deps.now() };
        const reading = () => handle({ ...ctx, tx: deps.pool }, call);
        const answering = async () => {
          if (writes) {
            await writing.acquire();
            try {
              return await withTransaction(deps.pool, async (tx) => {
                const done = await handle({ ...ctx, tx }, call);
                await recording.done(tx, caller, deed());
                return done;
              });
            } finally {
              writing.release();
            }
          }
          if (operation.audited === "changed")
            return recording.around(caller, deed, (attempt) =>
              handle(
                { ...ctx, tx: deps.pool },
                {
                  ...call,
                  attempt: (tried: Noted) => {
                    noted = tried;
                    return attempt();
                  },
                },
              ),
            );
          const seen = await reading();
          // Before it is shown: no row, no answer.
          if (operation.audited === "seen") await recording.seen(caller, deed(), operation.file !== undefined);
          return seen;
        };
        const answer = await answering().catch(async (thrown: unknown) => {
          const error = withPermission(thrown, caller, operation.access);
          if (problemKind(error) === "not-allowed") await recording.denied(caller, deed());
          throw error;
        });
        const response = await responseOf(operation, answer);
        for (const [header, value] of call.headers) response.headers.append(header, value);
        return response;
      }),
    openApi: async () => json((openApi ??= createOpenApi(Object.values(VERBS), PROTOCOLS, version)), 200),
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

async function responseOf({ file: isFile, status }: Operation, answer: unknown): Promise<Response> {
  if (isFile) return await file(answer as FileAnswer, isFile.contentType);
  if (status !== 303) return json(answer, status);
  const { location } = answer as z.infer<typeof elsewhere>;
  return new Response(null, { status, headers: { location, "cache-control": "no-store" } });
}

async function file({ name, text }: FileAnswer, contentType: string): Promise<Response> {
  const encoder = new TextEncoder();
  // Heads and first rows, before the status is told: what can't be read from the start is answered as a problem.
  const first = [await text.next(), await text.next()];
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = first.shift() ?? (await text.next());
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

/** What a call is about, for the record: not checked yet, as whoever may not call is refused before. */
function targetOf(params: Record<string, string>): string | null {
  const text = Object.values(params).join("/");
  // PostgreSQL takes no NUL.
  return text.replaceAll("\0", "\uFFFD").slice(0, 300) || null;
}

/** The sites a call is about. A verb that doesn't go by them is about all or nothing. */
function placesOf(caller: Caller, { access, bySite }: Operation): Sites {
  if (access === "public" || access === "signed-in") return [];
  const sites = sitesOf(caller, access);
  return bySite || sites === "all" ? sites : [];
}

/** An error as it is told: one about a place, with the permission it takes there. */
function withPermission(error: unknown, caller: Caller, access: Access): unknown {
  if (!(error instanceof NotHereError)) return error;
  const { permission = access, where } = error;
  if (permission === "public" || permission === "signed-in") return error;
  return notHeld(caller, permission, where);
}

/** Why a verb doesn't answer this caller, or null if it does. */
function refusalOf(caller: Caller, access: Access, sites: Sites): ProblemError | null {
  if (access === "public") return null;
  if (caller.kind === "nobody") {
    const how = "Sign in at /sign-in, or send a key as `Authorization: Bearer …`.";
    return new ProblemError("not-signed-in", caller.why === undefined ? how : `${caller.why} ${how}`, {
      headers: { "www-authenticate": "Bearer" },
      // For the sign-in page: signing in again doesn't mend it.
      ...(caller.isAmbiguous && { members: { ambiguous: true } }),
    });
  }
  if (access === "signed-in" || sites.length > 0) return null;
  return notHeld(caller, access, sitesOf(caller, access).length > 0 ? EVERYWHERE : "");
}
