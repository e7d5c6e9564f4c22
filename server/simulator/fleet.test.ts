import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMessage } from "@/server/domain/decode-message";
import { isName } from "@/server/domain/terms";
import { DEVICE_TYPES } from "./device-types";
import { createFleet, type FleetOptions, type SimulatedDevice } from "./fleet";
import { FAULTS, type FaultKind, faultsOfSlot, SLOT_MS } from "./faults";
import { createSchedule } from "./schedule";
import { SITES } from "./sites";

const START = Date.UTC(2026, 10, 23, 9);
const DAY = 86_400_000;
const healthy: FleetOptions = { seed: 1, devices: 16, intervalMs: 60_000, faultsPerHour: 0 };

type Message = {
  device: string;
  time: string;
  site: string;
  type: string;
  readings: Record<string, number | boolean | string>;
};

function series(options: FleetOptions, index: number, from: number, to: number): Message[] {
  const fleet = createFleet(options);
  const device = fleet.devices[index] as SimulatedDevice;
  const messages: Message[] = [];
  for (let tick = Math.ceil(from / options.intervalMs); tick * options.intervalMs < to; tick++) {
    for (const text of fleet.messagesAt(device, tick)) messages.push(JSON.parse(text) as Message);
  }
  return messages;
}

const indexOf = (type: string) => createFleet(healthy).devices.findIndex((device) => device.type === type);
const values = (messages: Message[], metric: string) => messages.map((message) => message.readings[metric] as number);

function correlation(a: number[], b: number[]): number {
  const mean = (numbers: number[]) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const [ma, mb] = [mean(a), mean(b)];
  const spread = (numbers: number[], m: number) => Math.sqrt(numbers.reduce((sum, value) => sum + (value - m) ** 2, 0));
  return a.reduce((sum, value, n) => sum + (value - ma) * ((b[n] as number) - mb), 0) / (spread(a, ma) * spread(b, mb));
}

describe("a fleet", () => {
  it("is a pure function of seed, device and tick, in any order and for any fleet size", () => {
    const small = {
      seed: fc.nat(),
      index: fc.nat(30),
      tick: fc.integer({ min: 8e8, max: 9e8 }),
      faults: fc.constantFrom(0, 2, 60, 3600),
    };
    fc.assert(
      fc.property(fc.record(small), ({ seed, index, tick, faults }) => {
        const options = { seed, devices: 31, intervalMs: 2000, faultsPerHour: faults };
        const [one, other] = [createFleet(options), createFleet({ ...options, devices: 57 })];
        other.messagesAt(other.devices[3] as SimulatedDevice, tick + 5);
        const expected = one.messagesAt(one.devices[index] as SimulatedDevice, tick);
        expect(other.messagesAt(other.devices[index] as SimulatedDevice, tick)).toEqual(expected);
        for (const message of expected) expect(message).toMatch(/^\S[^\n\r]*$/);
      }),
      { numRuns: 60 },
    );
  });

  it("sends messages that are wholly good when there are no faults", () => {
    const fleet = createFleet({ ...healthy, devices: 200 });
    const names = new Set<string>();
    for (const device of fleet.devices) {
      const texts = fleet.messagesAt(device, Math.floor(START / healthy.intervalMs));
      expect(texts).toHaveLength(1);
      const outcome = decodeMessage(Buffer.from(texts[0] as string), {
        now: START + DAY,
        futureToleranceMs: 0,
        retentionMs: null,
      });
      if (!outcome.ok) throw new Error(outcome.detail);
      expect(outcome.message).toMatchObject({
        device: device.name,
        site: device.site.name,
        type: device.type,
        refused: [],
      });
      expect(isName(device.name)).toBe(true);
      const numbers = outcome.message.shape.names.filter((_, i) => outcome.message.shape.kinds[i] === "number");
      expect(Object.keys(DEVICE_TYPES[device.type].units).sort()).toEqual(numbers.sort());
      names.add(device.name);
    }
    expect(names.size).toBe(200);
    expect(new Set(fleet.devices.map((device) => device.site.name)).size).toBe(SITES.length);
    expect(new Set(fleet.devices.map((device) => device.type)).size).toBe(5);
  });

  it("differs by seed", () => {
    expect(series(healthy, 0, START, START + 60_000)).not.toEqual(
      series({ ...healthy, seed: 2 }, 0, START, START + 60_000),
    );
  });

  it("has believable curves", () => {
    const climate = series(healthy, indexOf("climate"), START, START + 3 * DAY);
    expect(correlation(values(climate, "temperature"), values(climate, "humidity"))).toBeLessThan(-0.5);
    const temperatures = values(climate, "temperature");
    const steps = temperatures.slice(1).map((value, n) => Math.abs(value - (temperatures[n] as number)));
    expect(Math.max(...steps)).toBeLessThan(0.6);
    expect(Math.max(...temperatures) - Math.min(...temperatures)).toBeGreaterThan(2);

    const press = series(healthy, indexOf("press"), START, START + 3 * DAY);
    expect(correlation(values(press, "load"), values(press, "vibration"))).toBeGreaterThan(0.8);
    expect(correlation(values(press, "load"), values(press, "temperature"))).toBeGreaterThan(0.6);
    const modes = press.map(({ readings }) => readings.mode);
    const changes = modes.filter((mode, n) => n > 0 && mode !== modes[n - 1]).length;
    expect([changes > 4, changes < 40]).toEqual([true, true]);
    expect(modes.filter((mode) => mode === "auto").length / modes.length).toBeGreaterThan(0.7);
    const standing = press.filter(({ readings }) => readings.mode === "maintenance");
    expect(standing.length).toBeGreaterThan(0);
    expect(standing.every(({ readings }) => readings.running === false)).toBe(true);

    const meter = series(healthy, indexOf("meter"), START, START + 3 * DAY);
    const energy = values(meter, "energy");
    expect(energy.slice(1).every((value, n) => value >= (energy[n] as number))).toBe(true);
    const used = (energy.at(-1) as number) - (energy[0] as number);
    const power = values(meter, "power");
    const meanPower = power.reduce((sum, value) => sum + value, 0) / power.length;
    // kWh against W.
    expect(used / ((meanPower / 1000) * 72)).toBeCloseTo(1, 1);

    const battery = values(climate, "battery");
    expect(battery.every((value) => value >= 10 && value <= 100)).toBe(true);
    expect(battery.at(-1)).toBeLessThan(battery[0] as number);

    const air = values(series(healthy, indexOf("air"), START, START + DAY), "co2");
    expect(Math.min(...air)).toBeGreaterThan(380);
    expect(Math.max(...air)).toBeGreaterThan(600);
  });
});

