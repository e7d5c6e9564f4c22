import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { alertRows } from "@/server/testing/alert-rows";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { notifierRig } from "@/server/testing/notifier-rig";
import { type Receiver, startReceiver } from "@/server/testing/receiver";
import { until } from "@/server/testing/until";
import { runNotifier } from "./notifier";
import { createTurn, nextTurnAt } from "./turn";

const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-waking-"));
let db: TestDatabase;
let receiver: Receiver;
beforeAll(async () => {
  db = await freshDatabase();
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver.close();
  await db.drop();
  rmSync(folder, { recursive: true });
});

test("a notifier that rests is woken by an event, by a silence that ends, and by its own next turn", async () => {
  const rig = notifierRig(db, folder);
  const alerts = alertRows(db.pool);
  const channel = await rig.channel("desk", "webhook", { url: receiver.url });
  await rig.route("all", [channel]);
  const eventLog = { append: () => Promise.reject(new Error("nobody reads it here")) };
  // By itself it would look again after ten minutes.
  const notifier = runNotifier({ ...rig.deps, now: Date.now, eventLog, restMs: 600_000 });
  try {
    const listens = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'`;
    await until(async () => (await db.pool.query(listens)).rowCount! > 0);
    await alerts.fire();
    await until(() => receiver.got.length === 1);
    const silence = await rig.silence([{ field: "device", is: "is", values: ["other"] }], Date.now() + 3_600_000);
    await alerts.fire({ device: "other" });
    await until(async () => (await alerts.verdicts())["silenced"] === 1);
    await db.pool.query(`UPDATE silence SET ends_at = now() WHERE id = $1`, [silence]);
    await until(() => receiver.got.length === 2);
    await db.pool.query(`UPDATE route SET wait_ms = 200, interval_ms = 200, revision = revision + 1`);
    await alerts.fire({ device: "third" });
    await until(() => receiver.got.length === 3);
  } finally {
    await notifier.stop();
  }
  expect(await nextTurnAt(db.pool, Date.now())).toBeNull();
});

test("a statement that changes no row wakes nobody", async () => {
  const listener = new pg.Client({ connectionString: db.connectionString });
  await listener.connect();
  try {
    let woken = 0;
    listener.on("notification", () => woken++);
    await listener.query("LISTEN fieldwatch_notifier");
    await db.pool.query(
      "INSERT INTO alert_event (alert_id, kind, severity, at) SELECT alert_id, kind, severity, at FROM alert_event WHERE false",
    );
    await db.pool.query("UPDATE silence SET ends_at = now() WHERE false");
    await db.pool.query("UPDATE channel SET revision = revision + 1 WHERE false");
    await db.pool.query("DELETE FROM maintenance WHERE false");
    // Notifications come in the order of their transactions: none was before this one.
    await db.pool.query("UPDATE route SET revision = revision + 1");
    await until(() => woken > 0);
    expect(woken).toBe(1);
  } finally {
    await listener.end();
  }
});

test("an event is judged by the routes there are when it comes, though the notifier was already looking", async () => {
  await db.pool.query("TRUNCATE alert, channel, route CASCADE");
  const rig = notifierRig(db, folder);
  const alerts = alertRows(db.pool);
  const channel = await rig.channel("desk", "webhook", { url: receiver.url });
  // While all is well there is no look.
  await alerts.acknowledge(await alerts.fire({ device: "before" }));
  await rig.turn();
  const other = await db.pool.connect();
  try {
    // What mutes is read after the routes: there the notifier is held.
    await other.query("BEGIN; LOCK TABLE maintenance IN ACCESS EXCLUSIVE MODE");
    const turn = rig.turn();
    const waits = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await until(async () => (await db.pool.query(waits)).rowCount! > 0);
    await rig.route("all", [channel]);
    await alerts.fire();
    await other.query("COMMIT");
    await turn;
  } finally {
    other.release();
  }
  await rig.turn();
  // Two are of the one before: that it fired, and that somebody has seen it.
  expect(await alerts.verdicts()).toEqual({ "no-route": 2, told: 1 });
});

test("while nothing is wrong a turn is one statement", async () => {
  await db.pool.query("TRUNCATE alert, channel, route, silence CASCADE");
  const rig = notifierRig(db, folder);
  await rig.route("all", [await rig.channel("desk", "webhook", { url: receiver.url })]);
  const asked: string[] = [];
  const query = (statement: { text: string }) => {
    asked.push(statement.text);
    return db.pool.query(statement);
  };
  const connect = () => Promise.reject(new Error("no transaction is needed"));
  const turn = createTurn({ ...rig.deps, pool: { query, connect } as unknown as pg.Pool });
  await turn();
  expect(asked).toHaveLength(1);
});

