import { AuditError } from "@/server/access/audit/deeds";
import { EmailTakenError } from "@/server/access/accounts";
import { NoSuchSiteError } from "@/server/access/grants";
import { IngestRefusedError } from "@/server/ingest/refused";
import { LogUnavailableError } from "@/server/ports/event-log";
import { DOOR_PROBLEMS } from "@/server/contracts/door-problems";
import type { Problem } from "@/server/contracts/common";
import { ColdUnavailableError } from "@/server/ports/cold-store";
import { isDiskFull, isStoreDown, isValueRefused } from "./database-errors";

/** Every kind of problem an answer can name, as /problems/<kind>. */
export const PROBLEMS = {
  ...DOOR_PROBLEMS,
  "invalid-parameters": { status: 400, title: "The parameters are not valid" },
  "empty-request": { status: 400, title: "The request holds no message" },
  "unreadable-body": { status: 400, title: "The body cannot be read" },
  "not-believed": { status: 400, title: "It is not the identity provider's" },
  "not-signed-in": { status: 401, title: "Sign in first" },
  "not-allowed": { status: 403, title: "You may not do that" },
  "step-up": { status: 403, title: "Prove again who you are" },
  "not-found": { status: 404, title: "There is no such thing" },
  "wrong-status": { status: 409, title: "Its status does not allow that" },
  taken: { status: 409, title: "It is taken already" },
  "too-many-jobs": { status: 409, title: "Too many jobs are unfinished" },
  "too-many-views": { status: 409, title: "There are too many saved views" },
  "changed-meanwhile": { status: 412, title: "It was changed meanwhile" },
  "body-too-large": { status: 413, title: "The body is too large" },
  "too-many-messages": { status: 413, title: "Too many messages in one request" },
  "unsupported-media-type": { status: 415, title: "The content type is not supported" },
  "unsupported-encoding": { status: 415, title: "The content encoding is not supported" },
  "nothing-accepted": { status: 422, title: "Every message was rejected" },
  "would-be-refused": { status: 422, title: "The message would be refused again" },
  "too-many-guesses": { status: 429, title: "Too many wrong guesses" },
  "too-fast": { status: 429, title: "This sender sends more than it may" },
  "too-many-new": { status: 429, title: "This sender names more that is new than it may" },
  "too-busy": { status: 429, title: "Too much is waiting for the event log" },
  "not-confirmed": { status: 502, title: "The sender's service did not take the confirmation" },
  internal: { status: 500, title: "Something here is broken" },
  "audit-unavailable": { status: 503, title: "The audit record cannot be written" },
  "log-unavailable": { status: 503, title: "The event log cannot be reached" },
  "cold-storage-unavailable": { status: 503, title: "Cold storage cannot be reached" },
  "database-unavailable": { status: 503, title: "PostgreSQL cannot be reached" },
  "disk-full": { status: 507, title: "The disk is full" },
  "starting-or-stopping": { status: 503, title: "The server is starting or stopping" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemKind = keyof typeof PROBLEMS;

/** Thrown by a verb to answer with a problem. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  constructor(
    readonly kind: ProblemKind,
    readonly detail: string,
    readonly more: {
      /** Further members of the problem. */
      readonly members?: Record<string, unknown>;
      readonly headers?: Record<string, string>;
    } = {},
  ) {
    super(`${kind}: ${detail}`);
  }
}

/** Called with an error nobody foresaw, the address, and the problem it was answered as. */
export type OnUnforeseen = (error: unknown, path: string, kind: ProblemKind) => void;

/** Answers every error there is; the only place that does. `onUnforeseen` is told of those nobody foresaw. */
export function problemResponse(error: unknown, instance: string, onUnforeseen: OnUnforeseen): Response {
  const known = toProblem(error);
  const { kind, detail, more } = known ?? new ProblemError("internal", "The server's log has the particulars.");
  if (known === null || isValueRefused(error) || error instanceof AuditError) onUnforeseen(error, instance, kind);
  const { status, title } = PROBLEMS[kind];
  const body: Problem = { type: `/problems/${kind}`, title, status, detail, instance, ...more.members };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store, no-transform", ...more.headers },
  });
}

/** The kind of problem an error is answered as. */
export function problemKind(error: unknown): ProblemKind {
  return toProblem(error)?.kind ?? "internal";
}

function toProblem(error: unknown): ProblemError | null {
  if (error instanceof ProblemError) return error;
  if (error instanceof IngestRefusedError) {
    const { retryAfterSeconds, members } = error.more;
    return new ProblemError(error.kind, error.detail, {
      ...(members && { members }),
      ...(retryAfterSeconds !== undefined && { headers: { "retry-after": String(retryAfterSeconds) } }),
    });
  }
  if (error instanceof NoSuchSiteError)
    return new ProblemError("invalid-parameters", `There is no site ${JSON.stringify(error.site)}.`, {
      members: {
        errors: [{ at: "grants", message: `names the site ${JSON.stringify(error.site)}, which isn't there` }],
      },
    });
  if (error instanceof EmailTakenError) return new ProblemError("taken", "Another account has that e-mail address.");
  if (error instanceof AuditError)
    return new ProblemError("audit-unavailable", "Nothing was changed or shown. The server's log has the particulars.");
  if (isDiskFull(error))
    return new ProblemError(
      "disk-full",
      "Nothing was taken or changed. Free space on the disk of PostgreSQL, or keep less: /health says how. Then send again; what was taken before is safe.",
      { headers: { "retry-after": "30" } },
    );
  const later = { headers: { "retry-after": "2" } };
  if (error instanceof LogUnavailableError)
    return new ProblemError("log-unavailable", "Send again in a moment. /health says what is wrong.", later);
  if (error instanceof ColdUnavailableError)
    return new ProblemError(
      "cold-storage-unavailable",
      `Readings of this range are in cold storage. ${error.message}. ${error.fix} Ranges after it are answered meanwhile.`,
      { headers: { "retry-after": "10" } },
    );
  if (isStoreDown(error))
    return new ProblemError("database-unavailable", "Ask again in a moment. /health says what is wrong.", later);
  // Parameters are checked before; this is for a value that no check foresaw.
  if (isValueRefused(error))
    return new ProblemError("invalid-parameters", "A value was given that the database can't hold.");
  return null;
}
