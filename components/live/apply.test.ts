import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DevicesAnswer, DeviceView } from "@/server/contracts/devices";
import type { FrameData, LiveDevice } from "@/server/contracts/live";
import { applyToDevice, applyToDevices, applyToHealth, applyToPipeline, hasGoodbye } from "./apply";

const at = (ms: number) => new Date(ms).toISOString();

const device = (over: Partial<DeviceView> = {}): DeviceView => ({
  id: "press-07",
  site: "north",
  type: "press",
  state: "stale",
  staleSeconds: 60,
  firstSeen: at(0),
  lastSeen: at(1000),
  lastEventTime: at(900),
  goneAt: null,
  retiredAt: null,
  returnedAt: null,
  messages: 10,
  conflicts: 0,
  units: {},
  labels: {},
  values: { temperature: { value: 20, time: at(900) }, door: { value: false, time: at(900) } },
  ...over,
});

const live = (over: Partial<LiveDevice> = {}): LiveDevice => ({
  id: "press-07",
  lastSeen: 2000,
  messages: 1,
  points: {},
  texts: {},
  more: false,
  ...over,
});

const frame = (...devices: LiveDevice[]): FrameData => ({ kind: "devices", devices });

describe("applyToDevice", () => {
  it("takes newer values, counts messages and wakes the device", () => {
    const next = applyToDevice(device(), frame(live({ points: { temperature: [[1900, 21.5]], door: [[1900, 1]] } })));
    expect(next.values).toEqual({
      temperature: { value: 21.5, time: at(1900) },
      door: { value: true, time: at(1900) },
    });
    expect(next).toMatchObject({ state: "live", messages: 11, lastSeen: at(2000), lastEventTime: at(1900) });
  });

  it("brings a retired device back that sends again, and not by what it sent before", () => {
    const retired = device({ retiredAt: at(1500) });
    expect(applyToDevice(retired, frame(live({ lastSeen: 1400 })))).toMatchObject({
      retiredAt: at(1500),
      returnedAt: null,
    });
    expect(applyToDevice(retired, frame(live()))).toMatchObject({ retiredAt: null, returnedAt: at(2000) });
  });

  it("keeps newer values when older event times come late, and still hears the device", () => {
    const next = applyToDevice(
      device(),
      frame(live({ points: { temperature: [[100, 5]] }, texts: { mode: [800, "auto"] } })),
    );
    expect(next.values["temperature"]).toEqual({ value: 20, time: at(900) });
    expect(next.values["mode"]).toEqual({ value: "auto", time: at(800) });
    expect(next.lastEventTime).toBe(at(900));
    expect(next.messages).toBe(11);
  });

  it("lets a goodbye be told by the server, and ends with what comes after it", () => {
    const before = device({ state: "silent", goneAt: at(1500) });
    const goodbye = frame(live({ lastSeen: 0, messages: 0, gone: true }));
    expect(applyToDevice(before, goodbye)).toBe(before);
    expect([hasGoodbye(goodbye), hasGoodbye(frame(live()))]).toEqual([true, false]);
    expect(applyToDevice(before, frame(live()))).toMatchObject({ state: "live", goneAt: null });
  });

  it("doesn't count again what the snapshot already holds, and changes nothing for another device", () => {
    const before = device();
    expect(applyToDevice(before, frame(live({ lastSeen: 1000, messages: 3 })))).toBe(before);
    expect(applyToDevice(before, frame(live({ id: "other", points: { temperature: [[5000, 1]] } })))).toBe(before);
  });

  it("ends with the newest event time of each metric, whatever the order of frames", () => {
    const points = fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.integer()), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(points, (arrivals) => {
        const end = arrivals.reduce(
          (state, [time, value]) => applyToDevice(state, frame(live({ points: { speed: [[time, value]] } }))),
          device({ values: {} }),
        );
        const newest = Math.max(...arrivals.map(([time]) => time));
        const first = arrivals.find(([time]) => time === newest);
        expect(end.values["speed"]).toEqual({ value: first?.[1], time: at(newest) });
      }),
    );
  });
});

describe("applyToDevices", () => {
  const page: DevicesAnswer = {
    items: [device({ id: "a" }), device({ id: "b" })],
    next: null,
    total: 2,
    sites: ["north"],
  };

  it("changes rows in place and keeps the identity of the others", () => {
    const next = applyToDevices(
      page,
      frame(live({ id: "b", points: { temperature: [[1900, 30]] } }), live({ id: "c" })),
    );
    expect(next.items.map((item) => item.id)).toEqual(["a", "b"]);
    expect(next.items[0]).toBe(page.items[0]);
    expect(next.items[1]?.values["temperature"]?.value).toBe(30);
  });

  it("keeps the page itself when no row of it changed", () => {
    expect(applyToDevices(page, frame(live({ id: "c" })))).toBe(page);
  });
});

describe("pipeline and health", () => {
  const health = {
    status: "pass" as const,
    verdict: "All is well",
    parts: { what: "All", since: null, means: "well" },
    time: at(1000),
    version: "1",
    leftOut: null,
    engines: { eventLog: "", documents: "", database: "" },
    probes: [],
    jobs: [],
  };
  const pipeline = (ms: number, messages: number) => ({
    time: at(ms),
    totals: {
      messages,
      readings: 0,
      duplicates: 0,
      conflicts: 0,
      deadLetters: 0,
      late: 0,
      skipped: 0,
      rejected: 0,
      devices: 0,
    },
    rates: { messagesPerSecond: 0, readingsPerSecond: 0, latencyP50Ms: null, latencyP99Ms: null },
    lag: null,
    lagSeconds: null,
    clearSeconds: null,
    incomingPerSecond: null,
    workers: null,
    partitions: [],
    devices: { live: 0, stale: 0, silent: 0, new: 0 },
    skippedBatches: [],
    history: [],
  });

  it("takes the later of two pipelines", () => {
    const later: FrameData = {
      kind: "overview",
      pipeline: pipeline(2000, 5),
      verdict: { status: "warn", verdict: "Slow", parts: { what: "Slow", since: null, means: "" } },
    };
    expect(applyToPipeline(pipeline(1000, 1), later).totals.messages).toBe(5);
    expect(applyToPipeline(pipeline(3000, 9), later).totals.messages).toBe(9);
    expect(applyToHealth(health, later)).toMatchObject({ status: "warn", verdict: "Slow" });
  });

  it("takes the later health", () => {
    const older: FrameData = { kind: "health", health: { ...health, time: at(10), status: "fail" } };
    expect(applyToHealth(health, older)).toBe(health);
  });
});
