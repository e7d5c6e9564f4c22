import { beforeAll, expect, test } from "vitest";
import { alertRule } from "@/server/contracts/rules";
import { deviceDetail, readingsAnswer } from "@/server/contracts/devices";
import { fleetOrderAnswer } from "@/server/contracts/fleet";
import { job } from "@/server/contracts/jobs";
import { metricChanged, metricEffects, metricsAnswer } from "@/server/contracts/metrics";
import { createApiRig, JSON_TYPE, message, read, refused } from "@/server/testing/api-rig";
import { faultsOfReadings } from "@/server/testing/kept-readings";
import { until } from "@/server/testing/until";

const rig = createApiRig();
const call = (verb: Parameters<typeof rig.get>[0], method: string, params: Record<string, string>, body?: object) =>
  rig.api.handle(
    verb,
    new Request("http://here/api", { method, ...(body && { body: JSON.stringify(body), headers: JSON_TYPE }) }),
    params,
  );
const rename = (name: string, to: string) => call("renameMetric", "POST", { name }, { to });
const names = async () => (await read(metricsAnswer, rig.get("listMetrics"))).items.map(({ name }) => name);
const effects = (name: string, query: string) => read(metricEffects, rig.get("getMetricEffects", { name }, query));
const count = async (where: string) =>
  (await rig.owner.query<{ n: number }>(`SELECT count(*)::int AS n FROM reading WHERE ${where}`)).rows[0]!.n;
const soon = <T>(look: () => Promise<T | null>) => until(look, { timeoutMs: 20_000 });
const isDone = () => soon(async () => (await rig.owner.query("SELECT FROM catalog_removal")).rowCount === 0 || null);
const send = async (device: string, i: number, readings: object) => {
  expect((await rig.post(JSON.stringify(message(device, i, readings)))).status).toBe(202);
};
const values = async (id: string) => (await read(deviceDetail, rig.get("getDevice", { id }))).values;

beforeAll(async () => {
  await send("press-07", 0, { temp: 20, other: 1 });
  await send("press-07", 1, { temp: 21 });
  await soon(async () => (await count("true")) === 3 || null);
});

test("a renamed metric keeps its readings, and what is sent under the old name is its own, latest values and all", async () => {
  const rule = { kind: "condition", conditions: [{ metric: "temp", is: "above", warning: 90 }] };
  const added = await read(alertRule, call("addRule", "POST", {}, { name: "Hot", spec: rule }));
  expect(await effects("temp", "to=temperature")).toMatchObject({
    ...{ refused: null, devices: 1, readings: 2, rules: [{ name: "Hot", becomes: "follows" }] },
  });
  expect((await effects("temp", "to=other")).refused).toContain("merge this one into it");
  expect((await refused(rename("temp", "other"))).kind).toBe("wrong-status");
  expect((await refused(rename("temp", "temp"))).status).toBe(400);
  expect((await refused(rename("temp", "a b"))).errors?.[0]?.at).toBe("to");
  expect((await refused(rename("nothing", "x"))).status).toBe(404);

  await read(job, rename("temp", "temperature"));
  expect(await names()).toEqual(["other", "temperature"]);
  expect(await count("metric = 'temperature'")).toBe(2);
  await isDone();
  expect(Object.keys(await values("press-07")).sort()).toEqual(["other", "temperature"]);
  const after = await read(alertRule, rig.get("getRule", { rule: String(added.id) }));
  expect(after).toMatchObject({ version: added.version, spec: { conditions: [{ metric: "temperature" }] } });

  await send("press-07", 2, { temp: 22 });
  await soon(async () => (await count("metric = 'temperature'")) === 3 || null);
  await send("press-07", 3, { temp: 23, temperature: 24 });
  await soon(async () => (await count("metric = 'temperature'")) === 4 || null);
  expect(await names()).toEqual(["other", "temperature"]);
  // Of two names in one message the first counts; the other one is a conflict.
  expect(await count(`metric = 'temperature' AND value = 23`)).toBe(1);
  const found = await read(deviceDetail, rig.get("getDevice", { id: "press-07" }));
  expect(found).toMatchObject({ conflicts: 1, lastConflict: { metric: "temperature", kept: 23, refused: 24 } });
  expect(found.values).toMatchObject({ temperature: { value: 23 } });
  expect(Object.keys(found.values)).not.toContain("temp");
  // Whoever still asks by the old name finds it.
  const asked = await read(readingsAnswer, rig.get("listReadings", { id: "press-07" }, "metric=temp"));
  expect([asked.metric, asked.points.length]).toEqual(["temperature", 4]);
  const hot = await read(fleetOrderAnswer, rig.get("getFleetOrder", {}, "where=temp+%3E+20&sort=-value:temp"));
  expect(hot.ids).toEqual(["press-07"]);
});

