import type { Pool } from "pg";
import pino from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { sentenceOf } from "@/server/domain/events/event";
import { until } from "@/server/testing/until";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { followOwn } from "./follow";
import { readLag } from "./lag";
import { type EventFilter, readEvents } from "./list";
import { followSilences, type SilenceDeps } from "./silences";
import { noteStart } from "./starts";
import { noteAbsence, noteVersion } from "./write";

let db: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  db = await freshDatabase();
  pool = db.pool;
  await pool.query(`INSERT INTO site (name) VALUES ('north'), ('south')`);
});
afterAll(() => db.drop());
beforeEach(() => pool.query(`TRUNCATE event, lag_minute; DELETE FROM device; DELETE FROM telemetry_open`));

const MINUTE = 60_000;
const now = Date.now();

async function addDevices(count: number, site: string, secondsAgo: number, spread = 0): Promise<void> {
  await pool.query(
    `INSERT INTO device (name, site_id, last_seen, messages) SELECT s.name || '-' || i || CASE WHEN $3 < 10 THEN ' live' ELSE '' END, s.id, now() - interval '1 s' * ($3::float8 + $4::float8 * i), 1
     FROM site s, generate_series(1, $1) i WHERE s.name = $2`,
    [count, site, secondsAgo, spread],
  );
}

const deps = (over: Partial<SilenceDeps> = {}): SilenceDeps => ({
  pool,
  watermark: async () => Date.now(),
  judge: async (_, watermark) => (since, afterMs) => watermark - since >= afterMs,
  usual: { staleMs: MINUTE, leastMs: 30_000 },
  ...over,
});

const all = (over: Partial<EventFilter> = {}) =>
  readEvents(pool, {
    ...{ sites: "all", from: now - 86_400_000, to: now + 86_400_000, isGrouped: true, limit: 100 },
    ...over,
  });

test("a fleet that falls silent is a few statements and a line for each site, and again nothing when looked at again", async () => {
  await addDevices(5000, "north", 1200, 0.01);
  await addDevices(3, "south", 1500);
  await addDevices(1, "south", 5);
  let statements = 0;
  const count = () => statements++;
  const counting = new Proxy(pool, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name === "query" || name === "connect") count();
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await followSilences(deps({ pool: counting }));
  expect(statements).toBeLessThan(6);
  await Promise.all([followSilences(deps()), followSilences(deps())]);
  expect((await pool.query(`SELECT FROM event`)).rowCount).toBe(5003);
  const groups = await all({ kinds: ["silence"] });
  expect(groups.map(({ site, count, open, to }) => ({ site, count, open, to }))).toEqual([
    { site: "north", count: 5000, open: 5000, to: null },
    { site: "south", count: 3, open: 3, to: null },
  ]);
  await pool.query(`UPDATE device SET last_seen = now() WHERE name LIKE 'north-%'`);
  await followSilences(deps());
  const [north] = await all({ kinds: ["silence"], site: "north" });
  expect(north).toMatchObject({ count: 5000, open: 0, to: expect.closeTo(Date.now(), -5) });
  expect((await all({ kinds: ["silence"], isGrouped: false, devices: ["north-7"] })).length).toBe(1);
});

test("a device that goes stale and then silent is one event that grew, and one that comes back before stays stale", async () => {
  await addDevices(3, "north", 90);
  const told = async () =>
    (await all({ kinds: ["silence"] })).map(({ severity, count, silent, open, ...event }) => [
      sentenceOf({ ...event, count, silent, isOver: open === 0, durationMs: 0 }),
      ...[severity, open],
    ]);
  await followSilences(deps());
  await followSilences(deps());
  expect(await told()).toEqual([["3 devices of north went stale", "info", 3]]);
  const [{ id }] = (await pool.query<{ id: string }>(`SELECT id FROM event WHERE device_name = 'north-1'`)).rows as [
    { id: string },
  ];

  await pool.query(`UPDATE device SET last_seen = now() WHERE name = 'north-3'`);
  await pool.query(`UPDATE device SET last_seen = last_seen - interval '10 min' WHERE name = 'north-1'`);
  await pool.query(`UPDATE event SET started_at = started_at - interval '10 min' WHERE device_name = 'north-1'`);
  await Promise.all([followSilences(deps()), followSilences(deps())]);
  await followSilences(deps());
  expect(await told()).toEqual([
    ["2 devices of north went stale", "info", 1],
    ["north-1 fell silent", "warning", 1],
  ]);
  expect((await pool.query(`SELECT FROM event WHERE id = $1 AND data->>'state' = 'silent'`, [id])).rowCount).toBe(1);
  // Together they are told by both words, as severe as the worst.
  await pool.query(`UPDATE event SET started_at = now() - interval '90 s', ended_at = NULL`);
  expect(await told()).toEqual([["3 devices of north went stale, 1 of them silent", "warning", 3]]);
});

