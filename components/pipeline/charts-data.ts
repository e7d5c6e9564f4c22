import type { StagesAnswer, StagesStretch } from "@/server/contracts/stages";
import { DEAD_LETTER_REASONS, type DeadLetterReason } from "@/server/domain/reasons";
import { type Stage, STAGES } from "@/server/domain/stages";
import { PIPELINE_COLORS, STAGE_COLORS } from "../ui/theme";
import type { TimeRow, TimeSeries } from "../ui/time-chart-data";

export const STAGE_NAMES: Readonly<Record<Stage, string>> = {
  wait: "Wait in the log",
  decode: "Decode",
  enrich: "Enrich",
  documents: "Documents",
  readings: "Readings",
  publish: "Live frames",
};

/** One chart of the page: its lines, and a row a bucket. */
export interface ChartData {
  readonly key: string;
  readonly title: string;
  /** Unit of every value. */
  readonly unit: string;
  readonly isDuration: boolean;
  readonly series: readonly TimeSeries[];
  readonly rows: readonly TimeRow[];
}

/** The page's charts over the range. Rates are by what has passed of each bucket, so the running one is not low. */
export function chartsOf({ buckets }: StagesAnswer): readonly ChartData[] {
  const reasons = reasonsIn(buckets);
  return [
    {
      ...{ key: "throughput", title: "Throughput", unit: "per second", isDuration: false },
      series: [
        { key: "accepted", label: "Accepted messages", color: PIPELINE_COLORS.accepted },
        { key: "messages", label: "Handled messages", color: PIPELINE_COLORS.messages },
        { key: "readings", label: "Readings", color: PIPELINE_COLORS.readings },
      ],
      rows: buckets.map((bucket) => ({
        time: bucket.time,
        accepted: per(SECOND, bucket, bucket.accepted),
        messages: per(SECOND, bucket, bucket.messages),
        readings: per(SECOND, bucket, bucket.readings),
      })),
    },
    {
      ...{ key: "stages", title: "Slowest percent by stage", unit: "p99", isDuration: true },
      series: STAGES.map((stage) => ({ key: stage, label: STAGE_NAMES[stage], color: STAGE_COLORS[stage] })),
      rows: buckets.map(({ time, stages }) => ({
        time,
        ...Object.fromEntries(STAGES.map((stage) => [stage, stages[stage]?.p99Ms ?? null])),
      })),
    },
    {
      ...{ key: "quality", title: "Repeats, conflicts and late readings", unit: "per minute", isDuration: false },
      series: [
        { key: "duplicates", label: "Repeats, ignored", color: PIPELINE_COLORS.duplicates },
        { key: "conflicts", label: "Conflicts, first value kept", color: PIPELINE_COLORS.conflicts },
        { key: "late", label: "Late, stored", color: PIPELINE_COLORS.late },
      ],
      rows: buckets.map((bucket) => ({
        time: bucket.time,
        duplicates: per(MINUTE, bucket, bucket.duplicates),
        conflicts: per(MINUTE, bucket, bucket.conflicts),
        late: per(MINUTE, bucket, bucket.late),
      })),
    },
    {
      ...{ key: "refused", title: "Refused by reason", unit: "per minute", isDuration: false },
      series: reasons.map(({ key, label }, i) => ({ key, label, color: `var(--fw-chart-${i + 1})` })),
      rows: buckets.map((bucket) => ({
        time: bucket.time,
        ...Object.fromEntries(
          reasons.map(({ key, names }) => [
            key,
            per(
              MINUTE,
              bucket,
              names.reduce((total, name) => total + (bucket.deadLetters[name] ?? 0) + (bucket.rejected[name] ?? 0), 0),
            ),
          ]),
        ),
      })),
    },
  ];
}

const SECOND = 1000;
const MINUTE = 60_000;

function per(unitMs: number, { ms }: StagesStretch, count: number): number {
  return (count * unitMs) / ms;
}

/** The number of colors limits the lines; rarer reasons share the last. */
const MOST_LINES = 6;

function reasonsIn(buckets: readonly StagesStretch[]): { key: string; label: string; names: readonly string[] }[] {
  const present = refusals(buckets);
  const own = new Set(
    present.slice(0, present.length > MOST_LINES ? MOST_LINES - 1 : MOST_LINES).map(({ reason }) => reason),
  );
  // The table's order keeps a line's color while numbers change.
  const lines = Object.keys(DEAD_LETTER_REASONS)
    .filter((reason) => own.has(reason))
    .map((reason) => ({ key: reason, label: reasonTitle(reason), names: [reason] }));
  const others = present.map(({ reason }) => reason).filter((reason) => !own.has(reason));
  return others.length === 0 ? lines : [...lines, { key: "others", label: "Others", names: others }];
}

/** One reason of a range, with what was refused for it. */
export interface Refusals {
  readonly reason: string;
  readonly letters: number;
  readonly rejected: number;
}

/** Sums refusals by reason, the most frequent first. */
export function refusals(buckets: readonly StagesStretch[]): Refusals[] {
  const sums = new Map<string, { letters: number; rejected: number }>();
  const add = (reason: string, letters: number, rejected: number) => {
    const before = sums.get(reason) ?? { letters: 0, rejected: 0 };
    sums.set(reason, { letters: before.letters + letters, rejected: before.rejected + rejected });
  };
  for (const { deadLetters, rejected } of buckets) {
    for (const [reason, count] of Object.entries(deadLetters)) add(reason, count, 0);
    for (const [reason, count] of Object.entries(rejected)) add(reason, 0, count);
  }
  return [...sums]
    .map(([reason, counts]) => ({ reason, ...counts }))
    .sort((a, b) => b.letters + b.rejected - a.letters - a.rejected || (a.reason < b.reason ? -1 : 1));
}

export function reasonTitle(reason: string): string {
  return Object.hasOwn(DEAD_LETTER_REASONS, reason) ? DEAD_LETTER_REASONS[reason as DeadLetterReason].title : reason;
}

/** Returns where a message's time went, on average over the range; null when none was handled. */
export function timeShares({ stages }: StagesStretch): { stage: Stage; ms: number }[] | null {
  if (!stages.readings) return null;
  return STAGES.flatMap((stage) => (stages[stage] ? [{ stage, ms: stages[stage].messageMs }] : []));
}
