import type { PipelineMeasure } from "./rule";

interface MeasureWords {
  /** What is measured, as a name. */
  readonly name: string;
  /** Empty where the figure says nothing. */
  readonly unit: string;
  /** Says in a sentence that the limit is crossed. */
  readonly when: (limit: number) => string;
}

/** What rules about the pipeline measure, in words. */
export const MEASURES: Readonly<Record<PipelineMeasure, MeasureWords>> = {
  lagSeconds: { name: "Lag", unit: "s", when: (limit) => `the pipeline is more than ${limit} s behind` },
  deadLetterPercent: {
    ...{ name: "Dead letters", unit: "%" },
    when: (limit) => `more than ${limit} % of messages become dead letters`,
  },
  freeDiskPercent: { name: "Free disk", unit: "%", when: (limit) => `less than ${limit} % of the disk is free` },
  engineAway: { name: "Away", unit: "", when: () => "an engine is away" },
  sourceSilentMinutes: {
    ...{ name: "Nothing came", unit: "min" },
    when: (limit) => `nothing has come from a source for more than ${limit} min`,
  },
};
