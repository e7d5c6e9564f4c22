import fc from "fast-check";
import { expect, test } from "vitest";
import { columnsOf, type ReadingValue } from "@/server/domain/message";
import type { EnrichedMessage } from "@/server/ports/commit-batch";
import type { TwinUpdate } from "@/server/ports/device-twins";
import type { EnrichedBatch } from "../batch";
import { createStoreDocuments } from "./store-documents";

const DEVICES = ["a", "b"];
/** Two shapes that messages share, and one that is each message's own. */
const SHAPES = [["t"], ["t", "on"], ["on", "x"]].map(shapeOf);

function shapeOf(names: readonly string[]) {
  return columnsOf(names.map((name) => [name, name === "on" ? false : 0])).shape;
}

const message = fc
  .record({
    device: fc.constantFrom(...DEVICES),
    eventTime: fc.nat(5),
    at: fc.nat(SHAPES.length - 1),
    isShared: fc.boolean(),
    values: fc.array(fc.nat(1), { minLength: 2, maxLength: 2 }),
    texts: fc.constantFrom([], [], [["mode", "auto"] as const]),
  })
  .map(({ device, eventTime, at, isShared, values, texts }) => {
    const shape = isShared ? SHAPES[at]! : shapeOf(SHAPES[at]!.names);
    const columns = { shape, values: values.slice(0, shape.names.length) };
    return { device, eventTime, columns, texts };
  });

test("a twin gets the latest of each field, of equal times the first in the log, whatever messages share", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 20 }), async (sent) => {
      let merged: readonly TwinUpdate[] = [];
      const twins = { merge: async (updates: readonly TwinUpdate[]) => void (merged = updates) };
      const none = { store: async () => undefined };
      const store = createStoreDocuments({ archive: none, deadLetters: none, twins, forgetLeftOver: async () => {} });
      const expected = new Map<string, Map<string, { value: ReadingValue | string; eventTime: number }>>();
      const messages = sent.map(({ device, eventTime, columns, texts }, offset): EnrichedMessage => {
        const own = expected.get(device) ?? new Map<string, { value: ReadingValue | string; eventTime: number }>();
        expected.set(device, own);
        const named = columns.shape.names.map((name, i) => [name, valueOf(name, columns.values[i]!)] as const);
        for (const [field, value] of [...named, ...texts])
          if (eventTime > (own.get(field)?.eventTime ?? -1)) own.set(field, { value, eventTime });
        return {
          record: { offset, key: null, value: Buffer.from("{}"), headers: {}, ingestTime: 0 },
          message: { device, eventTime, ...columns, rounded: [], texts: [], refused: [], refusedLabels: [] },
          ...{
            deviceId: DEVICES.indexOf(device),
            metrics: columns.shape.names.map((_, i) => i),
            rounded: [],
            ...columns,
          },
          texts,
        };
      });
      const position = { topic: "t", partition: 0, cluster: "c", epoch: 0, next: 0 };
      await store([{ position, messages, letters: [], records: [], processedTime: 0 } as unknown as EnrichedBatch]);
      expect(new Map(merged.map(({ device, values }) => [device, new Map(values)]))).toEqual(expected);
    }),
    { numRuns: 2000 },
  );
});

function valueOf(name: string, value: number): ReadingValue {
  return name === "on" ? value === 1 : value;
}