test("nobody is stale by a pace that is usual for it, unless its type says so", async () => {
  await addDevices(2, "north", 90);
  await pool.query(`UPDATE device SET gaps = 20, gap_p99 = 40000`);
  await pool.query(`UPDATE device SET stale_seconds = 60 WHERE name = 'north-2'`);
  await followSilences(deps());
  expect((await all()).map(({ device }) => device)).toEqual(["north-2"]);
});

test("each start of a process is one event, with how long there was none", async () => {
  const logger = pino({ level: "silent" });
  const told = async () =>
    (await all({ kinds: ["process"] })).map((event) => [
      sentenceOf({ ...event, isOver: event.to !== null, durationMs: 0 }),
      ...[event.severity, event.to! - event.from],
    ]);
  const count = async (role: string) =>
    (await pool.query(`SELECT FROM event WHERE kind = 'process' AND key = $1`, [role])).rowCount ?? 0;
  const started = async (role: "web" | "worker", death: Parameters<typeof noteStart>[2] = null) => {
    const before = await count(role);
    const start = noteStart(pool, role, death, logger);
    await until(async () => (await count(role)) > before);
    return start;
  };
  const first = await started("worker");
  expect(await told()).toEqual([["The process worker was started", "info", 0]]);
  await first.stop();
  await pool.query(
    `UPDATE event SET data = data || jsonb_build_object('stoppedAt', (data->>'stoppedAt')::float8 - 6000)`,
  );
  const second = await started("worker");
  const restarted = (await told()).find(
    ([sentence]) => sentence === "The process worker was stopped and started again",
  );
  expect(restarted?.[1]).toBe("info");
  expect(restarted?.[2]).toBeGreaterThanOrEqual(6000);
  // A stop is followed once, and another role's never.
  const more = [await started("worker"), await started("web")];
  expect(
    (await told())
      .map(([sentence]) => sentence)
      .slice(0, 2)
      .sort(),
  ).toEqual(["The process web was started", "The process worker was started"]);
  const killed = await started("web", { at: Date.now() - 3000, how: "SIGKILL" });
  expect(await told()).toContainEqual([
    "The process web ended (SIGKILL) and was started again",
    "warning",
    expect.any(Number),
  ]);
  expect([await count("worker"), await count("web")]).toEqual([3, 2]);
  for (const one of [second, killed, ...more]) await one.stop();
});

test("nobody is silent while it isn't known whether all was handled, nor by a silence that is usual or ours", async () => {
  await addDevices(1, "north", 1200);
  await followSilences(deps({ watermark: async () => null }));
  await followSilences(deps({ judge: async () => () => false }));
  await pool.query(`UPDATE device SET gaps = 20, gap_p99 = 600000`);
  await followSilences(deps());
  expect((await pool.query(`SELECT FROM event`)).rowCount).toBe(0);
});

test("who sees one site is told of its devices alone, by where they are now", async () => {
  await addDevices(1, "north", 1200);
  await followSilences(deps());
  await noteVersion(pool, "1.0.0");
  const ids = async (site: string) =>
    (await pool.query<{ id: number }>(`SELECT id FROM site WHERE name = $1`, [site])).rows.map(({ id }) => id);
  const kinds = async (site: string) => (await all({ sites: await ids(site) })).map(({ kind }) => kind);
  expect(await kinds("north")).toEqual(["silence"]);
  expect(await kinds("south")).toEqual([]);
  await pool.query(`UPDATE device SET site_id = (SELECT id FROM site WHERE name = 'south')`);
  expect([await kinds("north"), await kinds("south")]).toEqual([[], ["silence"]]);
});

const probe = (status: "pass" | "warn" | "fail", at: number) => ({
  ...{
    name: "postgres.reachable",
    title: "Reachable",
    group: "PostgreSQL",
    status,
    summary: "Can't be reached.",
    cause: "It is away.",
  },
  since: new Date(at).toISOString(),
});

test("a probe's trouble is one stretch, as severe as it ever was, written when the database is back", async () => {
  let isAway = true;
  const failing = new Proxy(pool, {
    get: (target, name) =>
      name === "query" && isAway
        ? () => Promise.reject(new Error("away"))
        : (Reflect.get(target, name) as () => unknown).bind?.(target),
  });
  const follower = followOwn(failing, () => undefined);
  follower.sawProbes([probe("pass", now - 9 * MINUTE)]);
  follower.sawProbes([probe("warn", now - 5 * MINUTE)]);
  follower.sawProbes([probe("fail", now - 4 * MINUTE)]);
  follower.sawProbes([probe("warn", now - 3 * MINUTE)]);
  await follower.settled();
  isAway = false;
  follower.sawProbes([probe("pass", now - 2 * MINUTE)]);
  await follower.settled();
  expect(await all()).toMatchObject([
    { kind: "probe", key: "postgres.reachable", severity: "critical", from: now - 5 * MINUTE, to: now - 2 * MINUTE },
  ]);
});

