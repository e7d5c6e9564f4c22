import { type SlowCheck, SLOW_CHECKS } from "@/server/domain/quality/checks";
import { checkHour, DEFAULT_SLOW_LIMITS, isDayApart } from "@/server/domain/quality/hour-checks";
import { type Hour, HOUR_MS, hourAt, type HoursByMetric, medianOf, profilesOf } from "@/server/domain/quality/profile";
import { DEVICE_TYPES } from "@/server/simulator/device-types";
import type { Fleet, SimulatedDevice } from "@/server/simulator/fleet";
import { markdownTable } from "./report";

const DAY = 24 * HOUR_MS;
/** Days that teach, and days that are checked. */
const [LEARN, CHECK] = [28, 14];
const EVERY = 120_000;

/** Flags of the checks of hours and days on a fleet without faults: learned anew each day, as the job does. @returns flags, series-days */
export function checkQuietHours(fleet: Fleet, begin: number): { readonly flags: number; readonly days: number } {
  const hours = new Map(fleet.devices.map((device) => [device, hoursOf(device, begin)]));
  const told = new Map<string, number>();
  let days = 0;
  const count = (check: SlowCheck) => told.set(check, (told.get(check) ?? 0) + 1);
  for (const [device, own] of hours) {
    const beside = fleet.devices.filter(
      (one) => one !== device && one.type === device.type && one.site.name === device.site.name,
    );
    const neighbors = beside.map((one) => hours.get(one)!);
    for (let day = begin + LEARN * DAY; day < begin + (LEARN + CHECK) * DAY; day += DAY) {
      const past = within(own, day - LEARN * DAY, day);
      const profiles = profilesOf(
        past,
        neighbors.map((one) => within(one, day - LEARN * DAY, day)),
      );
      for (const [metric, all] of own) {
        days++;
        const profile = profiles.get(metric);
        if (!profile) continue;
        const today = all.filter(({ time }) => time >= day && time < day + DAY);
        const flagged = new Set<SlowCheck>();
        for (const hour of today) {
          const pair = profile.pair && (hourAt(own.get(profile.pair.metric), hour.time)?.mean ?? null);
          const before = hourAt(all, hour.time - HOUR_MS) ?? null;
          const middle = medianOf(neighbors, metric, hour.time);
          checkHour({ hour, before, pair, neighbors: middle }, profile, DEFAULT_SLOW_LIMITS, ({ check }) =>
            flagged.add(check),
          );
        }
        const mean = today.reduce((all, one) => all + one.mean, 0) / today.length;
        if (isDayApart(mean, profile, DEFAULT_SLOW_LIMITS)) flagged.add("drift");
        for (const check of flagged) count(check);
      }
    }
  }
  console.log(`hours and days, ${LEARN} days learned, ${CHECK} checked: ${days} series-days, one flag a check and day`);
  const rows = Object.keys(SLOW_CHECKS).map((check) => [check, String(told.get(check) ?? 0)]);
  console.log(markdownTable(["check", "flags"], rows));
  return { flags: [...told.values()].reduce((a, b) => a + b, 0), days };
}

function within(own: HoursByMetric, from: number, to: number): HoursByMetric {
  return new Map([...own].map(([metric, hours]) => [metric, hours.filter(({ time }) => time >= from && time < to)]));
}

function hoursOf(device: SimulatedDevice, begin: number): HoursByMetric {
  const { readings } = DEVICE_TYPES[device.type];
  const names = Object.entries(readings(device, begin)).flatMap(([name, value]) =>
    typeof value === "number" ? name : [],
  );
  const own = new Map(names.map((_, i) => [i, [] as Hour[]]));
  for (let time = begin; time < begin + (LEARN + CHECK) * DAY; time += HOUR_MS) {
    const seen = names.map(() => ({ sum: 0, min: Infinity, max: -Infinity }));
    for (let at = time; at < time + HOUR_MS; at += EVERY) {
      const values = readings(device, at) as Record<string, number>;
      for (const [i, one] of seen.entries()) {
        const value = values[names[i]!]!;
        one.sum += value;
        one.min = Math.min(one.min, value);
        one.max = Math.max(one.max, value);
      }
    }
    const count = HOUR_MS / EVERY;
    for (const [i, { sum, min, max }] of seen.entries()) own.get(i)!.push({ time, count, mean: sum / count, min, max });
  }
  return own;
}
