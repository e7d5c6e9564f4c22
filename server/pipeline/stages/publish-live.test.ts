import { expect, test, vi } from "vitest";
import type { LiveRecord } from "@/server/contracts/live";
import { LogUnavailableError, type LogRecord } from "@/server/ports/event-log";
import { until } from "@/server/testing/until";
import type { EnrichedMessage } from "@/server/ports/commit-batch";
import type { Committed } from "../batch";
import { createPublishLive } from "./publish-live";

const T = Date.UTC(2026, 0, 1);
const SHAPE = { names: ["m1"], kinds: ["number"] } as const;
const metricName = (id: number) => `m${id}`;

function committed(device: number, times: readonly number[], texts: EnrichedMessage["texts"] = []): Committed {
  const messages = times.map((time, offset) => ({
    record: { offset, key: null, value: new Uint8Array(), headers: {}, ingestTime: T + offset },
    message: {
      device: `d${device}`,
      eventTime: time,
      shape: SHAPE,
      values: [time - T],
      rounded: [],
      texts: [],
      refused: [],
      refusedLabels: [],
    },
    deviceId: device,
    shape: SHAPE,
    rounded: [],
    metrics: [1],
    values: [time - T],
    texts,
  }));
  const added = times.map((time) => ({ deviceId: device, time, metrics: [1], values: [time - T] }));
  const totals = {
    messages: times.length,
    readings: times.length,
    duplicates: 0,
    conflicts: 0,
    deadLetters: 0,
    late: 0,
    skipped: 0,
  };
  return { messages, added, totals, isWatched: true };
}

function open(append: (records: readonly LogRecord[]) => Promise<void> = async () => {}) {
  const records: LiveRecord[] = [];
  const sizes: number[] = [];
  const eventLog = {
    async append(_topic: string, given: readonly LogRecord[]) {
      await append(given);
      for (const { value } of given) {
        sizes.push(value.byteLength);
        records.push(JSON.parse(Buffer.from(value).toString()) as LiveRecord);
      }
    },
  };
  return { records, sizes, live: createPublishLive({ eventLog, worker: "w", timings: { add() {} } }) };
}

test("batches become one frame, points of a device in event-time order", async () => {
  const { live, records } = open();
  live.add(committed(1, [T + 2, T + 1], [["note", "x"]]), metricName);
  live.add(committed(1, [T + 3]), metricName);
  live.add(committed(2, [T]), metricName);
  await until(() => records.length > 0);
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({
    worker: "w",
    seq: 1,
    devices: [
      {
        id: "d1",
        messages: 3,
        lastSeen: T + 1,
        more: false,
        points: {
          m1: [
            [T + 1, 1],
            [T + 2, 2],
            [T + 3, 3],
          ],
        },
        texts: { note: [T + 2, "x"] },
      },
      { id: "d2", messages: 1, points: { m1: [[T, 0]] } },
    ],
  });
  await live.stop();
});

test("a flood is cut to the newest points and to records of bounded size", async () => {
  const { live, records, sizes } = open();
  const times = Array.from({ length: 60 }, (_, i) => T + i);
  for (let device = 0; device < 2000; device++) live.add(committed(device, times), metricName);
  await until(() => records.length > 1);
  const devices = records.flatMap((record) => record.devices);
  expect(devices).toHaveLength(2000);
  expect(devices.every((device) => device.more)).toBe(true);
  expect(devices[0]!.points.m1!.map(([time]) => time)).toEqual(times.slice(10));
  expect(devices.reduce((sum, device) => sum + (device.points.m1?.length ?? 0), 0)).toBeLessThanOrEqual(10_000);
  expect(Math.max(...sizes)).toBeLessThan(300_000);
  await live.stop();
});

test("a log that is away costs frames, nothing else", async () => {
  let away = true;
  let attempts = 0;
  const { live, records } = open(async () => {
    attempts++;
    if (away) throw new LogUnavailableError("away");
  });
  live.add(committed(1, [T]), metricName);
  await until(() => attempts === 1);
  away = false;
  live.add(committed(2, [T]), metricName);
  await until(() => records.length > 0);
  expect(records[0]!.devices.map((device) => device.id)).toEqual(["d2"]);
  // The number of the lost frame is missing: that is how readers know.
  expect(records[0]!.seq).toBe(2);
  await live.stop();
});

test("a goodbye is told, and is no message by which the device was heard", async () => {
  const { live, records } = open();
  const { messages, ...rest } = committed(1, [T]);
  const goodbye = messages.map((one) => ({
    ...one,
    message: { ...one.message, shape: { names: [], kinds: [] }, values: [], gone: "told" as const },
  }));
  live.add({ ...rest, messages: goodbye, added: [] }, metricName);
  await until(() => records.length === 1);
  expect(records[0]!.devices).toEqual([
    { id: "d1", lastSeen: 0, messages: 0, points: {}, texts: {}, more: false, gone: true },
  ]);
  await live.stop();
});

test("who begins to watch as a batch commits gets it with the next frame; what was left out long ago is in none", async () => {
  const { live, records } = open();
  live.leaveOut([committed(1, [T])]);
  live.leaveOut([committed(2, [T]), committed(3, [T])]);
  live.add(committed(4, [T]), metricName);
  live.add(committed(5, [T]), metricName);
  await until(() => records.length > 0);
  expect(records[0]).toMatchObject({ seq: 1, devices: [{ id: "d2" }, { id: "d3" }, { id: "d4" }, { id: "d5" }] });

  const before = vi.spyOn(performance, "now").mockReturnValue(performance.now() - 2000);
  live.leaveOut([committed(6, [T])]);
  before.mockRestore();
  live.add(committed(7, [T]), metricName);
  await until(() => records.length > 1);
  expect(records[1]).toMatchObject({ seq: 2, devices: [{ id: "d7" }] });
  await live.stop();
});
