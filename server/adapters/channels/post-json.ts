import http from "node:http";
import https from "node:https";
import { retryAfterMs } from "@/server/domain/notifications/retry";
import type { Delivery, SendOutcome } from "@/server/ports/alert-channel";
import type { AddressCheck } from "./address-check";
import { assertAddress, checkedLookup, RefusedAddressError } from "./checked-lookup";

/** What channels are given to send by. */
export interface Outgoing {
  readonly check: AddressCheck;
  /** The longest that one attempt may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** The most of an answer that is read, in bytes. */
const MOST_READ = 16_384;

/** Statuses below 500 that say: not now. */
const LATER = new Set([408, 424, 425, 429]);

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
}

interface Post {
  readonly url: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What a body says of the time to wait, in milliseconds. */
  readonly askedMs?: (text: string) => number | null;
}

/**
 * POSTs JSON: the one way by which channels speak HTTP, and the one table of what its outcomes mean. 2xx: sent; 408, 424, 425, 429, 5xx, no
 * answer, no connection: later, not before what Retry-After says; all else, redirects too, and addresses that are refused: never.
 */
export async function postJson(out: Outgoing, post: Post, delivery: Delivery): Promise<SendOutcome> {
  try {
    const { status, text, retryAfter } = await exchange(out, post, delivery.signal);
    const answer = { status, text };
    if (status >= 200 && status < 300) return { outcome: "sent", answer };
    if (status < 500 && !LATER.has(status)) return { outcome: "failed", answer };
    return { outcome: "retry", answer, afterMs: post.askedMs?.(text) ?? retryAfterMs(retryAfter, delivery.at) };
  } catch (error) {
    return unanswered(error);
  }
}

/** The outcome of an attempt to which nobody answered. */
export function unanswered(error: unknown): SendOutcome {
  const answer = { status: null, text: wordsOf(error) };
  if (refusedIn(error)) return { outcome: "failed", answer };
  return { outcome: "retry", answer, afterMs: null };
}

function refusedIn(error: unknown): boolean {
  if (error instanceof RefusedAddressError) return true;
  return error instanceof AggregateError && error.errors.some(refusedIn);
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  const inner = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined;
  const words = (inner ?? error).message || code || error.name;
  if (code === "ECONNRESET") return `The connection was cut before an answer came (${words}).`;
  return words;
}

function exchange(out: Outgoing, { url, body, headers }: Post, signal: AbortSignal): Promise<Answered> {
  const target = new URL(url);
  const isTls = target.protocol === "https:";
  const port = target.port === "" ? (isTls ? 443 : 80) : Number(target.port);
  const host = target.hostname.replace(/^\[|\]$/g, "");
  assertAddress(out.check, host, port);
  return new Promise((resolve, reject) => {
    const request = (isTls ? https : http).request(target, {
      method: "POST",
      // A connection of its own: the address was checked for it.
      agent: false,
      lookup: checkedLookup(out.check, port),
      headers: {
        "content-type": "application/json",
        "user-agent": "Fieldwatch",
        "content-length": Buffer.byteLength(body),
        ...headers,
      },
    });
    const timer = setTimeout(
      () => request.destroy(new Error(`No answer within ${out.timeoutMs / 1000} s.`)),
      out.timeoutMs,
    );
    const onAbort = () => request.destroy(new Error("It was stopped before an answer came."));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
    const fail = (error: Error) => {
      end();
      reject(error);
    };
    request.on("error", fail);
    request.on("socket", (socket) => {
      socket.once("connect", () => {
        // The one really connected to, whatever happened to the name.
        const why = out.check(socket.remoteAddress ?? "", port);
        if (why !== null) request.destroy(new RefusedAddressError(host, socket.remoteAddress ?? "nowhere", why));
      });
    });
    request.on("response", (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      const done = () => {
        end();
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(parts).toString("utf8"),
          retryAfter: response.headers["retry-after"],
        });
        request.destroy();
      };
      response.on("data", (part: Buffer) => {
        parts.push(part.subarray(0, MOST_READ - bytes));
        bytes += part.length;
        if (bytes >= MOST_READ) done();
      });
      response.on("end", done);
      response.on("error", fail);
    });
    request.end(body);
  });
}

/** What a JSON answer says of the seconds to wait, in milliseconds; null when it says nothing. */
export function secondsIn(text: string, find: (answer: object) => unknown): number | null {
  try {
    const answer: unknown = JSON.parse(text);
    const seconds = typeof answer === "object" && answer !== null ? find(answer) : null;
    return typeof seconds === "number" && seconds >= 0 ? Math.ceil(seconds * 1000) : null;
  } catch {
    return null;
  }
}
