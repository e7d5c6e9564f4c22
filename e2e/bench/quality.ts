import { parseArgs } from "node:util";
import {
  DEVICE_CHECKS,
  type DeviceCheck,
  SERIES_CHECKS,
  type Flag,
  type SeriesCheck,
} from "@/server/domain/quality/checks";
import { newDevice, stepDevice } from "@/server/domain/quality/device-checks";
import { DEFAULT_LIMITS, newSeries, type SeriesState, stepSeries } from "@/server/domain/quality/series-checks";
import { chance } from "@/server/simulator/randomness";
import { DEVICE_TYPES } from "@/server/simulator/device-types";
import { type Fault, faultsOfSlot, SLOT_MS } from "@/server/simulator/faults";
import { createFleet, type SimulatedDevice } from "@/server/simulator/fleet";
import { machine, markdownTable } from "./report";

const HOUR = 3_600_000;
/** Any day: the fleet is a function of time. */
const BEGIN = Date.UTC(2026, 10, 23);
/** Series know too little before; faults in it aren't counted. */
const WARM_UP = HOUR;

/**
 * Holds the checks of series against the simulator's own faults, or against a fleet without any:
 * `npm run bench -- quality --hours 24 --faults 6`.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      ...{ seed: { type: "string", default: "1" }, devices: { type: "string", default: "50" } },
      ...{ hours: { type: "string", default: "24" }, interval: { type: "string", default: "2000" } },
      ...{ faults: { type: "string", default: "6" }, list: { type: "boolean", default: false } },
    },
  });
  const [seed, devices, hours, intervalMs, faultsPerHour] = [
    values.seed,
    values.devices,
    values.hours,
    values.interval,
    values.faults,
  ].map(Number) as [number, number, number, number, number];
  const fleet = createFleet({ seed, devices, intervalMs, faultsPerHour });
  const end = BEGIN + hours * HOUR;
  const flagged = new Map<string, Told>();
  let readings = 0;
  let spent = 0;
  let series = 0;
  for (const device of fleet.devices) {
    const states = new Map<string, SeriesState>();
    const clock = newDevice();
    for (let tick = Math.ceil(BEGIN / intervalMs); tick * intervalMs < end; tick++) {
      for (const text of fleet.messagesAt(device, tick)) {
        const message = parsed(text);
        if (message === null) continue;
        const time = Date.parse(message.time);
        const began = performance.now();
        const arrived = fleet.dueAt(device, tick);
        const note = (metric: string) => (flag: Flag<AnyCheck>) => {
          const key = `${device.index} ${metric} ${flag.check} ${flag.from}`;
          flagged.set(key, { since: arrived, ...flagged.get(key), ...flag, until: arrived });
        };
        const goesOn = stepDevice(clock, time, arrived, note("*"));
        if (!goesOn) continue;
        for (const [metric, value] of Object.entries(message.readings)) {
          if (typeof value !== "number") continue;
          let state = states.get(metric);
          if (!state) states.set(metric, (state = newSeries()));
          readings++;
          stepSeries(state, time, value, DEFAULT_LIMITS, note(metric));
        }
        spent += performance.now() - began;
      }
    }
    series += states.size;
  }
  const flags = [...flagged].map(([key, flag]) => ({ place: key.split(" ", 2).join(" "), ...flag }));
  const days = (series * hours) / 24;
  console.log(
    `${machine()}\nseed ${seed}, ${devices} devices, ${hours} h, a message in ${intervalMs / 1000} s, ${faultsPerHour} faults an hour`,
  );
  console.log(`${readings} readings of ${series} series, ${((spent * 1e6) / readings).toFixed(0)} ns each\n`);
  const truths = fleet.devices.flatMap((device) => truthOf(device, { seed, faultsPerHour, end }));
  const rows = ([...Object.keys(SERIES_CHECKS), ...Object.keys(DEVICE_CHECKS)] as AnyCheck[]).map((check) => {
    const mine = flags.filter(
      (flag) => flag.check === check && flag.since >= BEGIN + WARM_UP && flag.until < end - 2 * SLOT_MS,
    );
    const true_ = truths.filter((truth) => truth.check === check);
    const found = true_.filter((truth) => mine.some((flag) => meets(flag, truth)));
    const right = mine.filter((flag) => truths.some((truth) => meets(flag, truth)));
    if (values.list)
      for (const flag of mine.filter((one) => !right.includes(one)).slice(0, 20))
        console.log("no fault:", check, flag.place, new Date(flag.from).toISOString(), (flag.to - flag.from) / 1000);
    return [
      check,
      String(true_.length),
      share(found.length, true_.length),
      String(mine.length),
      share(right.length, mine.length),
      ((100 * mine.length) / days).toFixed(1),
    ];
  });
  console.log(markdownTable(["check", "faults", "found", "flags", "right", "flags per 100 series-days"], rows));
  return 0;
}

type AnyCheck = SeriesCheck | DeviceCheck;

/** A flag, and when it was told first and last. */
interface Told extends Flag<AnyCheck> {
  readonly since: number;
  readonly until: number;
}

interface Truth {
  readonly place: string;
  readonly check: AnyCheck;
  readonly from: number;
  readonly to: number;
}

/** The faults of one device that a check of series can see. */
function truthOf(
  device: SimulatedDevice,
  { seed, faultsPerHour, end }: { readonly seed: number; readonly faultsPerHour: number; readonly end: number },
): Truth[] {
  const faults: Fault[] = [];
  for (let slot = Math.floor((BEGIN + WARM_UP) / SLOT_MS); slot * SLOT_MS < end - 2 * SLOT_MS; slot++)
    faults.push(...faultsOfSlot(seed, device.index, slot, faultsPerHour));
  return faults.flatMap((fault): Truth[] => {
    const { sensed } = DEVICE_TYPES[device.type];
    const metric = sensed[Math.floor(chance(seed, device.index, fault.start) * sensed.length)];
    const place = `${device.index} ${metric}`;
    if (fault.kind === "spike")
      return [{ place, check: "spike" as const, from: fault.start, to: fault.start + 10_000 }];
    if (fault.kind === "clockSkew") {
      const off = Math.round((fault.draw * 45 - 30) * 60_000);
      if (Math.abs(off) < 12_000) return [];
      return [{ place: `${device.index} *`, check: "clock" as const, from: fault.start, to: fault.end }];
    }
    if (fault.kind === "stuck" && fault.end - fault.start >= 130_000)
      return [{ place, check: "stuck" as const, from: fault.start, to: fault.end }];
    return [];
  });
}

/** By event time, or by arrival: while a clock is off the two differ. */
function meets(flag: Told & { readonly place: string }, truth: Truth): boolean {
  if (flag.place !== truth.place || flag.check !== truth.check) return false;
  return (
    (flag.from <= truth.to && flag.to >= truth.from) || (flag.since <= truth.to + 10_000 && flag.until >= truth.from)
  );
}

function share(part: number, whole: number): string {
  return whole === 0 ? "–" : `${part} (${(part / whole).toFixed(2)})`;
}

function parsed(text: string): { time: string; readings: Record<string, unknown> } | null {
  try {
    const message = JSON.parse(text) as { time?: unknown; readings?: Record<string, unknown> };
    return typeof message.time === "string" && !Number.isNaN(Date.parse(message.time)) && message.readings
      ? (message as never)
      : null;
  } catch {
    return null;
  }
}
