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
  reception: {
    qartod: "data reception",
    title: "Not received",
    about: "Nothing arrived for three times the usual time; what was measured meanwhile came afterwards.",
  },
  late: { qartod: "out of order", title: "Late", about: "Messages that came after newer ones." },
  clock: {
    qartod: "clock skew",
    title: "Clock off",
    about: "Its times are off by a steady amount from when they came.",
  },
} as const satisfies Record<string, Check>;

/** The checks of what series were in an hour or a day, against their own past and those beside them. */
export const SLOW_CHECKS = {
  drift: {
    qartod: "drift",
    title: "Drift",
    about: "It slid away from where it was and sprang back, or a day's mean lies outside those of four weeks.",
  },
  climatology: {
    qartod: "climatology",
    title: "Unusual for the hour",
    about: "The hour's mean is more than four spreads from that of this hour of the week.",
  },
  attenuated: {
    qartod: "attenuated signal",
    title: "Fading",
    about: "For two hours it moved less than a tenth of what it usually does.",
  },
  unit: { qartod: "unit jump", title: "Unit jump", about: "Its values fit another unit from one hour to the next." },
  cross: {
    qartod: "cross-variable",
    title: "Apart from its pair",
    about: "It is more than six spreads from where another metric of its device says it is.",
  },
  neighbor: {
    qartod: "neighbor",
    title: "Apart from neighbors",
    about: "It left the median of its neighbors: the same metric of devices of its type and site.",
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
export type SlowCheck = keyof typeof SLOW_CHECKS;

/** A stretch that a check flags; both ends are event times, and belong to it. */
export interface Flag<Name = SeriesCheck> {
  readonly check: Name;
  readonly level: FlagLevel;
  readonly from: number;
  readonly to: number;
}
