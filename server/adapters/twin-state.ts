import { TWIN_LIMITS } from "@/server/domain/terms";
import type { TwinValue } from "@/server/ports/device-twins";

/** A twin's newest values by field. */
export type TwinState = Map<string, TwinValue>;

/** Takes over what is newer, as DeviceTwins.merge promises; false if nothing was. */
export function bringIn(state: TwinState, values: ReadonlyMap<string, TwinValue>): boolean {
  let before: ReadonlyMap<string, TwinValue> = state;
  let changed = false;
  for (const [field, value] of values) {
    const known = state.get(field);
    if (known !== undefined && !isNewer(value, known)) continue;
    if (!changed && state.size + values.size > TWIN_LIMITS.fields) before = new Map(state);
    state.set(field, value);
    changed = true;
  }
  if (state.size <= TWIN_LIMITS.fields) return changed;
  dropOldest(state);
  return state.size !== before.size || [...state].some(([field, value]) => before.get(field) !== value);
}

/** Whether a value takes the place of another: with an event time, of one without; else if it is later. */
function isNewer(value: TwinValue, known: TwinValue): boolean {
  if (value.isState !== known.isState) return known.isState === true;
  return value.eventTime > known.eventTime;
}

/** The latest event time of all values. */
export function latestEventTime(state: ReadonlyMap<string, TwinValue>): number {
  let latest = 0;
  for (const { eventTime, isState } of state.values()) if (!isState) latest = Math.max(latest, eventTime);
  return latest;
}

function dropOldest(state: TwinState): void {
  const newestFirst = [...state].sort(([a, x], [b, y]) => {
    if (x.isState !== y.isState) return x.isState ? 1 : -1;
    return y.eventTime - x.eventTime || (a < b ? -1 : 1);
  });
  for (const [field] of newestFirst.slice(TWIN_LIMITS.fields)) state.delete(field);
}
