import { formatSeconds } from "../duration";
import type { PipelineMeasure } from "./rule";

interface MeasureWords {
  /** What is measured, as a name. */
  readonly name: string;
  /** Empty where the figure says nothing. */
  readonly unit: string;
  /** Says in a sentence that the limit is crossed. */
  readonly when: (limit: number) => string;
  /** Says in a sentence how it stands. @param amount the value in words @param subject the engine or the source it is of */
  readonly says: (amount: string, value: number, subject: string, verb: "is" | "was") => string;
}

/** What rules about the pipeline measure, in words. */
export const MEASURES: Readonly<Record<PipelineMeasure, MeasureWords>> = {
  lagSeconds: {
    ...{ name: "Lag", unit: "s" },
    when: (limit) => `the pipeline is more than ${limit} s behind`,
    says: (amount, _value, _subject, verb) => `the pipeline ${verb} ${amount} behind`,
  },
  deadLetterPercent: {
    ...{ name: "Dead letters", unit: "%" },
    when: (limit) => `more than ${limit} % of messages become dead letters`,
    says: (amount, _value, _subject, verb) =>
      `${amount} of the messages of the last 5 min ${verb === "is" ? "are" : "were"} dead letters`,
  },
  freeDiskPercent: {
    ...{ name: "Free disk", unit: "%" },
    when: (limit) => `less than ${limit} % of the disk is free`,
    says: (amount, _value, _subject, verb) => `${amount} of the disk ${verb} free`,
  },
  engineAway: {
    ...{ name: "Away", unit: "" },
    when: () => "an engine is away",
    says: (_amount, value, subject, verb) => `${subject} ${verb} ${value > 0 ? "away" : "there"}`,
  },
  sourceSilentMinutes: {
    ...{ name: "Nothing came", unit: "min" },
    when: (limit) => `nothing has come from a source for more than ${limit} min`,
    says: (amount, _value, subject) => `nothing has come from ${subject} for ${amount}`,
  },
};

/** A figure of a measure with its unit, to three digits. */
export function measureWords(measure: PipelineMeasure, value: number): string {
  if (measure === "lagSeconds") return formatSeconds(value);
  return `${Number(value.toPrecision(3))} ${MEASURES[measure].unit}`.trim();
}
