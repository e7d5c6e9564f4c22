import type { History } from "./alerting/backtest/history";
import type { ColdReader } from "./readings/cold/reader";
import { readHourParts, readMoments, readOpenHours, readStretches } from "./readings/hour-parts";
import { ONE_MOMENT } from "./readings/reading-queries";

/** Binds what tries rules on history to the readings that are stored. */
export function composeHistory(cold: ColdReader): History {
  return {
    begin: ONE_MOMENT,
    hours: readHourParts,
    openHours: readOpenHours,
    readings: (tx, metrics, stretches) => readStretches(tx, cold, metrics, stretches),
    moments: (tx, stretches) => readMoments(tx, cold, stretches),
  };
}
