/** A place where devices stand, and the climate indoors there. */
export interface Site {
  readonly name: string;
  /** Local time is UTC plus this; no summer time, machines don't care. */
  readonly utcOffsetMs: number;
  /** Mean indoor temperature in °C, and how far it swings in a day and in a year. */
  readonly meanIndoor: number;
  readonly dailySwing: number;
  readonly yearlySwing: number;
}

const HOUR = 3_600_000;

/** The sites of the fleet. Order matters: it decides which device stands where. */
export const SITES: readonly Site[] = [
  { name: "hamburg", utcOffsetMs: HOUR, meanIndoor: 20.5, dailySwing: 1.6, yearlySwing: 2.2 },
  { name: "lyon", utcOffsetMs: HOUR, meanIndoor: 22, dailySwing: 2.4, yearlySwing: 3 },
  { name: "porto", utcOffsetMs: 0, meanIndoor: 21.5, dailySwing: 1.9, yearlySwing: 1.8 },
  { name: "gdansk", utcOffsetMs: HOUR, meanIndoor: 19.5, dailySwing: 1.4, yearlySwing: 2.8 },
];
