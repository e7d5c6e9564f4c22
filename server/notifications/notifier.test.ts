import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { alertRows } from "@/server/testing/alert-rows";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { notifierRig } from "@/server/testing/notifier-rig";
import { ROUTING_KEY, startPagerDuty } from "@/server/testing/pagerduty";
import { type Receiver, startReceiver } from "@/server/testing/receiver";

const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-notifier-"));
let db: TestDatabase;
let rig: ReturnType<typeof notifierRig>;
let alerts: ReturnType<typeof alertRows>;
let receiver: Receiver;
beforeAll(async () => {
  db = await freshDatabase();
  rig = notifierRig(db, folder);
  alerts = alertRows(db.pool);
});
afterAll(async () => {
  await db.drop();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await rig.empty();
  await receiver.close();
});

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const titles = () => receiver.got.map(({ body }) => (JSON.parse(body) as { data: { title: string } }).data.title);
const hook = (name = "desk", more = {}) => rig.channel(name, "webhook", { url: receiver.url }, {}, more);

test("an event becomes a verdict, a message and a signed request; its end another one", async () => {
  const channel = await rig.channel("desk", "webhook", { url: `${receiver.url}/hook` }, { signingSecret: SECRET });
  await rig.route("all", [channel]);
  const alert = await alerts.fire();
  await rig.run();
  expect(await alerts.verdicts()).toEqual({ told: 1 });
  const [first] = receiver.got;
  const told = new Webhook(SECRET).verify(first!.body, first!.headers) as {
    type: string;
    data: { title: string; alerts: object[] };
  };
  expect(told.type).toBe("alert.firing");
  expect(told.data.title).toBe("Warning: too hot, press-07 at north");
  expect(told.data.alerts).toMatchObject([{ id: alert, device: "press-07", metric: "temperature", unit: "°C" }]);
  await alerts.resolve(alert);
  await rig.run();
  expect(titles()).toEqual(["Warning: too hot, press-07 at north", "Resolved: too hot, press-07 at north"]);
  await rig.run();
  expect(receiver.got).toHaveLength(2);
  expect(await rig.messages()).toMatchObject([{ status: "sent" }, { status: "sent", answer: "200 ok" }]);
});

test("a thousand events of one group are one message", async () => {
  await rig.route("all", [await hook()], { waitMs: 30_000 });
  await alerts.fireMany(1000, { severity: "critical" });
  await rig.run();
  expect(await alerts.verdicts()).toEqual({ grouped: 1000 });
  expect(receiver.got).toHaveLength(0);
  await rig.pass(30_000);
  expect(titles()).toEqual(["1000 firing: too hot at north"]);
  expect(await alerts.verdicts()).toEqual({ told: 1000 });
  const { data } = JSON.parse(receiver.got[0]!.body) as { data: { alerts: object[]; more: number } };
  expect(data.alerts.length + data.more).toBe(1000);
  expect(Buffer.byteLength(receiver.got[0]!.body)).toBeLessThanOrEqual(20_000);
});