describe("faults", () => {
  it("come at the configured rate over the fleet, of every kind", () => {
    const kinds: Partial<Record<FaultKind, number>> = {};
    let total = 0;
    for (let device = 0; device < 200; device++) {
      for (let slot = 0; slot < 60; slot++) {
        for (const fault of faultsOfSlot(7, device, slot, 2)) {
          total += 1;
          kinds[fault.kind] = (kinds[fault.kind] ?? 0) + 1;
          expect(fault.end - fault.start).toBeLessThanOrEqual(SLOT_MS);
        }
      }
    }
    expect(Object.keys(kinds).sort()).toEqual(Object.keys(FAULTS).sort());
    // 200 devices for ten hours.
    expect(total / 2000).toBeGreaterThan(1.8);
    expect(total / 2000).toBeLessThan(2.2);
  });

  it("lose no tick: what a dropout or an overtaking holds back goes out later, once unless repeated", () => {
    const options = { seed: 11, devices: 24, intervalMs: 5000, faultsPerHour: 12 };
    const fleet = createFleet(options);
    let late = 0;
    let repeated = 0;
    let unreadable = 0;
    for (const device of fleet.devices) {
      const first = Math.floor(START / options.intervalMs);
      const out: string[] = [];
      let silent = 0;
      for (let tick = first; tick < first + 2000; tick++) {
        const sent = fleet.messagesAt(device, tick);
        if (sent.length === 0) silent += 1;
        if (sent.length > 2) late += sent.length - 1;
        out.push(...sent);
      }
      const distinct = new Set(out);
      repeated += out.length - distinct.size;
      unreadable += [...distinct].filter(
        (text) => !decodeMessage(Buffer.from(text), { now: Infinity, futureToleranceMs: 0, retentionMs: null }).ok,
      ).length;
      // Only the edges of the window are open: a dropout over its end, or one that began before it.
      expect(Math.abs(distinct.size - 2000)).toBeLessThanOrEqual(60);
      expect(silent).toBeLessThan(1000);
    }
    expect(late).toBeGreaterThan(0);
    expect(repeated).toBeGreaterThan(0);
    expect(unreadable).toBeGreaterThan(0);
  });
});

describe("a schedule", () => {
  it("reports every tick once, in order of time, however it is asked", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 5000 }),
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 12 }),
        (intervalMs, devices, steps) => {
          const fleet = createFleet({ ...healthy, devices, intervalMs });
          const schedule = createSchedule(fleet, intervalMs, START);
          const seen: number[] = [];
          const ticks = new Set<string>();
          let now = START;
          for (const step of steps) {
            now += step;
            schedule.runUntil(now, (device, tick) => {
              seen.push(fleet.dueAt(device, tick));
              ticks.add(`${device.name}/${tick}`);
            });
          }
          const expected = fleet.devices.reduce(
            (sum, { phaseMs }) =>
              sum + Math.floor((now - phaseMs) / intervalMs) - Math.floor((START - phaseMs) / intervalMs),
            0,
          );
          expect(seen).toHaveLength(expected);
          expect(ticks.size).toBe(expected);
          expect(seen).toEqual([...seen].sort((a, b) => a - b));
        },
      ),
      { numRuns: 80 },
    );
  });

  it("goes on from now after the computer slept or its clock was set back", () => {
    const fleet = createFleet({ ...healthy, intervalMs: 1000 });
    const schedule = createSchedule(fleet, 1000, START);
    let count = 0;
    schedule.runUntil(START + 8 * 3_600_000, () => count++);
    expect(count).toBeLessThanOrEqual(16);
    schedule.runUntil(START, () => count++);
    expect(schedule.nextAt()).toBeLessThanOrEqual(START + 1000);
  });
});
