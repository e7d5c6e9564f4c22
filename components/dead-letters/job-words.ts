import type { DeadLetterDryRun, DeadLetterJob, DeadLetterJobBody } from "@/server/contracts/dead-letters";
import { counted } from "@/server/domain/counted";
import { formatDuration, formatTotal } from "../ui/format";
import type { View } from "./view";

/** Work on many dead letters that somebody is about to ask for. */
export type WantedJob = Pick<DeadLetterJobBody, "action"> & { readonly filter: View["filter"] };

type Action = DeadLetterJobBody["action"];

const VERBS: Record<Action, string> = { resend: "Resend", discard: "Discard", restore: "Restore" };

/** Words the exact effect for the button that brings it about: "Resend 214 messages at 50/s". */
export function effectOf(action: Action, count: number, perSecond: number): string {
  if (action === "resend") return `Resend ${counted(count, "message")} at ${formatTotal(perSecond)}/s`;
  return `${VERBS[action]} ${counted(count, "dead letter")}`;
}

/** Words the result of a resend's dry run: "214 dead letters: 190 would be stored now, 24 would be refused again". */
export function previewOf({ count, checked, wouldPass }: DeadLetterDryRun): string {
  if (checked === 0) return counted(count, "dead letter");
  const refused = checked - wouldPass;
  const of =
    checked === count
      ? counted(count, "dead letter")
      : `The newest ${formatTotal(checked)} of ${counted(count, "dead letter")} were looked at`;
  if (refused === 0) return `${of}: ${checked === 1 ? "it" : "all"} would be stored now.`;
  if (wouldPass === 0) return `${of}: ${checked === 1 ? "it" : "all"} would be refused again.`;
  return `${of}: ${formatTotal(wouldPass)} would be stored now, ${formatTotal(refused)} would be refused again.`;
}

/** Words the time it takes to send so many: "6 s", "2 min 5 s". */
export function secondsOf(count: number, perSecond: number): string {
  const seconds = Math.max(1, Math.ceil(count / perSecond));
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000);
}

/** Words what a job does or did: "Resending", "Discarded". */
export function actionWord({ action, status }: Pick<DeadLetterJob, "action" | "status">): string {
  const isOver = status !== "waiting" && status !== "running";
  const words: Record<Action, readonly [now: string, then: string]> = {
    resend: ["Resending", "Resent"],
    discard: ["Discarding", "Discarded"],
    restore: ["Restoring", "Restored"],
  };
  return words[action][isOver ? 1 : 0];
}

/** Words a job's progress in figures. */
export function progressOf(job: DeadLetterJob): string {
  const { action, done, total, skipped, stored, refused, status, perSecond } = job;
  const handled = stored + refused;
  const sent = Math.max(0, done - skipped);
  const parts = [`${formatTotal(done)} of ${formatTotal(total)}${action === "resend" ? " sent" : ""}`];
  if (action === "resend") {
    parts.push(`${formatTotal(stored)} stored`);
    if (refused > 0) parts.push(`${formatTotal(refused)} refused again`);
    if (handled < sent) parts.push(`${formatTotal(sent - handled)} being handled`);
  }
  if (skipped > 0) parts.push(`${formatTotal(skipped)} skipped, taken by someone else`);
  if (status === "running" && total > done && perSecond > 0) parts.push(`${secondsOf(total - done, perSecond)} left`);
  return parts.join(" · ");
}

/** Words a job's state when that isn't plain from its figures. */
export function stateOf({ status, error }: DeadLetterJob): string | null {
  if (status === "waiting") return "waits for its turn";
  if (status === "stopped") return "stopped";
  if (status === "failed") return `failed: ${error ?? "the server's log has the cause"}`;
  return null;
}
