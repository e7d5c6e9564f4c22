import { expect, test } from "vitest";
import type { LiveDevice } from "@/server/contracts/live";
import { createPending } from "./conflation";
import { readLiveHead, readLiveRecord } from "./live-records";
import { toRoom } from "./rooms";

const device = (id: string, points: LiveDevice["points"], more: Partial<LiveDevice> = {}): LiveDevice => ({
  ...{ id, lastSeen: 1, messages: 1, texts: {}, more: false, points },
  ...more,
});

test("what comes between two frames becomes one entry a device, in event-time order", () => {
  const pending = createPending(10);
  pending.add(device("a", { t: [[2, 20]] }, { lastSeen: 5, texts: { mode: [2, "new"] } }));
  pending.add(device("b", {}));
  pending.add(device("a", { t: [[1, 10]], u: [[3, 1]] }, { texts: { mode: [1, "old"] } }));
  expect(pending.take(10)).toEqual([
    {
      ...{ id: "a", lastSeen: 5, messages: 2, more: false, texts: { mode: [2, "new"] } },
      points: { t: [[1, 10], [2, 20]], u: [[3, 1]] }, // prettier-ignore
    },
    device("b", {}),
  ]);
  expect(pending.take(10)).toEqual([]);
});

test("a goodbye among what comes stays in the entry", () => {
  const pending = createPending(10);
  pending.add(device("a", {}, { lastSeen: 0, messages: 0, gone: true }));
  pending.add(device("a", { t: [[1, 10]] }));
  expect(pending.take(10)).toEqual([device("a", { t: [[1, 10]] }, { gone: true })]);
});

test("it is bounded: the latest points stay, and the frame says that there were more", () => {
  const pending = createPending(2);
  for (let i = 0; i < 5; i++) pending.add(device("a", { t: [[i, i]] }));
  for (let i = 0; i < 3; i++) pending.add(device(`b${i}`, {}));
  const [first] = pending.take(1);
  expect(first).toMatchObject({ messages: 5, more: true, points: { t: [[3, 3], [4, 4]] } }); // prettier-ignore
  expect(pending.take(2).map(({ id }) => id)).toEqual(["b0", "b1"]);
  expect(pending.take(2).map(({ id }) => id)).toEqual(["b2"]);
});

test("live records: what can't be read holds nothing", () => {
  const record = (value: unknown) => readLiveRecord(Buffer.from(JSON.stringify(value)));
  expect(record({ worker: "w", at: 1, devices: [device("a", {}), { id: 5 }, null] })).toEqual([device("a", {})]);
  expect(readLiveHead(Buffer.from(JSON.stringify({ worker: "w:1", seq: 7, at: 1, devices: [] })))).toEqual({
    worker: "w:1",
    seq: 7,
  });
  expect(readLiveHead(Buffer.from("{}"))).toBeNull();
  expect(record({})).toEqual([]);
  expect(record(null)).toEqual([]);
  expect(readLiveRecord(Buffer.from("{"))).toEqual([]);
});

test("rooms", () => {
  expect(["overview", "alerts", "device:press-07", "device:", "device:a b", "other", 5].map(toRoom)).toEqual([
    "overview",
    "alerts",
    "device:press-07",
    null,
    null,
    null,
    null,
  ]);
});
