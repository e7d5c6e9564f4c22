import http from "node:http";
import https from "node:https";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { z } from "zod";
import { rejectedItem, rejectedMore, telemetryAnswer } from "@/server/contracts/telemetry";
import { answerText } from "./answer-text";
import type { Authorization } from "./authorization";
import { encryptionFor } from "./target";

const pack = promisify(gzip);

/** One item the server did not take. `reason` is one of the closed set, or `http413` and the like when the server named none. */
export interface Rejected {
  /** Place of the item in what was sent, from 0. */
  readonly index: number;
  readonly reason: string;
  readonly detail: string;
}

/** Items the server did not take: those it named, and how many more, by reason. */
export interface Refusals {
  readonly rejected: readonly Rejected[];
  readonly more: Readonly<Record<string, number>>;
}

/** The outcome of one request. */
type SendOutcome =
  /** The server has the accepted items durably and named the rejected ones. */
  | ({ readonly kind: "delivered"; readonly accepted: number } & Refusals)
  /** No item is known to be taken; the same request may succeed later. */
  | {
      readonly kind: "later";
      readonly retryAfterMs: number | null;
      readonly why: string;
      /** The server may have taken it all the same: its answer was lost, or it could not say. */
      readonly mayBeTaken: boolean;
    }
  /** Too much for one request: send it in parts. */
  | { readonly kind: "split"; readonly status: number; readonly why: string }
  /** The server does not want this request, whatever its items: a wrong address, for instance. */
  | { readonly kind: "refused"; readonly status: number; readonly why: string };

export interface Sender {
  /**
   * Posts items as NDJSON. Never throws for an answer or a network failure; those are outcomes.
   * @param items JSON texts without line breaks, none of them blank.
   */
  send(items: readonly Uint8Array[], signal?: AbortSignal): Promise<SendOutcome>;
  close(): void;
}

/** Sends batches to one telemetry route over a kept connection, one request at a time. */
export function createSender(options: {
  url: URL;
  gzip: boolean;
  timeoutMs?: number;
  /** The header a key is shown by, as of now. */
  authorization: Authorization;
}): Sender {
  const { url, timeoutMs = 30_000 } = options;
  const secure = url.protocol === "https:";
  const agent = secure
    ? new https.Agent({ keepAlive: true, maxSockets: 1, ...encryptionFor(url) })
    : new http.Agent({ keepAlive: true, maxSockets: 1 });
  const request = secure ? https.request : http.request;

  function post(
    body: Buffer,
    signal: AbortSignal | undefined,
  ): Promise<{ answer: http.IncomingMessage; text: string }> {
    return new Promise((resolve, reject) => {
      const headers: http.OutgoingHttpHeaders = {
        "content-type": "application/x-ndjson",
        "content-length": body.byteLength,
        accept: "application/json, application/problem+json",
        ...options.authorization(),
        ...(options.gzip ? { "content-encoding": "gzip" } : {}),
      };
      const sent = request(url, { method: "POST", agent, headers, ...(signal ? { signal } : {}) });
      // Covers the whole exchange, so that a server which accepts and then stalls counts as down.
      const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
      const settle = (done: () => void) => (clearTimeout(timer), done());
      sent.on("error", (error) => settle(() => reject(error)));
      sent.on("response", (answer) => {
        answerText(sent, answer).then(
          (text) => settle(() => resolve({ answer, text })),
          (error: Error) => settle(() => reject(error)),
        );
      });
      sent.end(body);
    });
  }

  return {
    async send(items, signal) {
      const lines = Buffer.concat(items.flatMap((item) => [item, NEWLINE]));
      const body = options.gzip ? await pack(lines, { level: 1 }) : lines;
      try {
        const { answer, text } = await post(body, signal);
        return readAnswer(answer, text);
      } catch (error) {
        const failure = error as NodeJS.ErrnoException;
        const mayBeTaken = !NEVER_ARRIVED.has(failure.code ?? "");
        return { kind: "later", retryAfterMs: null, why: networkFailure(failure), mayBeTaken };
      }
    },
    close: () => agent.destroy(),
  };
}

const NEWLINE = Buffer.from("\n");

/** Problem details of a request in which no item was good may carry the rejected items too. */
const rejectedList = z.looseObject({ rejected: z.array(rejectedItem), rejectedMore: rejectedMore.optional() });

function readAnswer(answer: http.IncomingMessage, text: string): SendOutcome {
  const status = answer.statusCode ?? 0;
  const json = parseJson(text);
  if (status >= 200 && status < 300) {
    const read = telemetryAnswer.safeParse(json);
    if (read.success) return { kind: "delivered", accepted: read.data.accepted, ...refusedOf(read.data) };
    return { kind: "refused", status, why: "the answer is not that of a telemetry route" };
  }
  const why = `${status} ${problemText(json) ?? answer.statusMessage ?? ""}`.trim();
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    // Only 5xx leave open what the log did before it failed.
    return { kind: "later", retryAfterMs: retryAfter(answer.headers["retry-after"]), why, mayBeTaken: status >= 500 };
  }
  const named = rejectedList.safeParse(json);
  if (named.success) return { kind: "delivered", accepted: 0, ...refusedOf(named.data) };
  if (status === 413 || status === 422) return { kind: "split", status, why };
  return { kind: "refused", status, why };
}

function refusedOf({ rejected, rejectedMore: more = {} }: z.infer<typeof rejectedList>): Refusals {
  return { rejected, more: more as Record<string, number> };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function problemText(json: unknown): string | undefined {
  const read = z.looseObject({ title: z.string().optional(), detail: z.string().optional() }).safeParse(json);
  return read.success ? (read.data.detail ?? read.data.title)?.slice(0, 300) : undefined;
}

/** Retry-After as milliseconds: seconds, or an HTTP date. */
function retryAfter(header: string | undefined): number | null {
  if (header === undefined) return null;
  if (/^\d{1,6}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

/** Failures before a byte of the request was sent. */
const NEVER_ARRIVED = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there (connection refused)",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "the connection timed out",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name cannot be looked up now",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
};

function networkFailure(error: NodeJS.ErrnoException): string {
  return FAILURES[error.code ?? ""] ?? error.message;
}