test("renaming it back undoes it, and a name can be taken away", async () => {
  await read(job, rename("temperature", "temp"));
  await isDone();
  const [, temp] = (await read(metricsAnswer, rig.get("listMetrics"))).items;
  expect(temp).toMatchObject({ name: "temp", aliases: ["temperature"] });
  await send("press-07", 4, { temperature: 25 });
  await soon(async () => (await count("metric = 'temp'")) === 5 || null);
  expect(Object.keys(await values("press-07")).sort()).toEqual(["other", "temp"]);

  const forget = (alias: string) => call("forgetMetricName", "DELETE", { name: "temp", alias });
  expect((await refused(forget("nothing"))).status).toBe(404);
  expect((await read(metricChanged, forget("temperature"))).aliases).toEqual([]);
  await send("press-07", 5, { temperature: 26 });
  await soon(async () => (await count("metric = 'temperature'")) === 1 || null);
  expect(await names()).toEqual(["other", "temp", "temperature"]);
});

test("a dry run of a merge counts what the merge then does, and rollups equal a recount", async () => {
  await send("press-07", 0, { temperature: 20 });
  await send("press-07", 1, { temperature: 30 });
  await soon(async () => (await count("metric = 'temperature'")) === 3 || null);
  const before = (await read(deviceDetail, rig.get("getDevice", { id: "press-07" }))).conflicts;
  expect(await effects("temperature", "into=temp")).toMatchObject({
    ...{
      refused: null,
      devices: 1,
      readings: 3,
      both: 1,
      repeats: 1,
      conflicts: 1,
      coldDays: 0,
      seconds: expect.any(Number) as number,
    },
  });
  expect((await refused(rig.get("getMetricEffects", { name: "temp" }, "into=nothing"))).status).toBe(404);
  expect((await refused(rig.get("getMetricEffects", { name: "temp" }, "into=x&to=y"))).status).toBe(400);
  await read(job, call("mergeMetrics", "POST", { name: "temperature" }, { into: "temp" }));
  await isDone();
  expect(await count("metric = 'temp'")).toBe(6);
  expect((await read(deviceDetail, rig.get("getDevice", { id: "press-07" }))).conflicts).toBe(before + 1);
  expect(await faultsOfReadings(rig.engines.pool)).toEqual([]);
});

test("a kind is tried before it is set, and how a metric is shown is said", async () => {
  expect(await effects("temp", "kind=boolean")).toMatchObject({ otherValues: 6, otherDevices: 1, readings: 6 });
  expect(await effects("other", "kind=boolean")).toMatchObject({ otherValues: 0 });
  const patch = (body: object) => call("updateMetric", "PATCH", { name: "temp" }, body);
  const said = {
    description: " Of the oil ",
    decimals: 1,
    color: 3,
    thresholds: { warning: { above: 80 }, critical: { above: 90, below: 0 } },
  };
  expect(await read(metricChanged, patch(said))).toMatchObject({
    ...{ description: "Of the oil", decimals: 1, color: 3, meaning: "none" },
    thresholds: { warning: { below: null, above: 80 }, critical: { below: 0, above: 90 } },
  });
  expect(await read(metricChanged, patch({ thresholds: { warning: { above: null } }, description: "" }))).toMatchObject(
    {
      ...{ description: null, thresholds: { warning: { above: null }, critical: { above: 90 } } },
    },
  );
  expect((await refused(patch({ thresholds: { warning: { below: 95 } } }))).errors?.[0]?.at).toBe(
    "thresholds.critical.above",
  );
  for (const wrong of [{ color: 7 }, { decimals: 11 }, { decimals: -1 }, { description: "x".repeat(501) }])
    expect((await refused(patch(wrong))).errors?.[0]?.at).toBe(Object.keys(wrong)[0]);
});
