import { createHmac, timingSafeEqual } from "node:crypto";
import type { EpochMs } from "@/server/domain/terms";
import { hashOf, isSecret, newSecret } from "./secrets";

/** Somebody on their way to the identity provider and back. Known to their browser alone: it is what their cookie holds. */
export interface Attempt {
  readonly secret: string;
  readonly begunAt: EpochMs;
  /** To sign in, or to prove anew who one is. */
  readonly purpose: "in" | "prove";
  /** Where to go afterwards. */
  readonly to: string;
}

/** So long somebody may take. */
export const ATTEMPT_MS = 600_000;

export function newAttempt(purpose: Attempt["purpose"], to: string, now: EpochMs): Attempt {
  return { secret: newSecret(), begunAt: now, purpose, to };
}

/** The attempt as a cookie holds it. */
export function writeAttempt({ secret, ...rest }: Attempt): string {
  return `${secret}.${restOf(rest)}`;
}

/** The attempt of a cookie, or null when it is none, too old, or not the one that `state` belongs to. */
export function readAttempt(cookie: string | null, state: string | undefined, now: EpochMs): Attempt | null {
  const [secret = "", begun = "", purpose, to = "", ...more] = cookie?.split(".") ?? [];
  const begunAt = Number.parseInt(begun, 36);
  if (!isSecret(secret) || more.length > 0 || (purpose !== "in" && purpose !== "prove")) return null;
  if (!(now - begunAt >= 0 && now - begunAt < ATTEMPT_MS)) return null;
  const attempt: Attempt = { secret, begunAt, purpose, to: Buffer.from(to, "base64url").toString() };
  // All of the cookie is in the state: who changes anything of it has begun no such attempt.
  return timingSafeEqual(hashOf(stateOf(attempt)), hashOf(state ?? "")) ? attempt : null;
}

/** What names the attempt in addresses. */
export const stateOf = (attempt: Attempt) => derived(attempt, "state");
/** What the ID token must hold. */
export const nonceOf = (attempt: Attempt) => derived(attempt, "nonce");
/** What the code can only be exchanged with. */
export const verifierOf = (attempt: Attempt) => derived(attempt, "verifier");

/** Each from the secret and not back, nor from one to another; so nothing has to be kept anywhere but in the browser. */
function derived({ secret, ...rest }: Attempt, what: string): string {
  return createHmac("sha256", secret)
    .update(`${what}.${restOf(rest)}`)
    .digest("base64url");
}

function restOf({ begunAt, purpose, to }: Omit<Attempt, "secret">): string {
  return `${begunAt.toString(36)}.${purpose}.${Buffer.from(to).toString("base64url")}`;
}
