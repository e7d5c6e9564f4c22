import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TWIN_LIMITS } from "@/server/domain/terms";
import type { TwinUpdate, TwinValue } from "@/server/ports/device-twins";
import { describeWithMongo } from "@/server/testing/engines";
import type { MongoConnection } from "./connection";
import { createMongoDeviceTwins } from "./device-twins";
import { connectPrepared } from "./test-connection";

const DEVICES = ["p", "q", "r"];
const FIELDS = Array.from({ length: TWIN_LIMITS.fields + 60 }, (_, n) => `f${String(n).padStart(3, "0")}`);

describeWithMongo("twins on MongoDB, merged by two clients at once", (uri) => {
  let one: MongoConnection;
  let other: MongoConnection;
  beforeAll(async () => {
    one = await connectPrepared(uri);
    other = await connectPrepared(uri);
  });
  afterAll(async () => {
    await other.close();
    await one.close();
  });

  let run = 0;
  const update = fc.record({
    device: fc.constantFrom(...DEVICES),
    fields: fc.subarray(FIELDS, { minLength: 1 }),
    eventTime: fc.integer({ min: 0, max: 40 }),
  });

  it("come to what one client would have made of all updates", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(update, { minLength: 2, maxLength: 24 }), async (updates) => {
        const suffix = `-${++run}`;
        const merges = updates.map(({ device, fields, eventTime }): TwinUpdate => ({
          device: device + suffix,
          values: new Map(fields.map((field) => [field, { value: `${field}@${eventTime}`, eventTime }])),
        }));
        const [mine, theirs] = [createMongoDeviceTwins(one.db), createMongoDeviceTwins(other.db)];
        // All at once, every second one by the other client.
        await Promise.all(merges.map((merge, n) => (n % 2 === 0 ? mine : theirs).merge([merge])));

        const found = await mine.get(DEVICES.map((device) => device + suffix));
        expect(new Map([...found].map(([device, { values }]) => [device, values]))).toEqual(expected(merges));
      }),
      { numRuns: 25 },
    );
  });
});

/** Each field's latest value, of those the newest, as the port promises; worked out from all updates at once. */
function expected(merges: readonly TwinUpdate[]): Map<string, Map<string, TwinValue>> {
  const twins = new Map<string, Map<string, TwinValue>>();
  for (const device of new Set(merges.map((merge) => merge.device))) {
    const all = merges.filter((merge) => merge.device === device).flatMap(({ values }) => [...values]);
    const latest = all
      .sort(([a, x], [b, y]) => y.eventTime - x.eventTime || (a < b ? -1 : 1))
      .filter(([field], at, sorted) => sorted.findIndex(([name]) => name === field) === at);
    twins.set(device, new Map(latest.slice(0, TWIN_LIMITS.fields)));
  }
  return twins;
}
