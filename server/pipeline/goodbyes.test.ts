import { expect, test } from "vitest";
import { countFleet, findDevices } from "@/server/catalog/device-list";
import { InjectedFault } from "@/server/testing/pipeline-rig";
import { pipelineBench } from "@/server/testing/pipeline-bench";

const bench = pipelineBench();
const T = Date.UTC(2026, 0, 15, 10, 0, 30);
const heard = (time: number, value = 1) => ({ device: "pump", time, readings: { level: value } });
const goodbye = (time: number, gone: unknown = true) => ({ device: "pump", time, gone });

/** Appends messages, each taken a second after the one before, and tells when the device is gone since. */
async function goneAfter(messages: readonly object[], together = true): Promise<number | null> {
  const rig = await bench.rig();
  for (const [i, message] of messages.entries()) {
    bench.log.append(0, message, T + i * 1000);
    if (!together) await rig.drain();
  }
  await rig.drain();
  return goneAt();
}

async function goneAt(): Promise<number | null> {
  const { rows } = await bench.pool.query<{ at: number | null }>(
    `SELECT (extract(epoch FROM gone_at) * 1000)::float8 AS at FROM device WHERE name = 'pump'`,
  );
  return rows[0]?.at ?? null;
}

test.each([true, false])(
  "a goodbye is the last word until the device is heard again (in one batch: %s)",
  async (together) => {
    expect(await goneAfter([heard(T), goodbye(T + 1)], together)).toBe(T + 1000);
    await bench.renew();
    // The node says it once more: it is gone since the first.
    expect(await goneAfter([heard(T), goodbye(T + 1), goodbye(T + 2)], together)).toBe(T + 1000);
    await bench.renew();
    expect(await goneAfter([heard(T), goodbye(T + 1), heard(T + 2)], together)).toBeNull();
    await bench.renew();
    expect(await goneAfter([heard(T), goodbye(T + 1), heard(T + 2), goodbye(T + 3)], together)).toBe(T + 3000);
  },
);

test.each([true, false])(
  "one that is older than what the device said changes nothing (in one batch: %s)",
  async (together) => {
    expect(await goneAfter([heard(T + 5), goodbye(T + 4)], together)).toBeNull();
    await bench.renew();
    expect(await goneAfter([heard(T), goodbye(T + 1), heard(T + 2), goodbye(T + 1)], together)).toBeNull();
    await bench.renew();
    // Without a time of the sender's the log's order alone counts, whatever the device's clock says.
    expect(await goneAfter([heard(T + 60_000), goodbye(T, "arrived")], together)).toBe(T + 1000);
  },
);

test("what is of unknown age, and a goodbye with readings, leave it as it is", async () => {
  const state = { device: "pump", time: T + 3, state: { mode: "auto" } };
  expect(await goneAfter([heard(T), goodbye(T + 1), state])).toBe(T + 1000);
  await bench.renew();
  expect(await goneAfter([heard(T), { ...heard(T + 1), gone: true }])).toBeNull();
});

test("it makes no reading, no device and no dead letter, and isn't heard", async () => {
  const rig = await bench.rig();
  bench.log.append(0, goodbye(T), T);
  await rig.drain();
  expect((await bench.pool.query(`SELECT FROM device`)).rowCount).toBe(0);
  bench.log.append(0, heard(T), T);
  bench.log.append(0, goodbye(T + 1), T + 1000);
  await rig.drain();
  const at = { sites: "all", now: T + 2000, staleSeconds: 60 } as const;
  const query = { ...at, order: "state", descending: false, limit: 9, after: null } as const;
  const { devices } = await findDevices(bench.pool, { ...query, state: "silent" });
  expect(devices).toMatchObject([{ name: "pump", lastSeen: T, goneAt: T + 1000, messages: 2 }]);
  expect((await findDevices(bench.pool, { ...query, state: "live" })).total).toBe(0);
  const { states } = await countFleet(bench.pool, { ...at, order: "state", descending: false });
  expect(states).toEqual({ live: 0, stale: 0, silent: 1, new: 0 });
  expect(await bench.readings()).toHaveLength(1);
  expect(await bench.letters()).toEqual([]);
});

test.each(["beforeCommit", "afterCommit"] as const)("a crash %s says it once", async (fault) => {
  const rig = await bench.rig();
  for (const [i, message] of [heard(T), goodbye(T + 1), heard(T + 2), goodbye(T + 3)].entries())
    bench.log.append(0, message, T + i * 1000);
  rig.faults.next = fault;
  await rig.drain().catch((error: unknown) => expect(error).toBeInstanceOf(InjectedFault));
  await (await bench.rig()).drain();
  expect(await goneAt()).toBe(T + 3000);
  expect(await bench.totals()).toMatchObject({ messages: 4, readings: 2 });
});
