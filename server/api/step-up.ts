import { type Caller, hasProven, STEP_UP_MS } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import { ProblemError } from "./problem";

/**
 * Why somebody must prove anew who they are, or null. A key can't: it is as good as its holder keeps it, and a program with the
 * role for it may do the same as before.
 */
export function notProven(caller: Caller, now: EpochMs): ProblemError | null {
  if (caller.kind !== "user" || hasProven(caller.provenAt, now)) return null;
  const minutes = STEP_UP_MS / 60_000;
  return new ProblemError(
    "step-up",
    `It takes a sign-in that is at most ${minutes} minutes old. Sign in again, then send it again.`,
  );
}