test("each event has one verdict, which says why nobody was told", async () => {
  const channel = await hook();
  const off = await hook("off");
  await db.pool.query(`UPDATE channel SET enabled = false WHERE id = $1`, [off]);
  await rig.route("off", [off], { matchers: [{ field: "site", is: "is", values: ["cellar"] }] });
  await rig.route("north", [channel], { matchers: [{ field: "site", is: "is", values: ["north"] }] });
  await rig.silence([{ field: "device", is: "is", values: ["press-*"] }], rig.clock.now + 60_000);
  await db.pool.query(
    `INSERT INTO maintenance (name, matchers, cron, minutes, zone) VALUES ('daily', '[{"field":"device","is":"is","values":["pump"]}]', '* * * * *', 1, 'UTC')`,
  );
  await alerts.fire();
  await alerts.fire({ device: "pump" });
  await alerts.fire({ device: "fan" });
  await alerts.fire({ device: "far", site: "south" });
  await alerts.fire({ device: "low", site: "cellar" });
  const site = await alerts.fireSite("north", 3);
  await alerts.fire({ device: "child", parent: site });
  const known = await alerts.fire({ device: "known" });
  await alerts.acknowledge(known);
  await alerts.event(known, "stale");
  await alerts.event(known, "note");
  await rig.run();
  expect(await alerts.verdicts()).toEqual({
    ...{
      silenced: 1,
      maintenance: 1,
      told: 4,
      "no-route": 1,
      "channel-off": 1,
      inhibited: 1,
      acknowledged: 1,
      kept: 1,
    },
  });
  const { rows } = await db.pool.query(
    `SELECT verdict, by_name FROM alert_verdict WHERE by_id IS NOT NULL ORDER BY verdict`,
  );
  expect(rows).toEqual([
    { verdict: "inhibited", by_name: "the alert of its site" },
    { verdict: "maintenance", by_name: "daily" },
    { verdict: "silenced", by_name: "being mended" },
  ]);
});

test("a silence that ends while alerts fire tells each once, those over never, and those told before only their end", async () => {
  await rig.route("all", [await hook()]);
  const before = await alerts.fire({ device: "before" });
  await rig.run();
  await rig.silence([], rig.clock.now + 60_000);
  const firing = await alerts.fire({ device: "during" });
  const over = await alerts.fire({ device: "short" });
  await rig.pass(10_000);
  await alerts.resolve([over, before]);
  await rig.pass(10_000);
  expect(await alerts.verdicts()).toEqual({ told: 1, silenced: 4 });
  expect(titles()).toHaveLength(1);
  rig.restart();
  await rig.pass(60_000, 10_000);
  expect(titles()).toEqual(["Warning: too hot, before at north", "1 firing, 1 over: too hot at north"]);
  expect(receiver.got[1]!.body).toContain("during");
  expect(receiver.got[1]!.body).not.toContain("short");
  await alerts.resolve(firing);
  await rig.pass(1000);
  expect(titles()[2]).toBe("Resolved: too hot, during at north");
});

test("a silence that comes while a group waits covers it, too", async () => {
  await rig.route("all", [await hook()], { waitMs: 30_000 });
  await alerts.fire();
  await rig.run();
  await rig.silence([], rig.clock.now + 3_600_000);
  await rig.pass(60_000, 10_000);
  expect(receiver.got).toHaveLength(0);
  expect(await alerts.verdicts()).toEqual({ silenced: 1 });
});

test("what was told before a maintenance isn't told again after it, and what ended in it is told to have ended", async () => {
  await rig.route("all", [await hook()]);
  const [stays, ends] = [await alerts.fire({ device: "stays" }), await alerts.fire({ device: "ends" })];
  await rig.run();
  expect(receiver.got).toHaveLength(1);
  await db.pool.query(
    `INSERT INTO maintenance (name, matchers, cron, minutes, zone) VALUES ('now', '[]', '* * * * *', 1, 'UTC')`,
  );
  await alerts.resolve(ends!);
  await alerts.event(stays!, "stale");
  await rig.pass(5000);
  expect(receiver.got).toHaveLength(1);
  await db.pool.query(`UPDATE maintenance SET enabled = false`);
  await rig.pass(120_000, 10_000);
  expect(titles().slice(1)).toEqual(["Resolved: too hot, ends at north"]);
});

test("repeats come while nobody acknowledges; then they stop, and so does escalation", async () => {
  const [desk, boss] = [await hook(), await hook("boss")];
  await rig.route("all", [desk], { repeatMs: 600_000, escalateMs: 900_000, escalateTo: [boss] });
  const alert = await alerts.fire();
  await rig.pass(1800_000, 60_000);
  const told = (await rig.messages()).map(({ occasion }) => occasion);
  // After it went further, both are told.
  expect(told).toEqual(["news", "repeat", "escalation", "repeat", "repeat"]);
  await alerts.acknowledge(alert);
  await rig.pass(1);
  const sofar = receiver.got.length;
  await rig.pass(3_600_000, 300_000);
  expect(receiver.got.slice(sofar)).toHaveLength(0);
  await alerts.resolve(alert);
  await rig.pass(1000);
  expect(titles().at(-1)).toBe("Resolved: too hot, press-07 at north");
});

