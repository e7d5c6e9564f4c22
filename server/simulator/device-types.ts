import type { EpochMs } from "@/server/domain/terms";
import { chance, noise, wander } from "./randomness";
import type { Site } from "./sites";

/** The inputs of one device's curves. */
export interface DeviceTraits {
  readonly seed: number;
  readonly index: number;
  readonly site: Site;
}

export type Readings = Record<string, number | boolean | string>;

export interface DeviceType {
  /** Devices of this type among eight. */
  readonly share: number;
  /** Metrics that a faulty sensor can distort; counters and batteries are not among them. */
  readonly sensed: readonly string[];
  /** Units of its metrics; booleans and words have none. */
  readonly units: Readonly<Record<string, string>>;
  /** The readings at a moment: pure, so that asking twice gives the same. */
  readings(device: DeviceTraits, at: EpochMs): Readings;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Counters start here, so that they are in the thousands rather than the billions. */
const COMMISSIONED = Date.UTC(2025, 0, 1);

/** The kinds of devices in the fleet. Order matters: it decides which index is of which type. */
export const DEVICE_TYPES = {
  climate: {
    share: 2,
    sensed: ["temperature", "humidity"],
    units: { temperature: "°C", humidity: "%", battery: "%" },
    readings(device, at) {
      const temperature = indoorTemperature(device, at);
      // Warmer air holds more water, so the same air reads drier: the two move against each other.
      const humidity =
        48 - 2.2 * (temperature - device.site.meanIndoor) + 4 * wander(at / (3 * HOUR), ...key(device, 2));
      return {
        temperature: round(temperature + 0.06 * noise(...key(device, 3), at), 2),
        humidity: round(within(humidity + 0.2 * noise(...key(device, 4), at), 15, 95), 1),
        battery: battery(device, at),
      };
    },
  },
  press: {
    share: 2,
    sensed: ["temperature", "vibration", "load", "oilPressure"],
    units: { load: "%", temperature: "°C", vibration: "mm/s", oilPressure: "bar" },
    readings(device, at) {
      const load = pressLoad(device, at);
      // Metal warms and cools slowly: its heat is the load of the last three quarters of an hour.
      const heat = [0, 5, 10, 20, 30, 45].reduce((sum, ago) => sum + pressLoad(device, at - ago * 60_000), 0) / 6;
      const wear = 0.4 + 0.6 * chance(...key(device, 5));
      return {
        load: round(100 * load, 1),
        temperature: round(indoorTemperature(device, at) + 38 * heat + 0.15 * noise(...key(device, 6), at), 2),
        vibration: round(
          Math.max(0, 0.3 + (3 + 3 * wear) * load ** 1.5 + (0.05 + 0.2 * load) * noise(...key(device, 7), at)),
          3,
        ),
        oilPressure: round(4 + 176 * load + 1.2 * noise(...key(device, 8), at), 1),
        running: load > 0.02,
        mode: pressMode(device, at),
      };
    },
  },
  meter: {
    share: 2,
    sensed: ["power", "voltage"],
    units: { power: "W", energy: "kWh", voltage: "V" },
    readings(device, at) {
      const mean = 2 + 12 * chance(...key(device, 9));
      const day = 0.3 + 0.25 * chance(...key(device, 10));
      const [slow, fast] = [
        turn(at, DAY, 14 * HOUR - device.site.utcOffsetMs),
        turn(at, 2 * HOUR, chance(...key(device, 11)) * DAY),
      ];
      const kilowatts = mean * (1 + day * Math.cos(slow) + 0.12 * Math.cos(fast));
      // The integral of that curve, so that the counter only ever grows, and by just what the power says.
      const energy =
        (mean / HOUR) *
        (at - COMMISSIONED + ((day * DAY) / TURN) * Math.sin(slow) + ((0.12 * 2 * HOUR) / TURN) * Math.sin(fast));
      return {
        power: round(1000 * kilowatts * (1 + 0.01 * noise(...key(device, 12), at)), 0),
        energy: round(energy, 3),
        voltage: round(
          231 -
            0.03 * kilowatts +
            1.5 * wander(at / (HOUR / 4), ...key(device, 13)) +
            0.2 * noise(...key(device, 14), at),
          1,
        ),
      };
    },
  },
  coldstore: {
    share: 1,
    sensed: ["temperature"],
    units: { temperature: "°C", power: "W" },
    readings(device, at) {
      const setPoint = chance(...key(device, 15)) < 0.5 ? -18 : 4;
      const cycle = (at / (18 * 60_000) + chance(...key(device, 16))) % 1;
      const cooling = cycle < 0.45;
      const swing = cooling ? 1 - cycle / 0.45 : (cycle - 0.45) / 0.55;
      const door = doorOpenFor(device, at);
      return {
        temperature: round(setPoint - 0.8 + 1.6 * swing + 3 * door.warmth + 0.04 * noise(...key(device, 17), at), 2),
        compressor: cooling,
        door: door.open,
        power: round(cooling ? 3200 + 100 * noise(...key(device, 18), at) : 150, 0),
      };
    },
  },
  air: {
    share: 1,
    sensed: ["co2", "pm25", "temperature"],
    units: { co2: "ppm", pm25: "µg/m³", temperature: "°C", battery: "%" },
    readings(device, at) {
      // People breathe into the room for a while before it shows, and it airs out slowly after they leave.
      const people = [0, 10, 20, 40, 60].reduce((sum, ago) => sum + presence(device, at - ago * 60_000), 0) / 5;
      return {
        co2: round(
          420 + 780 * people + 12 * wander(at / (HOUR / 6), ...key(device, 19)) + 4 * noise(...key(device, 20), at),
          0,
        ),
        pm25: round(
          Math.max(
            0.5,
            6 + 5 * wander(at / (4 * HOUR), ...key(device, 21)) + 6 * people + 0.4 * noise(...key(device, 22), at),
          ),
          1,
        ),
        temperature: round(indoorTemperature(device, at) + 1.2 * people + 0.05 * noise(...key(device, 23), at), 2),
        occupied: presence(device, at) > 0.1,
        battery: battery(device, at),
      };
    },
  },
} as const satisfies Record<string, DeviceType>;

export type DeviceTypeName = keyof typeof DEVICE_TYPES;

const TURN = 2 * Math.PI;

function key(device: DeviceTraits, what: number): [number, number, number] {
  return [device.seed, device.index, what];
}

/** The angle of a cycle of `period` that peaks at `peak`. */
function turn(at: EpochMs, period: number, peak: number): number {
  return (TURN * (at - peak)) / period;
}

function indoorTemperature(device: DeviceTraits, at: EpochMs): number {
  const { site } = device;
  const year = site.yearlySwing * Math.cos(turn(at, 365.25 * DAY, 200 * DAY));
  const day = site.dailySwing * Math.cos(turn(at, DAY, 15.5 * HOUR - site.utcOffsetMs));
  const spot = 1.5 * (chance(...key(device, 24)) - 0.5);
  return site.meanIndoor + year + day + spot + 0.8 * wander(at / (2 * HOUR), ...key(device, 25));
}

/** Local time of day in hours, and whether it is a weekday. */
function local(device: DeviceTraits, at: EpochMs): { hour: number; weekday: boolean } {
  const local = at + device.site.utcOffsetMs;
  const day = Math.floor(local / DAY);
  return { hour: (local - day * DAY) / HOUR, weekday: (((day + 3) % 7) + 7) % 7 < 5 };
}

/** Rises from 0 to 1 over half an hour at `start`, and falls again at `end`, in local hours. */
function shift(hour: number, start: number, end: number): number {
  return within(Math.min((hour - start) / 0.5, (end - hour) / 0.5), 0, 1);
}

/** Automatic most of the time; in some spans of two hours somebody takes over for a while or, at night, looks after it. */
function pressMode(device: DeviceTraits, at: EpochMs): "auto" | "manual" | "maintenance" {
  const slot = Math.floor(at / (2 * HOUR));
  const drawn = (what: number) => chance(...key(device, what), slot);
  const minute = (at - slot * 2 * HOUR) / 60_000 - 40 * drawn(34);
  if (drawn(33) > 0.3 || minute < 0 || minute > 8 + 60 * drawn(35)) return "auto";
  return pressShift(local(device, at).hour) > 0 ? "manual" : "maintenance";
}

/** How much of a press' shift is on, from 0 to 1. */
function pressShift(hour: number): number {
  return shift(hour, 5.5, 22.5);
}

function pressLoad(device: DeviceTraits, at: EpochMs): number {
  const { hour, weekday } = local(device, at);
  const worked = pressShift(hour) * (weekday ? 1 : 0.35);
  // Now and then a press waits for material or a new tool.
  const waiting = within(4 * (0.62 + wander(at / (40 * 60_000), ...key(device, 26))), 0, 1);
  return within(worked * waiting * (0.68 + 0.22 * wander(at / (12 * 60_000), ...key(device, 27))), 0, 1);
}

function presence(device: DeviceTraits, at: EpochMs): number {
  const { hour, weekday } = local(device, at);
  const lunch = 1 - 0.7 * shift(hour, 11.8, 13.2);
  return (
    shift(hour, 7.5, 18) *
    lunch *
    (weekday ? 1 : 0.05) *
    within(0.7 + 0.4 * wander(at / (HOUR / 2), ...key(device, 28)), 0, 1)
  );
}

/** A cold store's door: opened at some of the quarter hours of the working day, for one to four minutes. */
function doorOpenFor(device: DeviceTraits, at: EpochMs): { open: boolean; warmth: number } {
  const quarter = Math.floor(at / (15 * 60_000));
  const { hour } = local(device, at);
  if (hour < 5 || hour > 21 || chance(...key(device, 29), quarter) > 0.4) return { open: false, warmth: 0 };
  const minute = (at - quarter * 15 * 60_000) / 60_000;
  const openFor = 1 + 3 * chance(...key(device, 30), quarter);
  const warmth = minute < openFor ? minute / 4 : (openFor / 4) * Math.max(0, 1 - (minute - openFor) / 9);
  return { open: minute < openFor, warmth };
}

/** Percent: falls over 60 to 180 days to 12, then the battery is changed. */
function battery(device: DeviceTraits, at: EpochMs): number {
  const life = (60 + 120 * chance(...key(device, 31))) * DAY;
  const used = (at / life + chance(...key(device, 32))) % 1;
  return round(100 - 88 * used, 2);
}

function within(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

function round(value: number, digits: number): number {
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale;
}
