import { beforeAll, expect, test } from "vitest";
import { deviceDetail } from "@/server/contracts/devices";
import { job, jobsAnswer } from "@/server/contracts/jobs";
import { metricChanged, metricsAnswer } from "@/server/contracts/metrics";
import { createApiRig, JSON_TYPE, message, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();
beforeAll(() => rig.sendFleet());

const call = (verb: Parameters<typeof rig.get>[0], method: string, params: Record<string, string>, body?: object) =>
  rig.api.handle(
    verb,
    new Request("http://here/api", { method, ...(body && { body: JSON.stringify(body), headers: JSON_TYPE }) }),
    params,
  );
const names = async () => (await read(metricsAnswer, rig.get("listMetrics"))).items.map(({ name }) => name);
const count = async (where: string) =>
  (await rig.owner.query<{ n: number }>(`SELECT count(*)::int AS n FROM reading WHERE ${where}`)).rows[0]!.n;
const isDone = () =>
  until(async () => (await rig.owner.query("SELECT FROM catalog_removal")).rowCount === 0 || null, {
    timeoutMs: 20_000,
  });
const send = async (device: string, i: number, readings: object) => {
  expect((await rig.post(JSON.stringify(message(device, i, readings)))).status).toBe(202);
};

test("a metric is given to another one, which gets what a device sends under its name from then on", async () => {
  await send("press-07", 10, { temp: 5 });
  await send("press-07", 700, { temp: 6 });
  await until(async () => (await count("metric = 'temp'")) === 2 || null, { timeoutMs: 20_000 });
  expect((await refused(call("mergeMetrics", "POST", { name: "temp" }, { into: "temp" }))).status).toBe(400);
  expect((await refused(call("mergeMetrics", "POST", { name: "temp" }, { into: "nothing" }))).status).toBe(404);
  await read(metricChanged, call("updateMetric", "PATCH", { name: "temp" }, { unit: "°F" }));
  await read(metricChanged, call("updateMetric", "PATCH", { name: "temperature" }, { unit: "°C" }));
  expect((await refused(call("mergeMetrics", "POST", { name: "temp" }, { into: "temperature" }))).kind).toBe(
    "wrong-status",
  );
  await read(metricChanged, call("updateMetric", "PATCH", { name: "temp" }, { unit: null }));
  const before = await count("metric = 'temperature'");
  const answer = await read(job, call("mergeMetrics", "POST", { name: "temp" }, { into: "temperature" }));
  expect(answer).toMatchObject({ name: "catalog-removals", unfinished: 1 });
  expect(await names()).not.toContain("temp");
  await isDone();
  // One of them met a reading, which stays.
  expect(await count("metric = 'temperature'")).toBe(before + 1);
  expect(await count("metric = 'temperature' AND value = 5")).toBe(1);
  await send("press-07", 701, { temp: 7 });
  await until(async () => (await count("metric = 'temperature' AND value = 7")) === 1 || null, { timeoutMs: 20_000 });
  expect(await names()).not.toContain("temp");
});

test("a metric is deleted with its readings and latest values, and a kind is set", async () => {
  await read(metricChanged, call("updateMetric", "PATCH", { name: "temperature" }, { kind: "boolean" }));
  await send("zeta", 50, { temperature: 3.5 });
  await until(
    async () =>
      (await read(metricsAnswer, rig.get("listMetrics"))).items.some(
        ({ name, kind }) => name === "temperature" && kind === "number",
      ) || null,
    { timeoutMs: 20_000 },
  );
  expect((await refused(call("deleteMetric", "DELETE", { name: "nothing" }))).status).toBe(404);
  await read(job, call("deleteMetric", "DELETE", { name: "door" }));
  expect(await names()).not.toContain("door");
  await isDone();
  const { values } = await read(deviceDetail, rig.get("getDevice", { id: "press-07" }));
  expect(Object.keys(values)).not.toContain("door");
});

test("a device is deleted, and is new when it sends again", async () => {
  await read(job, call("deleteDevice", "DELETE", { id: "press-07" }));
  expect((await refused(rig.get("getDevice", { id: "press-07" }))).status).toBe(404);
  expect((await refused(call("deleteDevice", "DELETE", { id: "press-07" }))).status).toBe(404);
  await isDone();
  const { rows } = await rig.owner.query(
    `SELECT 1 FROM (SELECT device_id FROM sample UNION ALL SELECT device_id FROM rollup_minute UNION ALL SELECT device_id FROM rollup_hour) r
     WHERE NOT EXISTS (SELECT FROM device WHERE id = device_id)`,
  );
  expect(rows).toEqual([]);
  await send("press-07", 800, { temperature: 1 });
  await until(async () => (await rig.get("getDevice", { id: "press-07" })).status === 200 || null, {
    timeoutMs: 20_000,
  });
  const detail = await until(
    async () => {
      const found = await read(deviceDetail, rig.get("getDevice", { id: "press-07" }));
      return found.messages === 1 ? found : null;
    },
    { timeoutMs: 20_000 },
  );
  expect(Object.keys(detail.values)).toEqual(["temperature"]);
  const removals = (await read(jobsAnswer, rig.get("listJobs"))).items.find(({ name }) => name === "catalog-removals");
  expect(removals?.last?.state).toBe("done");
});
