import { beforeAll, expect, test } from "vitest";
import { deviceDetail, devicesAnswer } from "@/server/contracts/devices";
import { fleetSummaryAnswer } from "@/server/contracts/fleet";
import { alertRule } from "@/server/contracts/rules";
import { deviceTypeAnswer, deviceTypes } from "@/server/contracts/types";
import { followSilences } from "@/server/events/silences";
import { createApiRig, JSON_TYPE, message, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();
const call = (verb: Parameters<typeof rig.get>[0], method: string, params: Record<string, string>, body: object) =>
  rig.api.handle(
    verb,
    new Request("http://here/api", { method, body: JSON.stringify(body), headers: JSON_TYPE }),
    params,
  );
const types = async () => (await read(deviceTypes, rig.get("listTypes"))).items;
const idOf = async (name: string) => String((await types()).find((type) => type.name === name)!.id);
const change = (id: string, body: object) => call("updateType", "PATCH", { type: id }, body);
const device = (id: string) => read(deviceDetail, rig.get("getDevice", { id }));
const send = async (id: string, type: string) => {
  expect((await rig.post(JSON.stringify({ ...message(id, 0), type }))).status).toBe(202);
};

beforeAll(async () => {
  await send("tank-1", " Füllstand  Sonde ".normalize("NFD"));
  await send("tank-2", "Füllstand  Sonde");
  await send("press-1", "press");
  const isHeard = async () =>
    (await read(devicesAnswer, rig.get("listDevices"))).items.filter((one) => one.messages === 1);
  await until(async () => (await isHeard()).length === 3 || null, { timeoutMs: 20_000 });
});

test("a type that a device sends is kept as free text, in one spelling, with an id", async () => {
  expect(await types()).toEqual([
    { id: expect.any(Number) as number, name: "Füllstand  Sonde", staleSeconds: null, devices: 2 },
    { id: expect.any(Number) as number, name: "press", staleSeconds: null, devices: 1 },
  ]);
});

test("what a type says of staleness goes before all else: list, counts, page and events", async () => {
  await rig.engines.pool.query(
    `UPDATE device SET last_seen = now() - interval '5 min', gaps = 1000, gap_p99 = 1000 WHERE name IN ('tank-1', 'press-1')`,
  );
  const summary = async () => (await read(fleetSummaryAnswer, rig.get("getFleetSummary"))).states;
  const silences = async () => {
    const usual = { staleMs: 600_000, leastMs: 60_000, gapsKnown: 20 };
    const deps = { pool: rig.engines.pool, watermark: async () => Date.now(), judge: async () => () => true, usual };
    await followSilences(deps);
    const { rows } = await rig.engines.pool.query<{ device: string }>(
      `SELECT device_name AS device FROM event WHERE kind = 'silence' AND ended_at IS NULL ORDER BY 1`,
    );
    return rows.map((row) => row.device);
  };
  expect(await summary()).toMatchObject({ live: 1, stale: 2, silent: 0 });
  const probe = await idOf("Füllstand  Sonde");
  expect(await read(deviceTypeAnswer, change(probe, { staleSeconds: 3600 }))).toMatchObject({ staleSeconds: 3600 });
  expect(await device("tank-1")).toMatchObject({ state: "live", staleSeconds: 3600 });
  expect(await device("press-1")).toMatchObject({ state: "stale", staleSeconds: 60 });
  await until(async () => (await summary()).stale === 1 || null, { timeoutMs: 10_000 });
  expect(await silences()).toEqual(["press-1"]);
  await read(deviceTypeAnswer, change(probe, { staleSeconds: 10 }));
  // Counts are kept for a moment.
  await until(async () => (await summary()).silent === 1 || null, { timeoutMs: 10_000 });
  expect(await device("tank-1")).toMatchObject({ state: "silent" });
  expect(await silences()).toEqual(["press-1", "tank-1"]);
  await read(deviceTypeAnswer, change(probe, { staleSeconds: null }));
  expect(await device("tank-1")).toMatchObject({ state: "stale", staleSeconds: 60 });
});

test("a device that gets another type gets its age, and a renamed type keeps id, devices, rules and their past", async () => {
  const press = await idOf("press");
  await read(deviceTypeAnswer, change(press, { staleSeconds: 7200 }));
  await rig.api.handle(
    "updateDevice",
    new Request("http://here/api", {
      method: "PATCH",
      body: JSON.stringify({ type: "press" }),
      headers: { ...JSON_TYPE, "if-match": "*" },
    }),
    { id: "tank-2" },
  );
  expect(await device("tank-2")).toMatchObject({ type: "press", staleSeconds: 7200 });
  const spec = { kind: "silence", of: { types: ["other", "press"] } };
  const added = await read(alertRule, call("addRule", "POST", {}, { name: "Quiet", spec }));
  const past = async () => (await rig.engines.pool.query(`SELECT before FROM device_past WHERE part = 'type'`)).rows;
  const before = await past();
  expect(await read(deviceTypeAnswer, change(press, { name: " Presse Süd " }))).toMatchObject({
    ...{ id: Number(press), name: "Presse Süd", devices: 2, staleSeconds: 7200 },
  });
  expect(await device("press-1")).toMatchObject({ type: "Presse Süd", staleSeconds: 7200 });
  expect(await past()).toEqual(before);
  const after = await read(alertRule, rig.get("getRule", { rule: String(added.id) }));
  expect(after.spec).toMatchObject({ of: { types: ["other", "Presse Süd"] } });
});

test.each([
  [{}, "body"],
  [{ name: "  " }, "name"],
  [{ name: "x".repeat(129) }, "name"],
  [{ name: "a\nb" }, "name"],
  [{ staleSeconds: 0 }, "staleSeconds"],
  [{ staleSeconds: 2_678_401 }, "staleSeconds"],
])("%j is refused and named", async (body, at) => {
  expect((await refused(change(await idOf("Füllstand  Sonde"), body))).errors?.[0]?.at).toBe(at);
});

test("a name that another type has is refused, and so is a type that isn't there", async () => {
  expect((await refused(change(await idOf("Füllstand  Sonde"), { name: "Presse Süd" }))).kind).toBe("wrong-status");
  expect((await refused(change("99999", { name: "x" }))).status).toBe(404);
});