test("once an acknowledgement or a silence ends, repeats and escalation go on", async () => {
  const [desk, boss] = [await hook(), await hook("boss")];
  await rig.route("all", [desk], { repeatMs: 600_000, escalateMs: 900_000, escalateTo: [boss] });
  const told = async () =>
    (await rig.messages()).filter(({ occasion }) => occasion !== "news").map((one) => one.occasion);
  const alert = await alerts.fire();
  await rig.run();
  await alerts.acknowledge(alert);
  await db.pool.query(`UPDATE alert SET acknowledged_until = to_timestamp($1 / 1000.0)`, [rig.clock.now + 1_200_000]);
  await rig.pass(1_140_000, 60_000);
  expect(await told()).toEqual([]);
  await rig.pass(60_000);
  expect(await told()).toEqual(["repeat"]);
  await rig.pass(900_000, 60_000);
  expect(await told()).toEqual(["repeat", "repeat", "escalation"]);
  await rig.silence([{ field: "device", is: "is", values: ["press-07"] }], rig.clock.now + 1_800_000);
  await rig.pass(1_740_000, 60_000);
  expect(await told()).toHaveLength(3);
  await rig.pass(120_000, 60_000);
  expect((await told()).slice(3)).toEqual(["repeat"]);
  await rig.pass(900_000, 60_000);
  expect((await told()).slice(4)).toEqual(["repeat", "escalation"]);
});

test("a channel that is away for ten minutes gets what it missed as past; others don't wait for it", async () => {
  const other = await startReceiver();
  const [away, near] = [await hook("away"), await rig.channel("near", "webhook", { url: other.url })];
  await rig.route("all", [away, near], { groupBy: ["device"] });
  receiver.answer({ status: 500, body: "not now" });
  const alert = await alerts.fire();
  const stays = await alerts.fire({ device: "stays" });
  await rig.run();
  expect(other.got).toHaveLength(2);
  await rig.pass(300_000, 5000);
  await alerts.resolve(alert);
  await rig.pass(300_000, 5000);
  expect(other.got).toHaveLength(3);
  const tries = receiver.got.length;
  expect(tries).toBeLessThan(12);
  receiver.answer({ status: 200 });
  await rig.pass(1200_000, 60_000);
  const got = receiver.got.slice(tries);
  expect(got).toHaveLength(2);
  const bodies = got.map(({ body }) => body);
  expect(bodies.find((body) => body.includes(`"id":${alert},`))).toMatch(
    /Resolved: too hot.*Told late: away was away since/s,
  );
  expect(bodies.find((body) => body.includes(`"id":${stays},`))).toMatch(/Warning: too hot, stays/);
  const states = (await rig.messages()).map(({ status }) => status).sort();
  expect(states).toEqual(["replaced", "sent", "sent", "sent", "sent", "sent"]);
  await other.close();
});

test("Retry-After is obeyed to the second, and a repeat keeps its id", async () => {
  await rig.route("all", [await hook()]);
  receiver.answer({ status: 429, headers: { "retry-after": "30" } });
  await alerts.fire();
  await rig.run();
  receiver.answer({ status: 200 });
  await rig.pass(29_000, 1000);
  expect(receiver.got).toHaveLength(1);
  await rig.pass(1000);
  expect(receiver.got).toHaveLength(2);
  const [one, two] = receiver.got.map(({ headers, body }) => ({ id: headers["webhook-id"], body }));
  expect(two).toEqual(one);
});

