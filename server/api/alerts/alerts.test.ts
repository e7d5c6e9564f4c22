import { expect, test } from "vitest";
import { alert, alertsAnswer, alertSummary, alertWithEvents } from "@/server/contracts/alerts";
import { eventsAnswer } from "@/server/contracts/events";
import { alertRule, alertRules, alertRulesFile, importedRules, ruleEpisodes } from "@/server/contracts/rules";
import { createApiRig, JSON_TYPE, message, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();
const hot = {
  kind: "condition",
  conditions: [{ metric: "t", is: "above", warning: 10, critical: 90 }],
  holds: "until-next",
};

const send = (
  name: Parameters<typeof rig.api.handle>[0],
  body: object | null,
  params: Record<string, string> = {},
  query = "",
) =>
  rig.api.handle(
    name,
    new Request(`http://here/api?${query}`, {
      method: "POST",
      ...(body && { body: JSON.stringify(body), headers: JSON_TYPE }),
    }),
    params,
  );

test("a rule is made, judges what comes, and its alert is acknowledged, listed and told", async () => {
  const rule = await read(alertRule, send("addRule", { name: "hot", spec: hot }));
  expect(rule).toMatchObject({ name: "hot", enabled: true, version: 1, inForce: false, firing: 0 });
  expect(rule.sentence).toBe("When t is above 10 → warning, above 90 → critical at all devices.");
  expect((await refused(send("addRule", { name: "hot", spec: hot }))).kind).toBe("taken");
  expect(
    (await refused(send("addRule", { name: "odd", spec: { kind: "oddness", metric: "t", above: -2 } }))).errors,
  ).toMatchObject([{ at: "spec.above" }]);

  await rig.post(
    JSON.stringify([{ device: "d-1", time: new Date().toISOString(), readings: { t: 20 } }, message("d-2", 1)]),
  );
  await until(async () => (await read(alertsAnswer, rig.get("listAlerts"))).items.length === 1);
  const { items } = await read(alertsAnswer, rig.get("listAlerts", {}, "state=open&severity=warning"));
  expect(items).toMatchObject([
    { rule: { name: "hot" }, device: "d-1", metric: "t", state: "firing", firstValue: 20, acknowledged: null },
  ]);
  const { id } = items[0]!;

  expect(await read(alert, send("acknowledgeAlert", { note: "on my way" }, { alert: id }))).toMatchObject({
    acknowledged: { note: "on my way", until: null },
  });
  expect((await read(alertsAnswer, rig.get("listAlerts", {}, "acknowledged=no"))).items).toEqual([]);
  await rig.post(JSON.stringify([{ device: "d-1", time: new Date().toISOString(), readings: { t: 95 } }]));
  await until(async () => (await read(alertWithEvents, rig.get("getAlert", { alert: id }))).severity === "critical");
  const told = await read(alertWithEvents, rig.get("getAlert", { alert: id }));
  expect(told.acknowledged, "who acknowledged a warning knows of nothing critical").toBeNull();
  expect(told.events.map(({ kind }) => kind)).toEqual(["fired", "acknowledged", "severity"]);
  expect((await refused(send("unacknowledgeAlert", null, { alert: id }))).kind).toBe("wrong-status");
  expect(
    (await refused(send("acknowledgeAlert", { until: "2020-01-01T00:00:00.000Z" }, { alert: id }))).errors,
  ).toMatchObject([{ at: "until" }]);
  expect((await refused(send("acknowledgeAlert", {}, { alert: "99" }))).kind).toBe("not-found");

  const changed = await read(alertRule, send("updateRule", { enabled: false, version: 1 }, { rule: String(rule.id) }));
  expect(changed).toMatchObject({ version: 2, enabled: false });
  expect((await refused(send("updateRule", { note: "x", version: 1 }, { rule: String(rule.id) }))).kind).toBe(
    "changed-meanwhile",
  );
  expect(await read(alertRule, send("updateRule", { note: "x" }, { rule: String(rule.id) }))).toMatchObject({
    version: 2,
    note: "x",
  });
  const deeds = await rig.owner.query<{ verb: string; outcome: string }>(`SELECT verb, outcome FROM audit_row`);
  expect(deeds.rows.filter(({ outcome }) => outcome === "done").map(({ verb }) => verb)).toEqual(
    expect.arrayContaining(["addRule", "acknowledgeAlert", "updateRule"]),
  );
});

test("what is wrong with a rule is said with what it has to be", async () => {
  const condition = { metric: "t", is: "above", warning: 80 };
  const wrong = async (body: object) => {
    const { errors } = await refused(send("addRule", body));
    return (errors as { at: string; message: string }[]).map(({ at, message: said }) => `${at}: ${said}`);
  };
  const of = (more: object) => wrong({ name: "x", spec: { ...hot, conditions: [{ ...condition, ...more }] } });
  const at = "spec.conditions.0";
  expect(await of({ warning: "80" })).toEqual([`${at}.warning: must be a number or a list, not the text "80"`]);
  expect(await of({ limit: 80 })).toEqual([`${at}.limit: isn't known here: leave it out`]);
  expect(await of({ critical: 70 })).toEqual([
    `${at}.critical: Give a critical limit that is worse than the warning limit: above 80`,
  ]);
  expect(await of({ metric: "" })).toEqual([`${at}.metric: Give a name, or one with * for any characters`]);
  expect(await of({ is: "over" })).toEqual([
    `${at}.is: must be above or below or outside or equals or true or false or invalid, not the text "over"`,
  ]);
  expect(await wrong({ spec: { kind: "silence" } })).toEqual(["name: is missing: it must be text"]);
  expect(await wrong({ name: "x", spec: { kind: "silent" } })).toEqual([
    `spec.kind: must be condition or silence or share-of-site or quality or oddness or pipeline, not the text "silent"`,
  ]);
});

test("rules go out as one file and come in again, by their names", async () => {
  const file = await read(alertRulesFile, rig.get("exportRules"));
  expect(file.rules.map(({ name }) => name)).toEqual(["hot"]);
  expect(await read(importedRules, send("importRules", file))).toMatchObject({ added: [], changed: [], same: ["hot"] });
  const more = {
    rules: [
      { ...file.rules[0]!, enabled: true },
      { name: "silent", spec: { kind: "silence" } },
    ],
  };
  const does = { added: ["silent"], changed: ["hot"], same: [], removed: [], kept: [] };
  const tried = await read(importedRules, send("importRules", more, {}, "dryRun=true"));
  expect(tried).toMatchObject({ ...does, dryRun: true, changes: [{ name: "hot", what: ["enabled"] }] });
  // Nothing was done yet.
  expect(await read(alertRulesFile, rig.get("exportRules"))).toEqual(file);
  expect(await read(importedRules, send("importRules", more))).toMatchObject({ ...does, dryRun: false });
  const one = { rules: [more.rules[1]] };
  expect(await read(importedRules, send("importRules", one, {}, "dryRun=true"))).toMatchObject({ kept: ["hot"] });
  expect(await read(importedRules, send("importRules", one, {}, "dryRun=true&others=remove"))).toMatchObject({
    ...{ added: [], changed: [], same: ["silent"], removed: ["hot"], kept: [] },
  });
  const bad = {
    rules: [
      { name: "a", spec: { kind: "silence" } },
      { name: "b", spec: { kind: "pipeline", measure: "lagSeconds" } },
    ],
  };
  expect((await refused(send("importRules", bad))).errors).toMatchObject([{ at: "rules.1.spec.limit" }]);
  const twice = { rules: [more.rules[1], more.rules[1]] };
  expect((await refused(send("importRules", twice))).errors).toMatchObject([{ at: "rules.1.name" }]);
  const rules = (await read(alertRules, rig.get("listRules"))).items;
  expect(rules.map(({ name }) => name)).toEqual(["hot", "silent"]);
  const first = { rules: [more.rules[0]] };
  expect(await read(importedRules, send("importRules", first, {}, "others=remove"))).toMatchObject({
    ...{ same: ["hot"], removed: ["silent"] },
  });
  expect((await read(alertRules, rig.get("listRules"))).items.map(({ name }) => name)).toEqual(["hot"]);
  const events = await read(eventsAnswer, rig.get("listEvents", {}, "kinds=edit&text=import"));
  expect(events.items.length, "what was only tried, or changed nothing, is no event").toBe(2);
});

test("alerts are listed worst first, by their parent, devices and time, with whom they were told to; and counted", async () => {
  const { pool } = rig.engines;
  // The rule that came in again judges by itself what is there.
  await until(async () => (await read(alertsAnswer, rig.get("listAlerts", {}, "state=open"))).items.length === 1);
  await pool.query(`DELETE FROM alert; INSERT INTO site (name) VALUES ('north'), ('south') ON CONFLICT DO NOTHING`);
  const add = (device: string, severity: string, minutesAgo: number, more: { ended?: number; parent?: string } = {}) =>
    pool
      .query<{ id: string }>(
        `INSERT INTO alert (rule_id, rule_version, site_id, site_name, device_name, severity, state, started_at, fired_at, ended_at, parent_id)
         SELECT 1, 1, id, name, $1, $2, CASE WHEN $4::float8 IS NULL THEN 'firing' ELSE 'resolved' END,
           now() - $3 * interval '1 minute', now() - $3 * interval '1 minute', now() - $4::float8 * interval '1 minute', $5
         FROM site WHERE name = 'north' RETURNING id::text`,
        [device, severity, minutesAgo, more.ended ?? null, more.parent ?? null],
      )
      .then(({ rows }) => rows[0]!.id);
  const storm = await add("gateway", "critical", 30);
  const child = await add("child", "warning", 29, { parent: storm });
  const old = await add("old", "critical", 90, { ended: 80 });
  const warning = await add("pump", "warning", 10);
  const late = await add("pump", "critical", 60);
  await pool.query(
    `INSERT INTO channel (name, kind, settings, failing_since) VALUES ('desk', 'webhook', '{}', NULL), ('Slack', 'slack', '{}', now());
     INSERT INTO notification (id, channel_id, occasion, title, body, alert_ids, made_at, status)
       SELECT gen_random_uuid(), c.id, 'news', 't', 'b', ARRAY[${storm}, ${warning}]::bigint[], now(), CASE c.name WHEN 'desk' THEN 'sent' ELSE 'waiting' END
       FROM channel c`,
  );
  const listed = async (query: string) => (await read(alertsAnswer, rig.get("listAlerts", {}, query))).items;
  const ids = async (query: string) => (await listed(query)).map(({ id }) => id);

  expect(await ids("state=open&order=worst&parent=none")).toEqual([storm, late, warning]);
  const first = await read(alertsAnswer, rig.get("listAlerts", {}, "state=open&order=worst&limit=2"));
  expect(first.items.map(({ id }) => id)).toEqual([storm, late]);
  expect(await ids(`state=open&order=worst&cursor=${first.next}`)).toEqual([warning, child]);
  expect((await refused(rig.get("listAlerts", {}, `order=latest&cursor=${first.next}`))).errors).toMatchObject([
    { at: "cursor" },
  ]);
  expect(await ids(`parent=${storm}`)).toEqual([child]);
  expect(await ids("devices=old,child")).toEqual([old, child]);
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  expect(await ids(`from=${minutesAgo(85)}&to=${minutesAgo(50)}`)).toEqual([late, old]);
  const [row] = await listed("state=open&order=worst");
  expect(row).toMatchObject({
    children: 1,
    told: [
      { channel: "Slack", state: "waiting" },
      { channel: "desk", state: "told" },
    ],
  });

  expect(await read(alertSummary, rig.get("summarizeAlerts"))).toMatchObject({
    ...{ firing: 3, critical: 2, acknowledged: 0, criticalAcknowledged: 0, beneath: 1, criticalSites: ["north"] },
    channels: [{ name: "Slack", waiting: 1 }],
    ...{ tellsAnybody: false, silenced: 0 },
  });
  const untold = async () => (await listed("order=latest")).map((one) => [one.id, one.untold]);
  const nobody = { why: "no-route", name: null };
  const all = async (open: object | null) =>
    expect(Object.fromEntries(await untold())).toMatchObject({ [warning]: open, [late]: open, [old]: null });
  await all(nobody);
  await pool.query(
    `INSERT INTO route (place, name, channels, group_by, wait_ms, interval_ms) SELECT 1, 'all', ARRAY[id], '{}', 0, 0 FROM channel WHERE name = 'desk'`,
  );
  await all(null);
  await pool.query(
    `INSERT INTO silence (matchers, reason, starts_at, ends_at, made_by)
     VALUES ('[{"field": "device", "is": "is", "values": ["pump"]}]', 'being mended', now(), now() + interval '1 hour', 'cli')`,
  );
  await all({ why: "silenced", name: "being mended" });
  expect(await read(alertSummary, rig.get("summarizeAlerts"))).toMatchObject({ tellsAnybody: true, silenced: 2 });
  await pool.query(`UPDATE channel SET enabled = false`);
  await all({ why: "channel-off", name: "all" });
  const { items } = await read(ruleEpisodes, rig.get("listRuleEpisodes"));
  expect(items.map(({ rule }) => rule)).toEqual([1]);
  expect(items[0]!.days).toHaveLength(30);
  expect(
    items[0]!.days.reduce((sum, n) => sum + n),
    "what is beneath another isn't counted",
  ).toBe(4);
});
