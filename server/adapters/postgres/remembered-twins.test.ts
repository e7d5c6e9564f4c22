import { afterAll, beforeAll, expect, test } from "vitest";
import fc from "fast-check";
import type { TwinUpdate } from "@/server/ports/device-twins";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { createPostgresDeviceTwins } from "./device-twins";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const DEVICES = ["a", "b"];
const step = fc.record({
  /** Which of two processes does it; a new one remembers nothing. */
  by: fc.constantFrom<0 | 1 | "new">(0, 1, "new"),
  device: fc.constantFrom(...DEVICES),
  field: fc.constantFrom("x", "y"),
  time: fc.nat(6),
  what: fc.constantFrom("merge", "merge", "merge", "forget field", "forget twin"),
});

test("what one process remembers of twins never wins over what another did to them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      await db.pool.query("TRUNCATE device_twin");
      const processes = [createPostgresDeviceTwins(db.pool), createPostgresDeviceTwins(db.pool)];
      const expected = new Map<string, Map<string, { value: number; eventTime: number }>>();
      for (const [value, { by, device, field, time, what }] of steps.entries()) {
        const twins = by === "new" ? createPostgresDeviceTwins(db.pool) : processes[by]!;
        if (what === "merge") {
          const update: TwinUpdate = { device, values: new Map([[field, { value, eventTime: time }]]) };
          await twins.merge([update]);
          const fields = expected.get(device) ?? new Map<string, { value: number; eventTime: number }>();
          if (time > (fields.get(field)?.eventTime ?? -1)) fields.set(field, { value, eventTime: time });
          expected.set(device, fields);
        } else {
          await twins.forget([device], what === "forget field" ? field : null);
          if (what === "forget twin") expected.delete(device);
          expected.get(device)?.delete(field);
          if (expected.get(device)?.size === 0) expected.delete(device);
        }
      }
      const found = await createPostgresDeviceTwins(db.pool).get(DEVICES);
      expect(new Map([...found].map(([device, { values }]) => [device, values]))).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});

test("a twin written before is written again by one statement", async () => {
  const statements: string[] = [];
  const pool = new Proxy(db.pool, {
    get(target, key) {
      const value = Reflect.get(target, key) as unknown;
      if (typeof value !== "function") return value;
      if (key === "query" || key === "connect")
        return (...args: unknown[]) => {
          statements.push(key);
          return (value as (...args: unknown[]) => unknown).apply(target, args);
        };
      return value.bind(target) as unknown;
    },
  });
  const twins = createPostgresDeviceTwins(pool);
  const merge = (eventTime: number) =>
    twins.merge([{ device: "one", values: new Map([["x", { value: 1, eventTime }]]) }]);
  await merge(1);
  statements.length = 0;
  await merge(2);
  expect(statements).toEqual(["query"]);
});
