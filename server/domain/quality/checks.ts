/**
 * The checks of a reading's quality, by the names and flags of IOOS QARTOD (https://ioos.noaa.gov/project/qartod/). A check
 * never drops a reading: it flags a range of event times of a series.
 */

/** What a check says, worst last. A series without a flag passed, or wasn't evaluated. */
export const FLAG_LEVELS = ["suspect", "fail"] as const;
export type FlagLevel = (typeof FLAG_LEVELS)[number];

/** The checks of one series' readings as they come. */
export const SERIES_CHECKS = {
  range: { qartod: "gross range", title: "Out of range", about: "The value lies outside the metric's valid range." },
  change: {
    qartod: "rate of change",
    title: "Too fast",
    about: "The value changed three times as fast as it ever did.",
  },
  spike: { qartod: "spike", title: "Spike", about: "One value far from both its neighbors, which agree." },
  stuck: { qartod: "flat line", title: "Stuck", about: "One value for far longer than it usually lasts." },
  reset: { qartod: "counter reset", title: "Counter reset", about: "A counter that never fell has fallen." },
} as const satisfies Record<string, Check>;

/** The checks of one device's messages as they come; what they flag is true of all its series. */
export const DEVICE_CHECKS = {
  gap: { qartod: "time gap", title: "Gap", about: "No message for three times the usual time between messages." },
  late: { qartod: "data reception", title: "Late", about: "Messages that came after newer ones." },
  clock: {
    qartod: "impossible date",
    title: "Clock off",
    about: "Its times are off by a steady amount from when they came.",
  },
} as const satisfies Record<string, Check>;

interface Check {
  /** The name in QARTOD, or in its manner. */
  readonly qartod: string;
  readonly title: string;
  readonly about: string;
}

export type SeriesCheck = keyof typeof SERIES_CHECKS;
export type DeviceCheck = keyof typeof DEVICE_CHECKS;

/** A stretch that a check flags; both ends are event times, and belong to it. */
export interface Flag<Name = SeriesCheck> {
  readonly check: Name;
  readonly level: FlagLevel;
  readonly from: number;
  readonly to: number;
}