test("what a killed process left open is closed by the next one's first look", async () => {
  const killed = followOwn(pool, () => undefined);
  killed.sawProbes([probe("fail", now - 5 * MINUTE)]);
  await killed.settled();
  const next = followOwn(pool, () => undefined);
  next.sawProbes([probe("pass", now)]);
  await next.settled();
  expect(await all()).toMatchObject([{ from: now - 5 * MINUTE, to: now }]);
});

test("lag is kept by the minute, and an episode of it is one event from when what waits longest came", async () => {
  const start = Math.floor(now / MINUTE) * MINUTE - 3 * MINUTE;
  const follower = followOwn(pool, () => undefined);
  follower.sawLag(start, 0, 0);
  follower.sawLag(start + 30_000, 12, 40);
  follower.sawLag(start + 45_000, 27, 90);
  follower.sawLag(start + MINUTE, 1, 3);
  await follower.settled();
  expect(await readLag(pool, start, start + 2 * MINUTE, MINUTE)).toEqual([{ time: start, seconds: 27, messages: 90 }]);
  expect(await all()).toMatchObject([{ kind: "lag", from: start + 18_000, to: start + MINUTE, data: { seconds: 27 } }]);
});

test("a version is noted when it changes, and the time in which nothing ran", async () => {
  await Promise.all(Array.from({ length: 8 }, () => noteVersion(pool, "1.0.0")));
  await noteVersion(pool, "1.1.0");
  await pool.query(
    `INSERT INTO telemetry_open (process, since, until) SELECT 'web', at - interval '2 h', at - interval '1 h' FROM to_timestamp($1 / 1000.0) at`,
    [now],
  );
  await Promise.all([noteAbsence(pool, now), noteAbsence(pool, now)]);
  await noteAbsence(pool, now + 1000);
  expect(
    (await all()).map(({ kind, data, to, from }) => [kind, data.version ?? Math.round((to! - from) / MINUTE)]),
  ).toEqual([
    ["deployment", "1.1.0"],
    ["deployment", "1.0.0"],
    ["process", 60],
  ]);
});

test("pages follow each other without loss, with alerts and edits among them", async () => {
  await pool.query(`INSERT INTO event (kind, key, severity, started_at, ended_at, data)
    SELECT 'note', i::text, 'info', now(), now(), '{"text": "hello belt"}' FROM generate_series(1, 5) i`);
  await pool.query(
    `INSERT INTO alert (rule_id, rule_version, severity, state, started_at, fired_at) VALUES (1, 1, 'critical', 'firing', now(), now())`,
  );
  await pool.query(
    // The record keeps names of devices apart.
    `WITH told AS (INSERT INTO audit_row (actor_kind, actor, verb, outcome, personal) VALUES ('user', 'Ada', 'updateDevice', 'done', '{"target": ""}') RETURNING id)
     INSERT INTO audit_value (row_id, path, salt, value) SELECT id, 'target', '\\x00', 'd' FROM told`,
  );
  // The simulator says at each start what is so already.
  await pool.query(
    `INSERT INTO audit_row (actor_kind, actor, verb, target, outcome, detail) VALUES
       ('key', 'demo', 'updateMetric', 'humidity', 'done', '{"before": {"unit": "%"}, "after": {"unit": "%"}}')`,
  );
  await pool.query(
    `WITH told AS (INSERT INTO audit_row (actor_kind, actor, verb, target, outcome, detail)
       VALUES ('key', 'demo', 'updateMetric', 'level', 'done', '{"before": {"units": [null]}, "after": {"units": [null]}}') RETURNING id)
     INSERT INTO audit_value (row_id, path, salt, value) SELECT id, v.*
     FROM told, (VALUES ('detail.before.units.0', '\\x00'::bytea, 'm of d'), ('detail.after.units.0', '\\x00', 'cm of d')) v`,
  );
  const seen: string[] = [];
  for (let after: EventFilter["after"]; ;) {
    const page = await all({ limit: 2, after });
    seen.push(...page.map(({ id }) => id));
    const last = page.at(-1);
    if (last === undefined) break;
    after = { from: last.from, id: last.id };
  }
  expect(new Set(seen).size).toBe(8);
  expect(seen.length).toBe(8);
  expect((await all({ text: "BELT" })).length).toBe(5);
  expect((await all({ severity: "critical" })).map(({ kind }) => kind)).toEqual(["alert"]);
  expect((await all({ kinds: ["edit"] })).map(({ data }) => data.target).sort()).toEqual(["d", "level"]);
});
