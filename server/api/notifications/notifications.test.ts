import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { listDeeds } from "@/server/access/audit/deeds";
import {
  alertMessages,
  channelsAnswer,
  channelTest,
  channelView,
  maintenanceView,
  routeCheck,
  routesAnswer,
  routeView,
  silencePreview,
  silencesAnswer,
  silenceView,
} from "@/server/contracts/notifications";
import type { Caller, Role } from "@/server/domain/access";
import { alertRows } from "@/server/testing/alert-rows";
import { createApiRig, JSON_TYPE, read, refused } from "@/server/testing/api-rig";
import { type Receiver, startReceiver } from "@/server/testing/receiver";
import { until } from "@/server/testing/until";
import type { Api } from "../runtime";
import { type VerbName, VERBS } from "../verbs";

const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-notifications-"));
const rig = createApiRig({ FIELDWATCH_DATA_DIR: folder });
afterAll(() => rmSync(folder, { recursive: true }));

const PLANTED = "planted-secret-0123456789";
let receiver: Receiver;
let alerts: ReturnType<typeof alertRows>;
beforeAll(async () => {
  alerts = alertRows(rig.engines.pool);
  await rig.owner.query(`INSERT INTO account (id, name) VALUES (1, 'Ada')`);
});
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  // The notifier is at work: where each waits for the other, PostgreSQL ends one of them, and this one tries again.
  await until(() => rig.owner.query(`TRUNCATE alert, channel, route, silence, maintenance CASCADE`));
  await receiver.close();
});

function ask(
  verb: VerbName,
  { body, to = rig.api, ...path }: { id?: number; alert?: number; body?: object; to?: Api } = {},
): Promise<Response> {
  const { method } = VERBS[verb].operation;
  const init = body === undefined ? { method } : { method, headers: JSON_TYPE, body: JSON.stringify(body) };
  const params = Object.fromEntries(Object.entries(path).map(([name, value]) => [name, String(value)]));
  return to.handle(verb, new Request("http://here/api", init), params);
}

const hook = (name = "desk", more: object = {}) =>
  read(
    channelView,
    ask("addChannel", {
      body: { name, kind: "webhook", settings: { url: receiver.url }, secrets: { authorization: PLANTED }, ...more },
    }),
  );

const person = (role: Role, siteId: number | null): Caller => ({
  ...{
    kind: "user",
    accountId: 1,
    name: "Ada",
    sessionId: "00000000-0000-4000-8000-000000000000",
    provenAt: Date.now(),
  },
  grants: [{ role, siteId }],
});

test("an alert goes its way: from the event to the message, with its verdict and its attempt", async () => {
  const { id } = await hook();
  const route = await read(routeView, ask("addRoute", { body: { name: "all", channels: [id], waitMs: 0 } }));
  expect(route).toMatchObject({ place: 1, groupBy: ["rule", "site"], repeatMs: 14_400_000 });
  const alert = await alerts.fire();
  await until(() => receiver.got.length === 1);
  expect(receiver.got[0]!.headers["authorization"]).toBe(PLANTED);
  const told = await until(async () => {
    const answer = await read(alertMessages, ask("listAlertMessages", { alert }));
    return answer.messages[0]?.state === "sent" ? answer : null;
  });
  expect(told.verdicts).toMatchObject([{ kind: "fired", verdict: "told", route: "all" }]);
  expect(told.messages).toMatchObject([
    {
      channel: "desk",
      title: "Warning: too hot, press-07 at north",
      alerts: 1,
      attempts: [{ outcome: "sent", status: 200, answer: "ok" }],
    },
  ]);
});

test("a test shows what the other side answered, without what is secret, and is in the record", async () => {
  const { id } = await hook();
  receiver.answer((request) => ({ status: 403, body: `no: ${request.headers["authorization"]}` }));
  expect(await read(channelTest, ask("testChannel", { id }))).toMatchObject({
    outcome: "failed",
    status: 403,
    answer: "no: •••",
  });
  receiver.answer({ status: 200, body: "welcome" });
  expect(await read(channelTest, ask("testChannel", { id }))).toMatchObject({
    outcome: "sent",
    status: 200,
    answer: "welcome",
  });
  expect(receiver.got[1]!.body).toContain("Test of the channel desk");
  expect((await refused(ask("testChannel", { id: id + 1 }))).kind).toBe("not-found");
});

test("a test of a metadata address is refused, and says why", async () => {
  const { id } = await hook("inside", { settings: { url: "http://169.254.169.254/latest/meta-data" } });
  expect(await read(channelTest, ask("testChannel", { id }))).toMatchObject({
    outcome: "failed",
    answer: expect.stringContaining("link-local or metadata") as string,
  });
});

