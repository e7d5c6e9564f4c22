import type { EventKind, EventSeverity } from "@/server/domain/events/event";
import { formatDuration } from "../ui/format";
import type { Mark } from "../ui/state-mark";

/** What kinds are called on screens. */
export const KIND_WORDS: Readonly<Record<EventKind, string>> = {
  silence: "Stale or silent",
  probe: "Trouble",
  process: "Process",
  lag: "Lag",
  alert: "Alert",
  deployment: "Deployment",
  edit: "Edit",
  job: "Job",
  note: "Note",
};

/** The kinds in the order of screens. */
export const KINDS = Object.keys(KIND_WORDS) as readonly EventKind[];

/** The mark of a severity; none for what is only news. */
export function markOf(severity: EventSeverity): Mark | null {
  return severity === "critical" ? "failing" : severity === "warning" ? "warning" : null;
}

/** How long it was; null for a moment. */
export function lasted(
  { from, to }: { readonly from: string; readonly to: string | null },
  now: number,
): string | null {
  const ms = (to === null ? now : Date.parse(to)) - Date.parse(from);
  return ms <= 0 ? null : formatDuration(ms < 1000 ? ms : Math.round(ms / 1000) * 1000);
}
