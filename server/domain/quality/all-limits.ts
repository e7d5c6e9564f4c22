import { DEFAULT_SLOW_LIMITS, type SlowLimits } from "./hour-checks";
import { DEFAULT_LIMITS, type SeriesLimits } from "./series-checks";

/** What the checks of a series go by, those of its readings and those of its hours and days. */
export type AllLimits = SeriesLimits & SlowLimits;

/** The limits of a series for which nobody set any. */
export const ALL_DEFAULTS: AllLimits = { ...DEFAULT_LIMITS, ...DEFAULT_SLOW_LIMITS };
