import { expect, test, vi } from "vitest";
import type { DeviceView } from "@/server/contracts/devices";
import type { FrameData } from "@/server/contracts/live";
import { snapshotDevices } from "../live/snapshot-devices";
import { createKeyedStore } from "./keyed-store";
import { putDevice } from "./visible-rows";

const at = (ms: number) => new Date(ms).toISOString();
const device = (over: Partial<DeviceView> = {}): DeviceView => ({
  ...{
    id: "a",
    site: "north",
    type: "press",
    state: "live",
    staleSeconds: 60,
    firstSeen: at(0),
    lastEventTime: at(1000),
  },
  ...{
    lastSeen: at(1000),
    goneAt: null,
    retiredAt: null,
    returnedAt: null,
    messages: 10,
    conflicts: 0,
    units: {},
    labels: {},
    values: { t: { value: 20, time: at(1000) } },
  },
  ...over,
});

test("a store tells only those who look at the key, and only of changes", () => {
  const store = createKeyedStore<number>(10);
  const [a, b] = [vi.fn(), vi.fn()];
  const leave = store.subscribe("a", a);
  store.subscribe("b", b);
  store.set("a", 1);
  store.set("a", 1);
  expect([a.mock.calls.length, b.mock.calls.length]).toEqual([1, 0]);
  leave();
  store.set("a", 2);
  expect(a).toHaveBeenCalledTimes(1);
});

test("a store drops what was set longest ago, but nothing that is looked at", () => {
  const store = createKeyedStore<number>(2);
  store.subscribe("a", () => {});
  for (const key of ["a", "b", "c", "d"]) store.set(key, 1);
  expect(["a", "b", "c", "d"].map((key) => store.get(key))).toEqual([1, undefined, undefined, 1]);
});

test("a loaded device never takes back what its room told, and one without news stays the same", () => {
  const store = createKeyedStore<DeviceView>(10);
  const live = device({ lastSeen: at(2000), messages: 11 });
  store.set("a", live);
  putDevice(store, device());
  expect(store.get("a")).toBe(live);
  putDevice(store, device({ site: "south" }));
  expect(store.get("a")).toEqual({ ...live, site: "south" });
  const newest = device({ lastSeen: at(3000), messages: 12 });
  putDevice(store, newest);
  expect(store.get("a")).toBe(newest);
  putDevice(store, { ...newest, values: { ...newest.values } });
  expect(store.get("a")).toBe(newest);
  putDevice(store, { ...newest, messages: 9 });
  expect(store.get("a")?.messages).toBe(9);
});

test("one load for several devices, each with the frames of its own room, begun when all rooms are joined", async () => {
  const frame = (id: string, value: number): FrameData => ({
    kind: "devices",
    devices: [{ id, lastSeen: 2000, messages: 1, points: { t: [[1500, value]] }, texts: {}, more: false }],
  });
  const joined = new Map<string, () => void>();
  const live = {
    async snapshot<T>(room: string, load: () => Promise<T>, apply: (state: T, data: FrameData) => T): Promise<T> {
      await new Promise<void>((resolve) => joined.set(room, resolve));
      const id = room.replace("device:", "");
      return [frame(id, id === "a" ? 1 : 2)].reduce(apply, await load());
    },
  };
  const load = vi.fn(async () => [device(), device({ id: "b" })]);
  const result = snapshotDevices(live, ["a", "b", "gone"], load);
  joined.get("device:a")!();
  joined.get("device:b")!();
  await Promise.resolve();
  expect(load).not.toHaveBeenCalled();
  joined.get("device:gone")!();
  expect((await result).map(({ id, values }) => [id, values["t"]?.value])).toEqual([
    ["a", 1],
    ["b", 2],
  ]);
  expect(load).toHaveBeenCalledTimes(1);

  const failing = snapshotDevices(live, ["a"], () => Promise.reject(new Error("away")));
  joined.get("device:a")!();
  await expect(failing).rejects.toThrow("away");
});
