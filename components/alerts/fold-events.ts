import type { AlertWithEvents } from "@/server/contracts/alerts";

type Event = Pick<AlertWithEvents["events"][number], "kind" | "by" | "note" | "reason">;

/** Folds what happens to an alert again and again into its first time, how often it came again, and its last; what people did stays apart. */
export function foldEvents<E extends Event>(events: readonly E[]): { first: E; more: number; last: E }[] {
  const folded: { first: E; more: number; last: E }[] = [];
  for (const event of events) {
    const run = folded.at(-1);
    const isSame = run?.first.kind === event.kind && run.first.reason === event.reason && event.note === null;
    if (!run || !isSame || event.by !== null) folded.push({ first: event, more: 0, last: event });
    else {
      run.more++;
      run.last = event;
    }
  }
  return folded;
}
