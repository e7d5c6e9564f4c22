import type { EpochMs } from "../terms";
import {
  DEVICE_CHECKS,
  type DeviceCheck,
  type FlagLevel,
  type SeriesCheck,
  SLOW_CHECKS,
  type SlowCheck,
} from "./checks";

/** The parts of a score, each from 0 to 1. */
export const PARTS = {
  completeness: { title: "Complete", about: "Readings there are, of those there should be by the series' own pace." },
  validity: { title: "Valid", about: "Readings that no check says are wrong." },
  timeliness: { title: "In time", about: "Readings that didn't come late, nor by a clock that was off." },
  plausibility: {
    title: "Plausible",
    about: "Readings that no check doubts: not stuck, no spike, not too fast, as usual.",
  },
  uniqueness: { title: "Once", about: "Readings that weren't sent again, nor with another value." },
} as const;
export type Part = keyof typeof PARTS;
type Parts = Readonly<Record<Exclude<Part, "completeness">, number> & { readonly completeness: number | null }>;

/** A part counts as this at least, so that one that is nothing doesn't hide the others. */
const LEAST = 0.01;
/** Readings that must have been due before anything is said of them. */
const DUE_KNOWN = 10;

/** What is known of a series' stretch of time. */
export interface Measured {
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly received: number;
  /** Usual time between its readings, in ms; null: too few came to know. */
  readonly gapMs: number | null;
  /** Flags of the series, and those of its device. */
  readonly flags: readonly {
    readonly check: SeriesCheck | DeviceCheck | SlowCheck;
    readonly level: FlagLevel;
    readonly from: EpochMs;
    readonly to: EpochMs;
    readonly count: number;
  }[];
  /** Of the device's readings: how many came, late, again, or with another value. */
  readonly device: {
    readonly received: number;
    readonly late: number;
    readonly repeats: number;
    readonly conflicts: number;
  };
}

/** How good a stretch of a series is. */
export interface Score extends Parts {
  /** Null as long as too little is known to say how many readings there should be. */
  readonly score: number | null;
  readonly expected: number | null;
}

/** Scores a stretch of a series: 100 times the product of its parts. Unknown is never 100. */
export function scoreOf({ from, to, received, gapMs, flags, device }: Measured): Score {
  const span = Math.max(1, to - from);
  const due = gapMs === null ? 0 : span / gapMs;
  const expected = due < DUE_KNOWN ? null : Math.floor(due);
  const completeness = expected === null ? null : Math.min(1, received / expected);
  const bad = { fail: 0, suspect: 0 };
  let clockOff = 0;
  for (const flag of flags) {
    const lasts = Math.max(0, Math.min(flag.to, to) - Math.max(flag.from, from)) / span;
    if (flag.check === "clock") clockOff += lasts;
    else if (flag.check === "stuck" || flag.check in SLOW_CHECKS) bad[flag.level] += lasts;
    else if (!(flag.check in DEVICE_CHECKS)) bad[flag.level] += flag.count / Math.max(1, received);
  }
  const sent = device.received + device.repeats + device.conflicts;
  const parts = {
    validity: good(bad.fail),
    timeliness: good(device.late / Math.max(1, device.received) + clockOff),
    plausibility: good(bad.suspect),
    uniqueness: good((device.repeats + device.conflicts) / Math.max(1, sent)),
  };
  const product = Object.values(parts).reduce((all, part) => all * Math.max(LEAST, part), 1);
  return {
    ...parts,
    completeness,
    expected,
    score: completeness === null ? null : 100 * product * Math.max(LEAST, completeness),
  };
}

function good(bad: number): number {
  return Math.max(0, 1 - bad);
}
