import { TWIN_LIMITS } from "@/server/domain/terms";
import type { TwinValue } from "@/server/ports/device-twins";

/** A twin's newest values by field. */
export type TwinState = Map<string, TwinValue>;

/** Takes over what is newer, as DeviceTwins.merge promises; false if nothing was. */
export function bringIn(state: TwinState, values: ReadonlyMap<string, TwinValue>): boolean {
  const before = new Map(state);
  for (const [field, value] of values) {
    const known = state.get(field);
    if (known === undefined || known.eventTime < value.eventTime) state.set(field, value);
  }
  if (state.size > TWIN_LIMITS.fields) dropOldest(state);
  return state.size !== before.size || [...state].some(([field, value]) => before.get(field) !== value);
}

/** The latest event time of all values. */
export function latestEventTime(state: ReadonlyMap<string, TwinValue>): number {
  let latest = 0;
  for (const { eventTime } of state.values()) latest = Math.max(latest, eventTime);
  return latest;
}

function dropOldest(state: TwinState): void {
  const newestFirst = [...state].sort(([a, x], [b, y]) => y.eventTime - x.eventTime || (a < b ? -1 : 1));
  for (const [field] of newestFirst.slice(TWIN_LIMITS.fields)) state.delete(field);
}
