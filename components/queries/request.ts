import type { Problem } from "@/server/contracts/common";
import { fetchTimed } from "../ui/server-time";
import { leadToSignIn } from "./signed-out";
import { askProof, wasRenewed } from "./step-up";

interface Refusal {
  /** What the server says is wrong; null when it says nothing. */
  readonly problem: Problem | null;
  /** Seconds until it is worth asking again; null when the server doesn't say. */
  readonly waitSeconds: number | null;
}

/** An answer that is not the wanted one. `status` is null when there was no answer at all. */
export class RequestError extends Error {
  readonly problem: Problem | null;
  readonly waitSeconds: number | null;
  constructor(
    readonly status: number | null,
    message: string,
    { problem = null, waitSeconds = null, ...options }: ErrorOptions & Partial<Refusal> = {},
  ) {
    super(message, options);
    this.name = "RequestError";
    this.problem = problem;
    this.waitSeconds = waitSeconds;
  }
}

/**
 * Reads one resource.
 * @throws RequestError with what the server says is wrong, or that it can't be reached.
 */
export async function readJson<T>(path: string, signal: AbortSignal): Promise<T> {
  return answerOf(() => fetchTimed(path, { signal, headers: { accept: "application/json" } }), signal);
}

/** Reads a text as it is; otherwise like {@link readJson}. */
export async function readText(path: string): Promise<string> {
  return (await answered(() => fetchTimed(path, {}))).text();
}

/**
 * Sends `body` as JSON and reads the answer.
 * @throws RequestError with what the server says is wrong, or that it can't be reached.
 */
export async function postJson<T>(path: string, body: unknown): Promise<T> {
  return sendJson("POST", path, body);
}

/** Changes a resource; otherwise like {@link postJson}. */
export async function patchJson<T>(path: string, body: unknown, more: Record<string, string> = {}): Promise<T> {
  return sendJson("PATCH", path, body, more);
}

/** As {@link postJson}, to end what is there; without a body. */
export async function deleteJson<T>(path: string): Promise<T> {
  return answerOf(() => fetchTimed(path, { method: "DELETE", headers: { accept: "application/json" } }));
}

function sendJson<T>(
  method: "POST" | "PATCH",
  path: string,
  body: unknown,
  more: Record<string, string> = {},
): Promise<T> {
  const headers = { accept: "application/json", "content-type": "application/json", ...more };
  return answerOf(() => fetchTimed(path, { method, headers, body: JSON.stringify(body) }));
}

async function answerOf<T>(ask: () => Promise<Response>, signal?: AbortSignal): Promise<T> {
  return (await (await answered(ask, signal)).json()) as T;
}

async function answered(ask: () => Promise<Response>, signal?: AbortSignal, isAgain = false): Promise<Response> {
  let response: Response;
  try {
    response = await ask();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new RequestError(null, "The server does not answer.", { cause: error });
  }
  if (!response.ok) {
    if (response.status === 401) {
      if (!isAgain && wasRenewed()) return answered(ask, signal, true);
      leadToSignIn();
    }
    const problem = (await response.json().catch(() => null)) as Problem | null;
    // Asked in place: what somebody is about to do goes on when they have signed in again.
    if (problem?.type === "/problems/step-up" && (await askProof())) return answered(ask, signal);
    const said = problem && [problem.title, problem.detail].filter(Boolean).join(": ");
    const wait = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
    throw new RequestError(response.status, said || `The server answered ${response.status} ${response.statusText}.`, {
      problem,
      waitSeconds: Number.isNaN(wait) ? null : wait,
    });
  }
  return response;
}

/** Query parameters in a stable order, without the empty ones. */
export function queryString(
  parameters: Record<string, string | number | boolean | readonly string[] | undefined>,
): string {
  const search = new URLSearchParams();
  for (const key of Object.keys(parameters).sort()) {
    const value = parameters[key];
    if (Array.isArray(value)) value.forEach((one) => search.append(key, String(one)));
    else if (value !== undefined && value !== "") search.set(key, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

/** Says what is wrong in this very case, without the kind of problem it is. */
export function saidOf(error: Error): string {
  return (error instanceof RequestError && error.problem?.detail) || error.message;
}

/** Says whether data is safe after such an error, and what to do. */
export function adviceOn(error: unknown): string {
  if (error instanceof RequestError && error.status === null) {
    return "What was accepted is stored; nothing new is taken in until the server is back. Start it again or look at its log; this page goes on trying.";
  }
  if (error instanceof RequestError && error.status === 403)
    return "Nothing was changed. Whoever administers Fieldwatch can give you the role for it, under Users.";
  return "Accepted messages are stored all the same. The server's log has the cause; this page goes on trying.";
}

/** True if asking again may help: no answer, too many requests, or a fault on the other side. */
export function isWorthRetrying(error: unknown): boolean {
  if (!(error instanceof RequestError)) return false;
  return error.status === null || error.status === 429 || error.status >= 500;
}
