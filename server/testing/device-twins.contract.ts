import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TWIN_LIMITS } from "@/server/domain/terms";
import type { DeviceTwins, TwinUpdate, TwinValue } from "@/server/ports/device-twins";
import type { DocumentStoreFixture } from "./message-archive.contract";

let serial = 0;

/** Defines the tests that every store of device twins passes. */
export function deviceTwinsContract(name: string, createFixture: () => Promise<DocumentStoreFixture<DeviceTwins>>) {
  describe(`device twins: ${name}`, () => {
    let fixture: DocumentStoreFixture<DeviceTwins>;
    let twins: DeviceTwins;
    beforeAll(async () => {
      fixture = await createFixture();
      twins = fixture.store;
    });
    afterAll(() => fixture.close());

    async function twinOf(device: string) {
      return (await twins.get([device])).get(device);
    }

    it("knows only what it was told", async () => {
      const device = newDevice();
      await twins.merge([]);
      await twins.merge([{ device, values: new Map() }]);
      expect((await twins.get([device])).size).toBe(0);
      expect((await twins.get([])).size).toBe(0);
    });

    it("keeps numbers, booleans and strings with their event times", async () => {
      const [device, other] = [newDevice(), newDevice()];
      const values = valuesOf({
        temperature: [21.25, 1000],
        tiny: [5e-324, 1001],
        huge: [-1.7976931348623157e308, 1002],
        minusZero: [-0, 1003],
        motion: [false, 2000],
        mode: ["eco", 1500],
      });
      await twins.merge([
        { device: other, values: valuesOf({ a: [1, 5] }) },
        { device, values },
      ]);
      const found = await twins.get([device, "unknown", other]);
      expect(found.size).toBe(2);
      expect(found.get(device)).toEqual({ device, eventTime: 2000, values });
      expect(found.get(other)).toEqual({ device: other, eventTime: 5, values: valuesOf({ a: [1, 5] }) });
    });

    it("keeps values of unknown age only where nothing of a known time is", async () => {
      const device = newDevice();
      const state = (value: string, eventTime: number): TwinValue => ({ value, eventTime, isState: true });
      const merge = (values: Record<string, TwinValue>) =>
        twins.merge([{ device, values: new Map(Object.entries(values)) }]);
      await merge({ mode: state("eco", 9000), fan: state("low", 9000) });
      expect(await twinOf(device)).toEqual({
        ...{ device, eventTime: 0 },
        values: new Map([
          ["mode", state("eco", 9000)],
          ["fan", state("low", 9000)],
        ]),
      });
      await merge({ mode: state("old", 8000), fan: state("high", 9500) });
      await merge({ mode: { value: "auto", eventTime: 1000 } });
      await merge({ mode: state("again", 9999) });
      await merge({ mode: state("again", 9999), fan: state("older", 9400) });
      const values = new Map<string, TwinValue>([
        ["mode", { value: "auto", eventTime: 1000 }],
        ["fan", state("high", 9500)],
      ]);
      expect(await twinOf(device)).toEqual({ device, eventTime: 1000, values });
    });

    it("forgets a field, and a twin whole", async () => {
      const [device, other, third] = [newDevice(), newDevice(), newDevice()];
      const both = valuesOf({ a: [1, 7], "b.c": ["x", 5] });
      await twins.merge([device, other].map((one) => ({ device: one, values: both })));
      await twins.merge([{ device: third, values: valuesOf({ a: [1, 1] }) }]);
      await twins.forget([], "a");
      await twins.forget([device, third, "unknown"], "a");
      expect(await twinOf(device)).toEqual({ device, eventTime: 5, values: valuesOf({ "b.c": ["x", 5] }) });
      expect(await twinOf(third)).toBeUndefined();
      expect(await twinOf(other)).toMatchObject({ values: both });
      await twins.merge([{ device, values: valuesOf({ a: [2, 1] }) }]);
      expect(await twinOf(device)).toMatchObject({ values: valuesOf({ a: [2, 1], "b.c": ["x", 5] }) });
      await twins.forget([device, "unknown"], null);
      expect(await twinOf(device)).toBeUndefined();
    });

    it("keeps the later value of each field, and at equal times the one it has", async () => {
      const device = newDevice();
      await twins.merge([{ device, values: valuesOf({ a: [1, 100], b: [1, 100], c: [1, 100] }) }]);
      await twins.merge([{ device, values: valuesOf({ a: [2, 99], b: [2, 100], c: [2, 101], d: [2, 50] }) }]);
      expect(await twinOf(device)).toEqual({
        device,
        eventTime: 101,
        values: valuesOf({ a: [1, 100], b: [1, 100], c: [2, 101], d: [2, 50] }),
      });
      await twins.merge([{ device, values: valuesOf({ a: [3, 1], c: [3, 1] }) }]);
      expect((await twinOf(device))?.eventTime).toBe(101);
    });

    it("keeps the newest fields of a device that has too many, in whatever order they come", async () => {
      const fields = Array.from({ length: TWIN_LIMITS.fields + 10 }, (_, i): [string, [number, number]] => [
        `f${i}`,
        [i, 1000 + i],
      ]);
      const expected = valuesOf(Object.fromEntries(fields.slice(10)));
      for (const order of [fields, [...fields].reverse()]) {
        const device = newDevice();
        for (let i = 0; i < order.length; i += 50) {
          await twins.merge([{ device, values: valuesOf(Object.fromEntries(order.slice(i, i + 50))) }]);
        }
        expect((await twinOf(device))?.values).toEqual(expected);
      }
    });

    it("keeps any name and any string exactly", async () => {
      const device = newDevice();
      const hostile = [
        "__proto__",
        "constructor",
        "hasOwnProperty",
        "a.b",
        "$set",
        "$",
        "",
        " ",
        "0",
        "\u0000",
        "\ud800",
        "\\u0000",
        "🌡",
        "\u001e",
      ];
      const values = new Map(
        hostile.map((text, index): [string, TwinValue] => [
          text,
          { value: `${text}\u0000\ud800"\\`, eventTime: index },
        ]),
      );
      await twins.merge([{ device, values }]);
      await twins.merge([{ device, values: valuesOf({ last: [1, 99] }) }]);
      expect(await twinOf(device)).toEqual({
        device,
        eventTime: 99,
        values: new Map([...values, ["last", { value: 1, eventTime: 99 }]]),
      });
      await fc.assert(
        fc.asyncProperty(fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" })), async (texts) => {
          const device = newDevice();
          const values = new Map(Object.entries(texts).map(([field, value]) => [field, { value, eventTime: 1 }]));
          await twins.merge([{ device, values }]);
          expect((await twinOf(device))?.values ?? new Map()).toEqual(values);
        }),
        { numRuns: 50 },
      );
    });

    it("comes to the same, whatever the order, repetition and grouping of updates", async () => {
      // A field's value at an event time is one value: what a device says of one moment doesn't change.
      const update = fc.record({
        device: fc.constantFrom("p", "q", "r"),
        fields: fc.uniqueArray(fc.constantFrom("a", "b", "c", "__proto__"), { minLength: 1 }),
        eventTime: fc.integer({ min: 0, max: 12 }),
      });
      const batches = fc
        .array(update, { minLength: 1, maxLength: 12 })
        .chain((updates) =>
          fc.tuple(
            fc.constant(updates),
            fc.shuffledSubarray([...updates, ...updates], { minLength: updates.length * 2 }),
          ),
        );
      await fc.assert(
        fc.asyncProperty(batches, async ([updates, disturbed]) => {
          const suffix = `-${newDevice()}`;
          const expected = new Map<string, Map<string, TwinValue>>();
          for (const { device, fields, eventTime } of updates) {
            const twin = expected.get(device + suffix) ?? new Map<string, TwinValue>();
            for (const field of fields) {
              if ((twin.get(field)?.eventTime ?? -1) < eventTime)
                twin.set(field, { value: `${field}@${eventTime}`, eventTime });
            }
            expected.set(device + suffix, twin);
          }
          for (const batch of batchesOf(disturbed)) {
            await twins.merge(
              batch.map(({ device, fields, eventTime }): TwinUpdate => ({
                device: device + suffix,
                values: new Map(fields.map((field) => [field, { value: `${field}@${eventTime}`, eventTime }])),
              })),
            );
          }
          const found = await twins.get([...expected.keys()]);
          expect(new Map([...found].map(([device, { values }]) => [device, values]))).toEqual(expected);
          for (const { eventTime, values } of found.values()) {
            expect(eventTime).toBe(Math.max(...[...values.values()].map((value) => value.eventTime)));
          }
        }),
        { numRuns: 40 },
      );
    });

    it("tells the latest value of a field in every twin that has it", async () => {
      const [device, other, third, fourth] = [newDevice(), newDevice(), newDevice(), newDevice()];
      await twins.merge([
        { device, values: valuesOf({ "order.by": [-0.5, 1], other: [1, 1] }) },
        { device: other, values: valuesOf({ "order.by": [true, 1] }) },
        { device: third, values: valuesOf({ "order.by": ["12", 1] }) },
        { device: fourth, values: valuesOf({ other: [3, 1] }) },
      ]);
      await twins.merge([{ device, values: valuesOf({ "order.by": [1.7e300, 2] }) }]);
      expect(await twins.latest("order.by")).toEqual(
        new Map([
          [device, 1.7e300],
          [other, 1],
        ]),
      );
      expect(await twins.latest("no such field")).toEqual(new Map());
    });

    it("loses nothing when many merge the same devices at once", async () => {
      const devices = Array.from({ length: 30 }, newDevice);
      await Promise.all(
        Array.from({ length: 12 }, (_, worker) => {
          const order = worker % 2 === 0 ? devices : [...devices].reverse();
          return twins.merge(
            order.map((device) => ({
              device,
              values: valuesOf({ [`own-${worker}`]: [worker, worker], shared: [worker, 100 + worker] }),
            })),
          );
        }),
      );
      const found = await twins.get(devices);
      expect(found.size).toBe(devices.length);
      for (const twin of found.values()) {
        expect(twin.eventTime).toBe(111);
        expect(twin.values.get("shared")).toEqual({ value: 11, eventTime: 111 });
        expect(twin.values.size).toBe(13);
      }
    });
  });
}

/** Cut where a device would come a second time: a call has at most one update a device. */
function batchesOf<T extends { device: string }>(updates: readonly T[]): T[][] {
  const batches: T[][] = [];
  let batch: T[] = [];
  for (const update of updates) {
    if (batch.some(({ device }) => device === update.device)) {
      batches.push(batch);
      batch = [];
    }
    batch.push(update);
  }
  return [...batches, batch];
}

function newDevice(): string {
  return `device-${++serial}`;
}

function valuesOf(fields: Record<string, [value: TwinValue["value"], eventTime: number]>): Map<string, TwinValue> {
  return new Map(Object.entries(fields).map(([field, [value, eventTime]]) => [field, { value, eventTime }]));
}
