import type { StagesStretch } from "@/server/contracts/stages";
import { formatShare } from "../ui/format";

/** Counts of what came, and of what was wrong with it. */
export interface Quality {
  readonly messages: number;
  /** Readings that came, repeats and conflicts included. */
  readonly readings: number;
  readonly repeats: number;
  readonly conflicts: number;
  readonly late: number;
  /** Messages the telemetry route refused. */
  readonly refused: number;
  readonly deadLetters: number;
}

/** Sums what the pipeline did over several stretches. */
export function qualityOf(
  stretches: readonly Pick<
    StagesStretch,
    "messages" | "readings" | "duplicates" | "conflicts" | "late" | "rejected" | "deadLetters"
  >[],
): Quality {
  const sum = { messages: 0, readings: 0, repeats: 0, conflicts: 0, late: 0, refused: 0, deadLetters: 0 };
  const all = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0);
  for (const { messages, readings, duplicates, conflicts, late, rejected, deadLetters } of stretches) {
    sum.messages += messages;
    sum.readings += readings + duplicates + conflicts;
    sum.repeats += duplicates;
    sum.conflicts += conflicts;
    sum.late += late;
    sum.refused += all(rejected);
    sum.deadLetters += all(deadLetters);
  }
  return sum;
}

/** A part of a whole in percent: "0 %" only for none, "unknown" where there is no whole. */
export function share(part: number, whole: number): string {
  if (part === 0) return "0 %";
  if (whole <= 0) return "unknown";
  return formatShare(part / whole);
}