test("that an alert is over is never told before that it fires, though that failed while the other was made", async () => {
  await rig.route("all", [await hook()]);
  receiver.answer({ status: 503 });
  const alert = await alerts.fire();
  await rig.run();
  // As it is while an attempt is under way: a message that is made then can't take its place.
  await db.pool.query(`UPDATE notification SET status = 'sending'`);
  await alerts.resolve(alert);
  await rig.run();
  await db.pool.query(`UPDATE notification SET status = 'waiting' WHERE status = 'sending'`);
  receiver.answer({ status: 200 });
  receiver.got.splice(0);
  await rig.pass(20_000, 1000);
  expect(titles()).toEqual(["Warning: too hot, press-07 at north", "Resolved: too hot, press-07 at north"]);
});

test("an episode that late readings have shown is told if its rule says so, and else only recorded", async () => {
  await rig.route("all", [await hook()], { groupBy: ["rule"] });
  const [recorded, told] = [await alerts.fire({ rule: "records" }), await alerts.fire({ rule: "tells" })];
  await db.pool.query(`UPDATE alert SET late = true`);
  await db.pool.query(`UPDATE alert_rule SET spec = '{"late": "tell"}' WHERE name = 'tells'`);
  await alerts.resolve([recorded, told]);
  await rig.run();
  expect(titles()).toEqual(["Resolved: tells, press-07 at north"]);
  expect(await alerts.verdicts()).toEqual({ kept: 2, told: 2 });
});

test("of what fired when there was no route, one that has come since tells what still fires, and of what is over nothing", async () => {
  const [first, second] = [await alerts.fire(), await alerts.fire({ device: "other" })];
  await rig.run();
  expect(await alerts.verdicts()).toEqual({ "no-route": 2 });
  await rig.route("all", [await hook()]);
  await alerts.resolve(first);
  await rig.run();
  expect(await alerts.verdicts()).toEqual({ "no-route": 1, kept: 1, told: 1 });
  // Once something was told of it, its end is.
  await alerts.resolve(second);
  await rig.run();
  expect(titles()).toEqual(["Warning: too hot, other at north", "Resolved: too hot, other at north"]);
});

test("an end that is decided between judging and telling is told once", async () => {
  await rig.route("all", [await hook()]);
  const alert = await alerts.fire();
  await alerts.resolve(alert);
  // Held, it is passed over as one that is committed a moment later.
  const other = await db.pool.connect();
  await other.query("BEGIN");
  await other.query(`SELECT FROM alert_event WHERE kind = 'resolved' FOR UPDATE`);
  await rig.run();
  expect(await alerts.verdicts()).toEqual({ grouped: 1, unhandled: 1 });
  await other.query("COMMIT");
  other.release();
  await rig.run();
  await rig.run();
  expect(titles()).toEqual(["Resolved: too hot, press-07 at north"]);
  expect(await alerts.verdicts()).toEqual({ told: 2 });
});

