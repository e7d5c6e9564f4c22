import { beforeAll, expect, test } from "vitest";
import { deviceDetail } from "@/server/contracts/devices";
import { metricStored, metricUseAnswer } from "@/server/contracts/metrics";
import { removalsAnswer } from "@/server/contracts/removals";
import { countStored } from "@/server/readings/stored";
import { createApiRig, message, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();
beforeAll(() => rig.sendFleet());

const remove = (verb: "deleteMetric" | "deleteDevice", params: Record<string, string>) =>
  rig.api.handle(verb, new Request("http://here/api", { method: "DELETE" }), params);
const use = async () => (await read(metricUseAnswer, rig.get("listMetricUse"))).items;
const stored = (name: string) => read(metricStored, rig.get("getMetricStored", { name }));
const removals = () => read(removalsAnswer, rig.get("listRemovals"));
const isDone = () => until(async () => (await removals()).items.length === 0 || null, { timeoutMs: 20_000 });

test("how many devices have a metric, when it came last, and how many readings there are", async () => {
  const { rows } = await rig.owner.query<{ metric: string; devices: number; readings: number; last: Date }>(
    `SELECT metric, count(DISTINCT device)::int AS devices, count(*)::int AS readings, max(time) AS last FROM reading GROUP BY metric ORDER BY metric`,
  );
  expect(rows.length).toBeGreaterThan(1);
  expect(await use()).toEqual(
    rows.map(({ metric, devices, last }) => ({ name: metric, devices, lastEventTime: last.toISOString() })),
  );
  for (const { metric, devices, readings } of rows)
    expect(await stored(metric)).toEqual({ devices, readings, ownUnits: 0 });
  expect((await refused(rig.get("getMetricStored", { name: "nothing" }))).status).toBe(404);
});

test("a count that takes too long is none", async () => {
  const { rows } = await rig.owner.query<{ id: number }>("SELECT id FROM metric WHERE name = 'temperature'");
  const blocker = await rig.engines.pool.connect();
  try {
    await blocker.query("BEGIN; LOCK TABLE rollup_hour IN ACCESS EXCLUSIVE MODE");
    expect(await countStored(rig.engines.pool, rows[0]!.id, 50)).toBeNull();
  } finally {
    await blocker.query("ROLLBACK");
    blocker.release();
  }
});

test("what is being removed is told until it is done", async () => {
  const { rows } = await rig.owner.query<{ id: number }>("SELECT id FROM device ORDER BY id");
  // Held by somebody else, a device's readings can't be taken yet.
  const blocker = await rig.engines.pool.connect();
  try {
    await blocker.query("BEGIN");
    await blocker.query("SELECT FROM device WHERE id = $1 FOR UPDATE", [rows[0]!.id]);
    expect((await remove("deleteMetric", { name: "door" })).status).toBe(202);
    const found = await removals();
    expect(found.items).toEqual([
      {
        id: expect.any(Number) as number,
        kind: "metric",
        name: "door",
        into: null,
        since: expect.any(String) as string,
        share: expect.any(Number) as number,
      },
    ]);
    expect(found.job?.name).toBe("catalog-removals");
    await until(async () => ((await removals()).items[0]?.share ?? 0) >= 0.5 || null, { timeoutMs: 20_000 });
  } finally {
    await blocker.query("ROLLBACK");
    blocker.release();
  }
  await isDone();
  await until(async () => (await removals()).job?.last?.state === "done");
});

test("devices that earlier versions took by names no path can hold are read and deleted", async () => {
  for (const name of [".", ".."]) {
    await rig.owner.query("INSERT INTO device (name) VALUES ($1)", [name]);
    expect(await read(deviceDetail, rig.get("getDevice", { id: `${name}~` }))).toMatchObject({ id: name });
    expect((await remove("deleteDevice", { id: `${name}~` })).status).toBe(202);
    expect((await refused(rig.get("getDevice", { id: `${name}~` }))).status).toBe(404);
  }
  await isDone();
});

test("a device's removal has no share, and it comes back when it sends again", async () => {
  const before = await use();
  expect((await remove("deleteDevice", { id: "zeta" })).status).toBe(202);
  const [first] = (await removals()).items;
  if (first) expect(first).toMatchObject({ kind: "device", name: "zeta", share: null });
  await isDone();
  await rig.post(JSON.stringify(message("zeta", 900)));
  await until(async () => (await rig.get("getDevice", { id: "zeta" })).status === 200 || null, { timeoutMs: 20_000 });
  expect(before.length).toBeGreaterThan(0);
});
