import { beforeAll, expect, test } from "vitest";
import { deviceDetail, devicesAnswer } from "@/server/contracts/devices";
import { fleetSummaryAnswer } from "@/server/contracts/fleet";
import { userLink } from "@/server/contracts/access";
import { routeView, silenceView } from "@/server/contracts/notifications";
import { alertRule, importedRules } from "@/server/contracts/rules";
import { deviceTypeAnswer, deviceTypes } from "@/server/contracts/types";
import { namingEffects } from "@/server/contracts/names";
import { siteAnswer, sitesAnswer } from "@/server/contracts/sites";
import { siteHeaders } from "@/server/domain/site-mark";
import { TOPICS } from "@/server/domain/terms";
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
    { id: expect.any(Number) as number, name: "Füllstand  Sonde", others: [], staleSeconds: null, devices: 2 },
    { id: expect.any(Number) as number, name: "press", others: [], staleSeconds: null, devices: 1 },
  ]);
});

test("what a type says of staleness goes before all else: list, counts, page and events", async () => {
  await rig.owner.query(
    `UPDATE device SET last_seen = now() - interval '5 min', gaps = 1000, gap_p99 = 1000 WHERE name IN ('tank-1', 'press-1')`,
  );
  const summary = async () => (await read(fleetSummaryAnswer, rig.get("getFleetSummary"))).states;
  const silences = async () => {
    const usual = { staleMs: 60_000, leastMs: 30_000 };
    const deps = { pool: rig.engines.pool, watermark: async () => Date.now(), judge: async () => () => true, usual };
    await followSilences(deps);
    const { rows } = await rig.owner.query<{ device: string }>(
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
  const past = async () => (await rig.owner.query(`SELECT before FROM device_past WHERE part = 'type'`)).rows;
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

const sites = async () => (await read(sitesAnswer, rig.get("listSites"))).items;
const idsOf = async (query: string) =>
  (await read(devicesAnswer, rig.get("listDevices", {}, query))).items.map(({ id }) => id);
/** Sends a message of a sender that speaks for a site, as the log holds it. */
const sendFor = (site: string, device: string, i: number) =>
  rig.engines.eventLog.append(TOPICS.telemetry, [
    { key: device, value: Buffer.from(JSON.stringify(message(device, i))), headers: siteHeaders(site) },
  ]);

test("another name for a site says first what goes by it; then all of that goes on, and so does who still says the old one", async () => {
  const [south] = await sites();
  expect(south).toMatchObject({ name: "south", others: [], devices: 3 });
  const spec = { kind: "silence", of: { sites: ["south"] } };
  const rule = await read(alertRule, call("addRule", "POST", {}, { name: "Quiet south", spec }));
  const { pool } = rig.engines;
  await pool.query(`INSERT INTO account (id, name) VALUES (1, 'Ada');
    INSERT INTO fleet_live (site, hour, looks, live_sum) VALUES ('south', now(), 1, 3);
    INSERT INTO series_rule (selects, pattern, raw, minutes, hours) VALUES ('site', 'south', 30, 60, NULL)`);
  for (const [name, query] of Object.entries({ one: "site=south", two: "where=site+%3D+south", three: "search=south" }))
    await call("addView", "POST", {}, { page: "devices", name, query });
  const matchers = [{ field: "site", values: ["south", "north"] }];
  await call("addMaintenance", "POST", {}, { name: "x", matchers, cron: "0 2 * * 6", minutes: 60, zone: "UTC" });
  const site = { site: String(south!.id) };
  const effects = () => read(namingEffects, rig.get("getSiteEffects", site, "to=Halle+S%C3%BCd"));
  const goesOn = { rules: ["Quiet south"], matchers: 1, retention: 1, views: ["one", "two"] };
  expect(await effects()).toEqual({ refused: null, devices: 3, ...goesOn });

  const renamed = await read(siteAnswer, call("renameSite", "PATCH", site, { name: " Halle Süd" }));
  expect(renamed).toEqual({ id: south!.id, name: "Halle Süd", person: null, others: ["south"], devices: 3 });
  expect((await read(alertRule, rig.get("getRule", { rule: String(rule.id) }))).spec).toMatchObject({
    of: { sites: ["Halle Süd"] },
  });
  const { rows } = await pool.query(
    `SELECT (SELECT array_agg(site) FROM fleet_live) AS usual, (SELECT array_agg(pattern) FROM series_rule) AS kept,
       (SELECT matchers::text FROM maintenance) AS matchers`,
  );
  expect(rows).toEqual([
    {
      usual: ["Halle Süd"],
      kept: ["Halle Süd"],
      matchers: expect.stringContaining('["Halle Süd", "north"]') as string,
    },
  ]);
  const all = ["press-1", "tank-1", "tank-2"];
  expect(await idsOf("site=south")).toEqual(all);
  expect(await idsOf("where=site+%3D+south")).toEqual(all);
  // A new device, and a sender, that say the old name.
  await send("valve-1", "press");
  await sendFor("south", "press-1", 5);
  await sendFor("Halle Süd", "press-1", 6);
  await sendFor("north", "press-1", 7);
  await until(
    async () => {
      const { messages } = await device("press-1");
      const letters = await pool.query(`SELECT FROM dead_letter WHERE device = 'press-1' AND reason = 'otherSite'`);
      const isThere = (await idsOf("site=south")).includes("valve-1");
      return (messages === 3 && letters.rowCount === 1 && isThere) || null;
    },
    { timeoutMs: 20_000 },
  );
  expect((await sites()).map(({ name }) => name)).toEqual(["Halle Süd"]);
});

test("what a file, a program or a person writes with a name that a site had goes by the one it has", async () => {
  const { pool } = rig.engines;
  // The account above has a number of its own choosing.
  await pool.query(`SELECT nextval(pg_get_serial_sequence('account', 'id'))`);
  const of = { sites: ["south", "Halle Süd", "north"] };
  const file = { rules: [{ name: "Quiet south", spec: { kind: "silence", of } }] };
  const take = () => read(importedRules, call("importRules", "POST", {}, file));
  expect(await take()).toMatchObject({ changed: ["Quiet south"], added: [] });
  expect(await take(), "written again, it is the same").toMatchObject({ changed: [], same: ["Quiet south"] });
  const matchers = [{ field: "site", values: ["south"] }];
  const endsAt = new Date(Date.now() + 3_600_000).toISOString();
  await read(silenceView, call("addSilence", "POST", {}, { matchers, reason: "painting", endsAt }));
  const channel = await pool.query<{ id: number }>(
    `INSERT INTO channel (name, kind, settings) VALUES ('desk', 'webhook', '{}') RETURNING id`,
  );
  const channels = channel.rows.map(({ id }) => id);
  await read(routeView, call("addRoute", "POST", {}, { name: "of south", matchers, channels }));
  const grants = [{ role: "viewer", site: "south" }];
  await read(userLink, call("addUser", "POST", {}, { name: "Vera", email: "vera@example.com", grants }));
  const { rows } = await pool.query(
    `SELECT (SELECT spec->'of'->'sites' FROM alert_rule WHERE name = 'Quiet south') AS watched,
       (SELECT matchers->0->'values' FROM silence) AS silent, (SELECT matchers->0->'values' FROM route) AS told,
       (SELECT s.name FROM role_grant g JOIN site s ON s.id = g.site_id) AS granted`,
  );
  expect(rows).toEqual([
    { watched: ["Halle Süd", "north"], silent: ["Halle Süd"], told: ["Halle Süd"], granted: "Halle Süd" },
  ]);
});

test("a name that a site or type had is its own: no other may have it, and it may have it back", async () => {
  const { pool } = rig.engines;
  const { rows } = await pool.query<{ id: number }>(`INSERT INTO site (name) VALUES ('yard') RETURNING id`);
  const yard = { site: String(rows[0]!.id) };
  expect((await refused(call("renameSite", "PATCH", yard, { name: "south" }))).kind).toBe("wrong-status");
  const told = await read(namingEffects, rig.get("getSiteEffects", yard, "to=south"));
  expect(told).toMatchObject({ refused: expect.stringContaining("There is a site south") as string, devices: 0 });
  const hall = (await sites()).find(({ name }) => name === "Halle Süd")!;
  expect(
    await read(siteAnswer, call("renameSite", "PATCH", { site: String(hall.id) }, { name: "south" })),
  ).toMatchObject({ name: "south", others: ["Halle Süd"] });

  // "press" was renamed above: a new device of that type is of the one it is now.
  await send("press-9", "press");
  await until(async () => (await idsOf("where=type+%3D+press")).includes("press-9") || null, { timeoutMs: 20_000 });
  expect((await device("press-9")).type).toBe("Presse Süd");
  const type = { type: await idOf("Presse Süd") };
  expect(await read(namingEffects, rig.get("getTypeEffects", type, "to=press"))).toMatchObject({
    refused: null,
    devices: 4,
    rules: ["Quiet"],
  });
});