test("secrets are written, kept when they are left out, taken away by null, and never told", async () => {
  const made = await hook();
  expect(made.secrets).toEqual(["authorization"]);
  const renamed = await read(
    channelView,
    ask("updateChannel", { id: made.id, body: { revision: made.revision, name: "front desk" } }),
  );
  expect(renamed).toMatchObject({ name: "front desk", secrets: ["authorization"] });
  await read(channelTest, ask("testChannel", { id: made.id }));
  expect(receiver.got[0]!.headers["authorization"]).toBe(PLANTED);
  const without = { revision: renamed.revision, secrets: { authorization: null } };
  expect((await read(channelView, ask("updateChannel", { id: made.id, body: without }))).secrets).toEqual([]);
  expect((await refused(ask("updateChannel", { id: made.id, body: without }))).kind).toBe("changed-meanwhile");

  const pool = rig.engines.pool;
  const deeds = await listDeeds(pool, {
    ...{ actor: null, verb: null, target: null, outcome: null, from: null, to: null, before: null, limit: 1000 },
  });
  const listed = await read(channelsAnswer, ask("listChannels"));
  const { rows } = await pool.query<{ all: string }>(`SELECT string_agg(c::text, '') AS all FROM channel c`);
  for (const text of [JSON.stringify(deeds), JSON.stringify(listed), rows[0]!.all])
    expect(text).not.toContain("planted");
});

test("what a kind doesn't take is refused with its place", async () => {
  const bad = { name: "x", kind: "email", settings: { host: "mail", from: "nobody", to: [] }, secrets: { pin: "1" } };
  const { kind, errors } = await refused(ask("addChannel", { body: bad }));
  expect(kind).toBe("invalid-parameters");
  expect(errors!.map(({ at }) => at).sort()).toEqual(["secrets", "settings.from", "settings.to"]);
});

test("a viewer sees channels without their settings, and can't change them", async () => {
  await hook();
  const viewer = rig.compose({ caller: person("viewer", null) });
  const { items } = await read(channelsAnswer, ask("listChannels", { to: viewer }));
  expect(items).toMatchObject([{ name: "desk", settings: null }]);
  expect((await refused(ask("addChannel", { body: {}, to: viewer }))).kind).toBe("not-allowed");
});

test("routes are in order, can be moved, and say who would be told", async () => {
  const { id } = await hook();
  const add = (name: string, matchers: object[]) =>
    read(routeView, ask("addRoute", { body: { name, channels: [id], matchers } }));
  const north = await add("north", [{ field: "site", values: ["north"] }]);
  const critical = await add("critical", [{ field: "severity", values: ["critical"] }]);
  const rest = await add("rest", []);
  const who = (body: object) => read(routeCheck, ask("checkRoute", { body }));
  expect(await who({ site: "north", severity: "critical" })).toMatchObject({
    route: { name: "north" },
    channels: [{ name: "desk" }],
  });
  await read(routeView, ask("updateRoute", { id: critical.id, body: { revision: critical.revision, place: 1 } }));
  expect((await read(routesAnswer, ask("listRoutes"))).items.map(({ name }) => name)).toEqual([
    "critical",
    "north",
    "rest",
  ]);
  expect(await who({ site: "north", severity: "critical" })).toMatchObject({ route: { name: "critical" } });
  expect(await who({ site: "south" })).toMatchObject({ route: { name: "rest" }, passed: ["critical", "north"] });
  expect((await refused(ask("deleteChannel", { id }))).detail).toContain("critical, north, rest");
  for (const route of [north, critical, rest]) await ask("deleteRoute", { id: route.id });
  expect(await who({})).toMatchObject({ route: null });
  expect((await ask("deleteChannel", { id })).status).toBe(200);
  const gone = await refused(ask("addRoute", { body: { name: "x", channels: [id] } }));
  expect(gone.errors).toEqual([{ at: "channels", message: `names channels that aren't there: ${id}` }]);
});