test("a message that is refused is told of through the fallback at once, once, and so is that all is well again", async () => {
  const other = await startReceiver();
  const fallback = await rig.channel("fallback", "webhook", { url: other.url });
  await rig.route("all", [await hook("gone", { fallback })], { groupBy: ["device"] });
  receiver.answer({ status: 404, body: "no such hook" });
  await alerts.fireMany(3);
  await rig.run();
  await rig.run();
  expect((await rig.messages()).map(({ status }) => status)).toEqual(["failed", "failed", "failed", "sent"]);
  expect(other.got).toHaveLength(1);
  expect(other.got[0]!.body).toMatch(/gone can't be used since.*404 no such hook/s);
  receiver.answer({ status: 200 });
  await alerts.fire({ device: "next" });
  await rig.run();
  await rig.run();
  expect(other.got[1]!.body).toContain("gone takes messages again");
  await other.close();
});

test("a channel that is away for a minute is told of through the fallback", async () => {
  const other = await startReceiver();
  const fallback = await rig.channel("fallback", "webhook", { url: other.url });
  await rig.route("all", [await hook("away", { fallback })]);
  receiver.answer("reset");
  await alerts.fire();
  await rig.pass(50_000, 5000);
  expect(other.got).toHaveLength(0);
  await rig.pass(30_000, 5000);
  expect(other.got).toHaveLength(1);
  expect(other.got[0]!.body).toMatch(/1 message waits for it/);
  await other.close();
});

test("what is more than a channel takes is told together, and later", async () => {
  await rig.route("all", [await hook("phone", { mostPerHour: 5 })], { groupBy: ["device"] });
  await alerts.fireMany(40);
  await rig.run();
  expect(receiver.got).toHaveLength(5);
  expect(await alerts.verdicts()).toEqual({ told: 5, "rate-limited": 35 });
  await rig.pass(300_000, 60_000);
  expect(receiver.got).toHaveLength(6);
  expect(titles()[5]).toBe("35 firing: too hot at north");
});

test("a message is given up after a day", async () => {
  await rig.route("all", [await hook()]);
  receiver.answer({ status: 503 });
  await alerts.fire();
  await rig.pass(25 * 3_600_000, 1_800_000);
  expect(await rig.messages()).toMatchObject([{ status: "given-up" }]);
  const { rows } = await db.pool.query(`SELECT outcome, count(*)::integer AS n FROM notification_attempt GROUP BY 1`);
  expect(rows).toEqual([{ outcome: "retry", n: expect.any(Number) as number }]);
});

test("no secret is in a message, an attempt or an answer", async () => {
  const secret = "whsec_planted0planted0planted0planted0";
  receiver.answer((request) => ({ status: 500, body: `you said ${JSON.stringify(request.headers)} ${secret}` }));
  await rig.route("all", [
    await rig.channel(
      "desk",
      "webhook",
      { url: receiver.url },
      { signingSecret: secret, authorization: "Bearer planted-token-1" },
    ),
  ]);
  await alerts.fire();
  await rig.run();
  const { rows } = await db.pool.query<{ all: string }>(
    `SELECT (SELECT string_agg(n::text, '') FROM notification n) || (SELECT string_agg(a::text, '') FROM notification_attempt a)
       || (SELECT string_agg(c::text, '') FROM channel c) AS all`,
  );
  expect(rows[0]!.all).toContain("you said");
  expect(rows[0]!.all).not.toMatch(/planted/);
});

test("Alertmanager is told each minute what still fires, until it is over or we stop", async () => {
  const channel = await rig.channel("am", "alertmanager", { url: receiver.url });
  await rig.route("all", [channel]);
  const alert = await alerts.fire({ at: rig.clock.now });
  await rig.run();
  const ends = () =>
    receiver.got.map(({ body }) => Date.parse((JSON.parse(body) as { endsAt: string }[])[0]!.endsAt) - rig.clock.now);
  const before = receiver.got.length;
  await rig.pass(300_000, 30_000);
  expect(receiver.got.length - before).toBe(5);
  expect(ends().at(-1)).toBe(300_000);
  expect(await rig.messages()).toHaveLength(1);
  await alerts.resolve(alert, rig.clock.now);
  await rig.pass(1000);
  expect(ends().at(-1)).toBeLessThanOrEqual(0);
  const over = receiver.got.length;
  await rig.pass(300_000, 30_000);
  expect(receiver.got).toHaveLength(over);
});

test("what is beneath the alert of its site isn't told, unless it still fires two minutes after that is over", async () => {
  await rig.route("all", [await hook()]);
  const single = await alerts.fire({ device: "early" });
  await rig.run();
  const site = await alerts.fireSite("north", 500, rig.clock.now);
  const children = await alerts.fireMany(3, { device: "child", parent: site, severity: "critical" });
  await rig.run();
  expect(titles()).toEqual(["Warning: too hot, early at north", "Critical: site cut off, at north"]);
  expect(receiver.got[1]!.body).toContain("site cut off, at north, 3 of 500 devices silent since");
  await alerts.resolve(children[0]!, rig.clock.now);
  await rig.pass(600_000, 60_000);
  await alerts.resolve([site, single], rig.clock.now);
  await rig.run();
  await alerts.resolve(children[1]!, rig.clock.now);
  await rig.pass(110_000, 10_000);
  expect(titles().slice(2).sort()).toEqual(["Resolved: site cut off, at north", "Resolved: too hot, early at north"]);
  await rig.pass(20_000, 10_000);
  expect(titles().slice(4)).toEqual(["Critical: too hot, child-2 at north"]);
});

test("an alert of a site that nobody is told of keeps back nothing", async () => {
  await rig.route("devices", [await hook()], { matchers: [{ field: "device", is: "is", values: ["*"] }] });
  const site = await alerts.fireSite("north", 500, rig.clock.now);
  await alerts.fireMany(2, { device: "child", parent: site });
  await rig.run();
  expect(titles()).toEqual(["2 firing: too hot at north"]);
});

test("PagerDuty: a group is one incident, acknowledged and resolved by its key, whatever is repeated on the way", async () => {
  const pagerDuty = await startPagerDuty();
  const settings = { url: `${pagerDuty.url}/v2/enqueue` };
  try {
    const channel = await rig.channel("on call", "pagerduty", settings, { routingKey: ROUTING_KEY });
    await rig.route("all", [channel], { groupBy: ["rule"], repeatMs: 600_000 });
    const { incidents } = pagerDuty;
    // Told, but the answer is lost; then there is too much asked, and it says for how long; then without saying.
    pagerDuty.loseAnswers(1);
    const alert = await alerts.fire();
    await rig.run();
    expect(incidents).toMatchObject([{ status: "triggered", triggers: 1 }]);
    pagerDuty.throttle(1, 30);
    await rig.pass(10_000, 1000);
    expect(await rig.messages()).toMatchObject([
      { status: "waiting", attempts: 2, answer: expect.stringContaining("429") as string },
    ]);
    await rig.pass(31_000, 1000);
    expect(await rig.messages()).toMatchObject([
      { status: "sent", attempts: 3, answer: expect.stringContaining("Event processed") as string },
    ]);
    expect(incidents).toMatchObject([
      { status: "triggered", triggers: 2, severity: "warning", summary: "Warning: too hot, press-07 at north" },
    ]);
    // A repeat, and another alert of the group that is worse, are the same incident.
    await rig.pass(600_000, 60_000);
    const worse = await alerts.fire({ device: "press-08", severity: "critical" });
    await rig.run();
    expect(incidents).toMatchObject([{ status: "triggered", severity: "critical" }]);
    expect(incidents).toHaveLength(1);

    await alerts.acknowledge(worse);
    await rig.pass(1000);
    expect(incidents).toMatchObject([{ status: "triggered" }]);
    await alerts.acknowledge(alert);
    await rig.pass(1000);
    expect(incidents).toMatchObject([{ status: "acknowledged" }]);
    await rig.pass(1_800_000, 300_000);
    expect(incidents).toMatchObject([{ status: "acknowledged" }]);

    pagerDuty.throttle(2);
    await alerts.resolve([alert, worse]);
    await rig.pass(60_000, 1000);
    expect(incidents).toMatchObject([{ status: "resolved" }]);
    const keys = pagerDuty.got.map(({ body }) => (JSON.parse(body) as { dedup_key: string }).dedup_key);
    expect(new Set(keys).size).toBe(1);

    // What comes after that is another incident.
    await alerts.fire({ device: "press-09" });
    await rig.run();
    expect(incidents.map(({ status }) => status)).toEqual(["resolved", "triggered"]);

    // A key that isn't known is refused for ever, in its words, and without it.
    const wrong = await rig.channel("old key", "pagerduty", settings, { routingKey: `${"x".repeat(28)}PLAN` });
    await db.pool.query(`UPDATE route SET channels = $1`, [[wrong]]);
    await alerts.fire({ rule: "too cold" });
    await rig.run();
    expect((await rig.messages()).at(-1)).toMatchObject({
      ...{ status: "failed", attempts: 1, answer: expect.stringMatching(/400 .*'routing_key' is invalid/s) as string },
    });
  } finally {
    await pagerDuty.close();
  }
});
