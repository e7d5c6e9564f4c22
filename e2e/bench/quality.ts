import { parseArgs } from "node:util";
import { DEVICE_CHECKS, type Flag, SERIES_CHECKS, SLOW_CHECKS } from "@/server/domain/quality/checks";
import { newDevice, stepDevice } from "@/server/domain/quality/device-checks";
import { DEFAULT_LIMITS, newSeries, type SeriesState, stepSeries } from "@/server/domain/quality/series-checks";
import { slidesOf } from "@/server/domain/quality/slides";
import { middleOf } from "@/server/domain/quality/statistics";
import { decodeMessage } from "@/server/domain/decode-message";
import { SLOT_MS } from "@/server/simulator/faults";
import { createFleet, type Fleet, type FleetOptions, type SimulatedDevice } from "@/server/simulator/fleet";
import { type AnyCheck, type Truth, truthOf } from "./quality-truth";
import { checkQuietHours } from "./quality-hours";
import { machine, markdownTable } from "./report";

const MINUTE = 60_000;
const HOUR = 3_600_000;
/** Any day: the fleet is a function of time. */
const BEGIN = Date.UTC(2026, 10, 23);
/** Series know too little before; faults in it aren't counted. */
const WARM_UP = HOUR;
const BOUNDS = { now: BEGIN + 400 * 24 * HOUR, futureToleranceMs: 0, retentionMs: null };
/** The bar: what is found of the faults, and what is right of the flags. */
const BARS: Partial<Record<AnyCheck, readonly [found: number, right: number]>> = {
  spike: [0.9, 0.8],
  stuck: [0.9, 0.9],
  drift: [0.5, 0.8],
  reception: [0.98, 0],
  clock: [0.95, 0],
};

/** A flag, and when it was told first and last. */
interface Told extends Flag<AnyCheck> {
  readonly place: string;
  readonly since: number;
  readonly until: number;
}

/** What came of one device. */
interface Followed {
  readonly flags: readonly Told[];
  readonly series: number;
  readonly readings: number;
  readonly spentMs: number;
}

/**
 * Holds all checks against the simulator's own faults, or against a fleet without any:
 * `npm run bench -- quality --seeds 1,2,3,4,5`, `npm run bench -- quality --faults 0`.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      ...{ seeds: { type: "string", default: "1" }, devices: { type: "string", default: "50" } },
      ...{ hours: { type: "string", default: "24" }, interval: { type: "string", default: "2000" } },
      ...{ faults: { type: "string", default: "6" }, list: { type: "boolean", default: false } },
    },
  });
  const hours = Number(values.hours);
  console.log(
    `${machine()}\n${values.devices} devices, ${hours} h, a message in ${Number(values.interval) / 1000} s, ${values.faults} faults an hour\n`,
  );
  let failed = 0;
  for (const seed of values.seeds.split(",").map(Number)) {
    const options = {
      ...{ seed, devices: Number(values.devices) },
      ...{ intervalMs: Number(values.interval), faultsPerHour: Number(values.faults) },
    };
    failed += report(options, BEGIN + hours * HOUR, values.list);
  }
  return failed === 0 ? 0 : 1;
}

/** Prints one seed. @returns the bars it doesn't reach */
function report(options: FleetOptions, end: number, lists: boolean): number {
  const fleet = createFleet(options);
  const followed = fleet.devices.map((device) => follow(fleet, device, options.intervalMs, end));
  const sum = (of: (one: Followed) => number) => followed.reduce((all, one) => all + of(one), 0);
  const [series, readings] = [sum((one) => one.series), sum((one) => one.readings)];
  const days = (series * (end - BEGIN)) / (24 * HOUR);
  const from = BEGIN + WARM_UP;
  const to = end - 2 * SLOT_MS;
  const truths = fleet.devices.flatMap((device) => truthOf(device, options, BEGIN, end));
  const flags = followed.flatMap((one) => one.flags).filter(({ since, until }) => since >= from && until < to);
  console.log(
    `seed ${options.seed}: ${readings} readings of ${series} series, ${((sum((one) => one.spentMs) * 1e6) / readings).toFixed(0)} ns each`,
  );
  let failed = 0;
  const rows = (Object.keys({ ...SERIES_CHECKS, ...DEVICE_CHECKS, ...SLOW_CHECKS }) as AnyCheck[]).map((check) => {
    const mine = flags.filter((flag) => flag.check === check);
    const own = truths.filter((truth) => truth.check === check);
    const due = own.filter((truth) => truth.counts && truth.from >= from && truth.to < to);
    const missed = due.filter((truth) => !mine.some((flag) => meets(flag, truth)));
    const wrong = mine.filter((flag) => !own.some((truth) => meets(flag, truth)));
    if (lists) {
      for (const { place, from: at, to: until } of missed.slice(0, 20)) list("missed", check, place, at, until);
      for (const { place, from: at, to: until } of wrong.slice(0, 20)) list("no fault", check, place, at, until);
    }
    const [found, right] = [
      part(due.length - missed.length, due.length),
      part(mine.length - wrong.length, mine.length),
    ];
    const bar = options.faultsPerHour === 0 ? undefined : BARS[check];
    const holds = bar === undefined || ((found ?? 1) >= bar[0] && (right ?? 1) >= bar[1]);
    if (!holds) failed++;
    return [
      ...[check, String(due.length), share(found), String(mine.length), share(right)],
      ...[((100 * mine.length) / days).toFixed(1), bar === undefined ? "" : holds ? "yes" : "NO"],
    ];
  });
  console.log(markdownTable(["check", "faults", "found", "flags", "right", "flags per 100 series-days", "bar"], rows));
  if (options.faultsPerHour === 0) {
    const slow = checkQuietHours(fleet, BEGIN);
    const per100 = 100 * (flags.length / days + slow.flags / slow.days);
    console.log(`without faults, by all checks: ${per100.toFixed(2)} flags in 100 series-days`);
    if (per100 >= 1) failed++;
  }
  console.log("");
  return failed;
}