test("a silence's preview is what it holds back; it has an end and a reason", async () => {
  const { id } = await hook();
  await ask("addRoute", { body: { name: "all", channels: [id], waitMs: 0, intervalMs: 0, groupBy: ["device"] } });
  const fired = await alerts.fireMany(3);
  await alerts.fire({ device: "other", site: "south" });
  await until(() => receiver.got.length === 4);
  await alerts.resolve(fired[0]!);
  await until(() => receiver.got.length === 5);
  const matchers = [{ field: "device", values: ["press-07-*"] }];
  const preview = await read(silencePreview, ask("previewSilence", { body: { matchers } }));
  expect(preview).toMatchObject({ now: 2, week: { alerts: 3, messages: 4, isMore: false } });
  expect(preview.alerts[0]!.words).toContain("press-07-");

  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  for (const bad of [
    { endsAt: inDays(31) },
    { endsAt: inDays(-1) },
    { endsAt: inDays(1), reason: " " },
    { endsAt: inDays(1), matchers: [] },
  ])
    expect((await refused(ask("addSilence", { body: { matchers, reason: "mended", ...bad } }))).kind).toBe(
      "invalid-parameters",
    );
  const silence = await read(
    silenceView,
    ask("addSilence", { body: { matchers, reason: "mended", endsAt: inDays(1) } }),
  );
  expect(silence).toMatchObject({ state: "active", hides: 2, by: "Ada", words: "device is press-07-*" });
  const extend = (days: number) => ask("extendSilence", { id: silence.id, body: { endsAt: inDays(days) } });
  expect(await read(silenceView, extend(2))).toMatchObject({ state: "active", hides: 2 });
  for (const days of [-1, 31]) expect((await refused(extend(days))).kind).toBe("invalid-parameters");
  await alerts.resolve(fired[1]!);
  await until(async () => (await alerts.verdicts())["silenced"] === 1);
  expect(await read(silenceView, ask("endSilence", { id: silence.id }))).toMatchObject({ state: "ended" });
  // It was told that it fires: that it is over is told once nothing hides it.
  await until(() => receiver.got.length === 6);
  for (const again of [ask("endSilence", { id: silence.id }), extend(1)])
    expect((await refused(again)).kind).toBe("wrong-status");
});

test("an operator of one site silences that site alone, and sees no others", async () => {
  await alerts.fire({ site: "north" });
  await alerts.fire({ device: "far", site: "south" });
  const { rows } = await rig.owner.query<{ id: number }>(`SELECT id FROM site WHERE name = 'north'`);
  const operator = rig.compose({ caller: person("operator", rows[0]!.id) });
  const body = (site: string) => ({
    ...{ matchers: [{ field: "site", values: [site] }], reason: "mended" },
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
  });
  expect((await refused(ask("addSilence", { body: body("south"), to: operator }))).kind).toBe("not-allowed");
  expect((await refused(ask("addSilence", { body: body("nort*"), to: operator }))).kind).toBe("not-allowed");
  const own = await read(silenceView, ask("addSilence", { body: body("north"), to: operator }));
  const other = await read(silenceView, ask("addSilence", { body: body("south") }));
  expect((await read(silencesAnswer, ask("listSilences", { to: operator }))).items.map(({ id }) => id)).toEqual([
    own.id,
  ]);
  expect((await refused(ask("endSilence", { id: other.id, to: operator }))).kind).toBe("not-found");
  const { endsAt } = body("south");
  expect((await refused(ask("extendSilence", { id: other.id, body: { endsAt }, to: operator }))).kind).toBe(
    "not-found",
  );
  expect(
    (await read(silencePreview, ask("previewSilence", { body: { matchers: body("south").matchers }, to: operator })))
      .now,
  ).toBe(0);
  const { rows: hidden } = await rig.owner.query<{ id: number }>(`SELECT id FROM alert WHERE device_name = 'far'`);
  expect((await refused(ask("listAlertMessages", { alert: hidden[0]!.id, to: operator }))).kind).toBe("not-found");
});

test("a maintenance says its next windows, and one that can't be is refused", async () => {
  const good = { name: "nights", matchers: [], cron: "0 2 * * 6", minutes: 120, zone: "Europe/Berlin" };
  const made = await read(maintenanceView, ask("addMaintenance", { body: good }));
  expect(made.next).toHaveLength(3);
  expect(made.fortnight.length).toBeGreaterThanOrEqual(2);
  expect(made.fortnight.length).toBeLessThanOrEqual(3);
  for (const bad of [{ cron: "x" }, { zone: "Mars/Base" }, { cron: "0 0 30 2 *" }, { cron: "* * * * *" }])
    expect((await refused(ask("addMaintenance", { body: { ...good, name: "n", ...bad } }))).kind).toBe(
      "invalid-parameters",
    );
  const off = await read(
    maintenanceView,
    ask("updateMaintenance", { id: made.id, body: { revision: 0, enabled: false } }),
  );
  expect(off).toMatchObject({ enabled: false, next: [], fortnight: [], now: null });
  expect((await ask("deleteMaintenance", { id: made.id })).status).toBe(200);
});
