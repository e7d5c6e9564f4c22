import type { MaintenanceView, SilenceView } from "@/server/contracts/notifications";
import type { EpochMs } from "@/server/domain/terms";
import { coveredWords } from "./words";

export const DAY_MS = 86_400_000;
/** How far the calendar looks. */
export const STRIP_DAYS = 14;

/** A stretch of the calendar in which something is held back, as shares of its width. */
interface Stretch {
  readonly left: number;
  readonly width: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** A line of the calendar. */
export interface Lane {
  readonly id: string;
  readonly name: string;
  readonly kind: "silence" | "maintenance";
  readonly stretches: readonly Stretch[];
}

/** What is held back from `start` for 14 days: a line for each silence and each maintenance that has a window then. */
export function lanesOf(
  silences: readonly SilenceView[],
  maintenance: readonly MaintenanceView[],
  start: EpochMs,
): readonly Lane[] {
  const end = start + STRIP_DAYS * DAY_MS;
  const within = (from: EpochMs, to: EpochMs): Stretch[] => {
    const left = Math.max(from, start);
    const right = Math.min(to, end);
    if (right <= left) return [];
    return [{ left: (left - start) / (end - start), width: (right - left) / (end - start), from, to }];
  };
  const all: Lane[] = [
    ...silences
      .filter(({ state }) => state !== "ended")
      .map((silence): Lane => ({
        ...{ id: `silence-${silence.id}`, name: coveredWords(silence.matchers), kind: "silence" },
        stretches: within(Date.parse(silence.startsAt), Date.parse(silence.endsAt)),
      })),
    ...maintenance.map((one): Lane => ({
      ...{ id: `maintenance-${one.id}`, name: one.name, kind: "maintenance" },
      stretches: one.fortnight.flatMap(({ from, to }) => within(Date.parse(from), Date.parse(to))),
    })),
  ];
  return all.filter(({ stretches }) => stretches.length > 0);
}