test("what was held by a silence that is over before anybody has looked again is told in the same turn", async () => {
  await db.pool.query("TRUNCATE alert, channel, route, silence CASCADE");
  const rig = notifierRig(db, folder);
  const alerts = alertRows(db.pool);
  await rig.route("all", [await rig.channel("desk", "webhook", { url: receiver.url })]);
  const after = rig.clock.now - 1000;
  const within = after - 1000;
  const times = [within - 1000];
  const turn = createTurn({ ...rig.deps, now: () => (times.length > 1 ? times.shift()! : times[0]!) });
  await turn();
  rig.clock.now = within;
  await rig.silence([{ field: "device", is: "is", values: ["press-07"] }], after);
  await alerts.fire();
  times.splice(0, 1, within, within, after);
  await turn();
  expect(await alerts.verdicts()).toEqual({ silenced: 1 });
  expect(await rig.messages()).toMatchObject([{ title: expect.stringContaining("press-07") }]);
});

test("what fires while no route leads to anybody is told once when one does, grouped as usual", async () => {
  await db.pool.query("TRUNCATE alert, channel, route CASCADE");
  const rig = notifierRig(db, folder);
  const alerts = alertRows(db.pool);
  const own = await startReceiver();
  const titles = () => own.got.map(({ body }) => (JSON.parse(body) as { data: { title: string } }).data.title);
  const eventLog = { append: () => Promise.reject(new Error("nobody reads it here")) };
  const notifier = runNotifier({ ...rig.deps, now: Date.now, eventLog, restMs: 600_000 });
  try {
    const [first, over, held] = [
      await alerts.fire(),
      await alerts.fire({ device: "b" }),
      await alerts.fire({ device: "c" }),
    ];
    const mine = await alerts.fire({ device: "d" });
    await alerts.acknowledge(mine);
    await alerts.resolve(over);
    await until(async () => (await alerts.verdicts())["no-route"] === 6);
    await rig.silence([{ field: "device", is: "is", values: ["c"] }], Date.now() + 3_600_000);
    // A route alone leads to nobody.
    const channel = await rig.channel("desk", "webhook", { url: own.url });
    await db.pool.query(`UPDATE channel SET enabled = false, revision = revision + 1`);
    await rig.route("north", [channel], { matchers: [{ field: "site", is: "is", values: ["north"] }] });
    const south = await alerts.fire({ device: "e", site: "south" });
    await until(async () => (await alerts.verdicts())["no-route"] === 7);
    await db.pool.query(`UPDATE channel SET enabled = true, revision = revision + 1`);
    await until(() => own.got.length === 1);
    expect(titles()[0]).toMatch(/^Warning: too hot, press-07 at north/);
    expect(await alerts.verdicts()).toEqual({ told: 1, silenced: 1, "no-route": 5 });
    await alerts.resolve(first);
    await until(() => own.got.length === 2);
    await rig.route("rest", [channel]);
    await until(() => own.got.length === 3);
    expect(titles().slice(1)).toEqual([
      expect.stringMatching(/^Resolved: too hot, press-07/),
      expect.stringMatching(/^Warning: too hot, e at south/),
    ]);
    // Whatever is changed afterwards: what was told is not told again, but what was held is, and what nobody has in hand any more.
    await db.pool.query(`UPDATE route SET revision = revision + 1`);
    await db.pool.query(`UPDATE silence SET ends_at = now()`);
    await until(() => own.got.length === 4);
    await db.pool.query(`UPDATE alert SET acknowledged_at = NULL, acknowledged_by = NULL WHERE id = $1`, [mine]);
    await db.pool.query(`UPDATE route SET revision = revision + 1`);
    await until(() => own.got.length === 5);
    expect(titles().slice(3)).toEqual([
      expect.stringMatching(/^Warning: too hot, c at north/),
      expect.stringMatching(/^Warning: too hot, d at north/),
    ]);
    expect([held, south].every((id) => id > 0)).toBe(true);
  } finally {
    await notifier.stop();
    await own.close();
  }
});

test("what a removed route had still to tell is told by the next, and two notifiers at once tell nothing twice", async () => {
  await db.pool.query("TRUNCATE alert, channel, route CASCADE");
  const rig = notifierRig(db, folder);
  const alerts = alertRows(db.pool);
  const channel = await rig.channel("desk", "webhook", { url: receiver.url });
  const slow = await rig.route("slow", [channel], { waitMs: 3_600_000 });
  await alerts.fireMany(20);
  await rig.turn();
  expect(await alerts.verdicts()).toEqual({ grouped: 20 });
  await db.pool.query(`DELETE FROM route WHERE id = $1`, [slow]);
  await rig.turn();
  await rig.route("all", [channel], { waitMs: 0 });
  await Promise.all(Array.from({ length: 4 }, () => notifierRig(db, folder).turn()));
  await rig.turn();
  expect(await alerts.verdicts()).toEqual({ told: 20 });
  const { rows } = await db.pool.query(`SELECT cardinality(alert_ids) AS n FROM notification`);
  expect(rows).toEqual([{ n: 20 }]);
});