function follow(fleet: Fleet, device: SimulatedDevice, intervalMs: number, end: number): Followed {
  const flagged = new Map<string, Told>();
  const states = new Map<string, SeriesState>();
  const clock = newDevice();
  const minutes = new Map<string, Map<number, number[]>>();
  const seen = new Set<number>();
  let [readings, spentMs] = [0, 0];
  for (let tick = Math.ceil(BEGIN / intervalMs); tick * intervalMs < end; tick++) {
    const arrived = fleet.dueAt(device, tick);
    for (const text of fleet.messagesAt(device, tick)) {
      const decoded = decodeMessage(Buffer.from(text), BOUNDS);
      if (!decoded.ok) continue;
      const { eventTime: time, shape, values } = decoded.message;
      if (seen.has(time)) continue;
      seen.add(time);
      const began = performance.now();
      const note = (metric: string) => (flag: Flag<AnyCheck>) => {
        const place = `${device.index} ${metric}`;
        const key = `${place} ${flag.check} ${flag.from}`;
        flagged.set(key, { place, since: arrived, ...flagged.get(key), ...flag, until: arrived });
      };
      const goesOn = stepDevice(clock, time, arrived, note("*"));
      for (const [i, metric] of shape.names.entries()) {
        readings++;
        let state = states.get(metric);
        if (!state) states.set(metric, (state = newSeries()));
        if (goesOn) stepSeries(state, 0, time, values[i]!, DEFAULT_LIMITS, note(metric));
      }
      spentMs += performance.now() - began;
      for (const [i, metric] of shape.names.entries()) {
        const own = minutes.get(metric) ?? new Map<number, number[]>();
        minutes.set(metric, own);
        const minute = time - (time % MINUTE);
        own.set(minute, [...(own.get(minute) ?? []), values[i]!]);
      }
    }
  }
  const slow = [...minutes].flatMap(([metric, own]) =>
    slowFlags(own).map((flag) => ({ ...flag, place: `${device.index} ${metric}` })),
  );
  return { flags: [...flagged.values(), ...slow], series: states.size, readings, spentMs };
}

/** What the checks of hours tell of a series, hour by hour as the job does. */
function slowFlags(own: ReadonlyMap<number, readonly number[]>): Omit<Told, "place">[] {
  const steps = [...own]
    .sort(([a], [b]) => a - b)
    .map(([time, values]) => ({ time, value: middleOf(Float64Array.from(values).sort()) }));
  const flags: Omit<Told, "place">[] = [];
  for (let hour = BEGIN; hour <= steps.at(-1)!.time; hour += HOUR) {
    const near = steps.filter(({ time }) => time >= hour - 45 * MINUTE && time < hour + HOUR + 5 * MINUTE);
    for (const { from, to } of slidesOf(near))
      if (to >= hour && to < hour + HOUR)
        flags.push({ check: "drift", level: "suspect", from, to, since: from, until: to });
  }
  return flags;
}

/** By event time, or by arrival: while a clock is off the two differ. */
function meets(flag: Told, truth: Truth): boolean {
  if (flag.place !== truth.place || flag.check !== truth.check) return false;
  return (
    (flag.from <= truth.to && flag.to >= truth.from) || (flag.since <= truth.to + 10_000 && flag.until >= truth.from)
  );
}

function list(what: string, check: string, place: string, from: number, to: number): void {
  console.log(`${what}: ${check} ${place} ${new Date(from).toISOString()} ${(to - from) / 1000} s`);
}

function part(of: number, whole: number): number | null {
  return whole === 0 ? null : of / whole;
}

function share(of: number | null): string {
  return of === null ? "–" : of.toFixed(3);
}
