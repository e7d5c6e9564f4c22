import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createPostgresDeadLetters } from "@/server/adapters/postgres/dead-letters";
import { createPostgresMessageArchive } from "@/server/adapters/postgres/message-archive";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { sayIn } from "@/server/domain/alerts/why";
import { toldOf } from "@/server/notifications/told-of";
import { withTransaction } from "@/server/postgres/transaction";
import { readBlocks } from "@/server/readings/blocks";
import { notifierRig } from "@/server/testing/notifier-rig";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { type Receiver, startReceiver } from "@/server/testing/receiver";
import { createPipelineLooks, type MeasurePipeline } from "../pipeline-looks";
import { judgePipeline } from "../pipeline-rules";
import { recheckLate } from "../recheck";
import { addRule, changeRule, readRules } from "../rules";
import { findSilent } from "../silence";
import { decideDue, seedRules } from "../turn";
import { explain, type ExplainDeps } from "./explain";
import { readDevicePast, readRulePast } from "./past";
import { explainPipeline } from "./pipeline";

const bench = pipelineBench({ partitions: 1 });
const T = Date.UTC(2026, 0, 15, 10);
const S = 1000;
const MIN = 60 * S;
const HOUR = 60 * MIN;

const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-why-"));
let receiver: Receiver;
let notifier: ReturnType<typeof notifierRig>;
beforeAll(() => {
  notifier = notifierRig(bench.db, folder);
});
beforeEach(async () => {
  receiver = await startReceiver();
  notifier.clock.now = T + HOUR;
  await bench.pool.query(`ALTER TABLE alert ALTER COLUMN id RESTART WITH 41`);
});
afterEach(async () => {
  await notifier.empty();
  await receiver.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

const turn = () => ({ pool: bench.pool, readBlocks, staleMs: 600 * S });
const hot = (more: object = {}) => ({
  kind: "condition",
  conditions: [{ metric: "temperature", is: "above", warning: 80 }],
  forMs: 5 * MIN,
  holds: 90 * S,
  ...more,
});

/** Makes a rule as a person does, and says that it was long ago. */
async function rule(spec: object, at = T - 24 * HOUR, name = "hot"): Promise<number> {
  const id = await withTransaction(bench.pool, (tx) =>
    addRule(tx, { name, enabled: true, spec: ruleSpec.parse(spec), note: null, runbook: null }, "test"),
  );
  while (await seedRules(turn()));
  await bench.pool.query(`UPDATE alert_rule SET created_at = $1`, [new Date(at)]);
  await bench.pool.query(`UPDATE alert_rule_version SET at = $1`, [new Date(at)]);
  return id!;
}

/** Changes it, and says when. */
async function change(id: number, changes: object, at: number): Promise<void> {
  await withTransaction(bench.pool, async (tx) => {
    const [before] = await readRules(tx, "all", id);
    await changeRule(tx, before!, { ...before!, ...changes }, "test");
  });
  while (await seedRules(turn()));
  await bench.pool.query(
    `UPDATE alert_rule_version SET at = $1 WHERE version = (SELECT max(version) FROM alert_rule_version)`,
    [new Date(at)],
  );
}

type Reading = readonly [second: number, value: number | boolean | string, came?: number];
const from = (start: number, end: number, value: number | boolean, every = 60): Reading[] =>
  Array.from({ length: Math.floor((end - start) / every) + 1 }, (_, i) => [start + i * every, value] as const);

/** Sends readings of press-07, in the order given, and has them handled. */
async function send(readings: readonly Reading[], metric = "temperature", device = "press-07"): Promise<void> {
  for (const [second, value, came = second] of readings)
    bench.log.append(0, { device, time: T + second * S, readings: { [metric]: value } }, T + came * S);
  await (await bench.rig()).drain();
  await bench.pool.query(`UPDATE metric SET unit = '°C' WHERE name = 'temperature'`);
}

interface Asked {
  readonly from?: number;
  readonly to?: number;
  readonly at?: number;
  readonly now?: number;
  readonly watermark?: number | null;
  readonly zone?: string;
}

/** Asks why, from 10:00 to 11:00 unless said otherwise; all in seconds after 10:00. */
async function why(id: number, { from = 0, to = 3600, at, now = 3600, watermark = now, zone = "UTC" }: Asked = {}) {
  const archive = createPostgresMessageArchive(bench.pool);
  const deadLetters = createPostgresDeadLetters(bench.pool);
  const deps: ExplainDeps = {
    ...{ pool: bench.pool, readBlocks, staleMs: 600 * S },
    // What the log took was handled at once.
    archive: {
      find: async (query) => (await archive.find(query)).map((one) => ({ ...one, processedTime: one.ingestTime })),
    },
    readTold: (alert, { time }) => toldOf(bench.pool, alert, time),
    readWatermark: async () => (watermark === null ? null : T + watermark * S),
    readRefused: async (device, field) => {
      const found = await deadLetters.find({ sites: "all", device, field, limit: 100 });
      return found.length === 0 ? null : { count: found.length, title: "Type changed", isOfOtherKind: true };
    },
  };
  const past = {
    rule: (await readRulePast(bench.pool, id))!,
    device: (await readDevicePast(bench.pool, "press-07", "all"))!,
  };
  const range =
    at === undefined ? { from: T + from * S, to: T + to * S } : { from: T + (at - 600) * S, to: T + (at + 600) * S };
  const moment = at === undefined ? null : T + at * S;
  const found = await explain(deps, {
    ...past,
    ...range,
    metric: null,
    at: moment,
    now: T + now * S,
    say: sayIn(zone, moment ?? range.from),
  });
  return `${found.reason.kind}: ${found.reason.sentence}`;
}

const hook = (name = "on-call") => notifier.channel(name, "webhook", { url: receiver.url }, {});

test("1 not selected, since when", async () => {
  const id = await rule(hot({ of: { sites: ["north"] } }));
  await bench.pool.query(`INSERT INTO site (name) VALUES ('north'), ('south')`);
  await send(from(-3600, 1800, 85));
  await bench.pool.query(`UPDATE device SET site_id = (SELECT id FROM site WHERE name = 'south')`);
  await bench.pool.query(`UPDATE device_past SET until = $1`, [new Date(T - 48 * MIN)]);
  expect(await why(id)).toBe("not-selected: The rule is for site north; press-07 is at south.");
  await bench.pool.query(`UPDATE device_past SET before = 'north'`);
  expect(await why(id)).toBe("not-selected: The rule is for site north; press-07 is at south since 09:12.");
});

test.each([
  [{ types: ["press"] }, "The rule is for type press; press-07 is of type fan."],
  [{ devices: ["fan-*"] }, "The rule is for fan-*; press-07 isn’t one of them."],
  [{ labels: { line: "4" } }, "The rule is for devices with line 4; press-07 has line 5 since 09:30."],
  [{ labels: { hall: "4" } }, "The rule is for devices with hall 4; press-07 has no label hall."],
  [{ without: ["press-0*"] }, "The rule leaves out press-0*; press-07 is one of them."],
])("1 not selected by %j", async (of, sentence) => {
  const id = await rule(hot({ of }));
  await send(from(0, 1800, 85));
  await bench.pool.query(`UPDATE device SET type = 'fan'`);
  await bench.pool.query(
    `INSERT INTO device_label (device_id, key, value, by_person) SELECT id, 'line', '4', true FROM device`,
  );
  await bench.pool.query(`UPDATE device_past SET until = $1`, [new Date(T - 24 * HOUR)]);
  await bench.pool.query(`UPDATE device_label SET value = '5'`);
  await bench.pool.query(`UPDATE device_past SET until = $1 WHERE before = '4'`, [new Date(T - 30 * MIN)]);
  expect(await why(id)).toBe(`not-selected: ${sentence}`);
});

test("2 made later", async () => {
  const id = await rule(hot());
  await send(from(0, 200, 85));
  await bench.pool.query(`UPDATE alert_rule SET created_at = $1`, [new Date(T + 90 * MIN)]);
  await bench.pool.query(`UPDATE alert_rule_version SET at = $1`, [new Date(T + 90 * MIN)]);
  expect(await why(id)).toBe("made-later: The rule was made later, at 11:30.");
});

test("2 a moment after the rule was made is judged by what was then, not by what was just before", async () => {
  const id = await rule(hot({ of: { sites: ["north"] } }), T + 8 * MIN);
  await bench.pool.query(`INSERT INTO site (name) VALUES ('south')`);
  await send(from(0, 1200, 85));
  await bench.pool.query(`UPDATE device SET site_id = (SELECT id FROM site WHERE name = 'south')`);
  await bench.pool.query(`UPDATE device_past SET until = $1`, [new Date(T - HOUR)]);
  const south = "not-selected: The rule is for site north; press-07 is at south.";
  expect(await why(id, { at: 600 })).toBe(south);
  expect(await why(id, { from: 0, to: 1200 })).toBe(south);
  expect(await why(id, { at: 420 })).toBe("made-later: The rule was made later, at 10:08.");
});

test("3 a moment at which it was off, though it was on just before", async () => {
  const id = await rule(hot());
  await send(from(0, 300, 60));
  await change(id, { enabled: false }, T + 330 * S);
  await send(from(360, 900, 85));
  expect(await why(id, { at: 600 })).toBe("off: The rule has been off since 10:05:30.");
});

test("2 readings that came when the rule was there are judged, whatever their time", async () => {
  await send(from(-600, -600, 20));
  const id = await rule(hot(), T + 90 * MIN);
  await send(
    [...from(0, 180, 85), [240, 74] as const].map(([second, value]) => [second, value, 7200 + second] as const),
  );
  expect(await why(id, { now: 7800 })).toBe(
    "too-short: temperature was above 80 °C for 4 min of the 5 min that it takes, then 74 °C at 10:04.",
  );
});

test("3 off then, and when it was switched on again", async () => {
  const id = await rule(hot());
  await change(id, { enabled: false }, T - 10 * MIN);
  await send(from(0, 2400, 85));
  expect(await why(id)).toBe("off: The rule has been off since 09:50.");
  await change(id, { enabled: true }, T + 40 * MIN);
  await bench.pool.query(`TRUNCATE alert CASCADE`);
  expect(await why(id)).toBe("off: The rule was off from 09:50 to 10:40, for 50 min.");
});

test("3 off when it would have fired, though it was on for most of the time", async () => {
  const id = await rule(hot());
  await send(from(-600, 600, 60));
  await change(id, { enabled: false }, T + 11 * MIN);
  await send([...from(720, 1500, 85), ...from(1560, 2340, 60)]);
  await change(id, { enabled: true }, T + 40 * MIN);
  await send(from(2460, 3540, 60));
  expect(await why(id)).toBe("off: The rule was off from 10:11 to 10:40, for 29 min.");
});

test("4 no reading of that metric", async () => {
  const id = await rule(hot());
  await send(from(0, 600, 3), "pressure");
  expect(await why(id)).toBe("no-metric: press-07 has never sent temperature.");
  await send([[-120, 21.3]]);
  expect(await why(id)).toBe(
    "no-reading: No reading of temperature came from 10:00 to 11:00; the last one before was of 09:58.",
  );
});

test("4 no valid range, and where one is set", async () => {
  const id = await rule({ ...hot(), conditions: [{ metric: "*", is: "invalid" }] });
  await send(from(0, 600, 3));
  expect(await why(id)).toBe(
    "no-valid-range: No metric of press-07 has a valid range, so no value can be outside of it: it is set on the page Metrics.",
  );
});

test("5 another kind", async () => {
  const id = await rule({ ...hot(), conditions: [{ metric: "running", is: "above", warning: 80 }] });
  await send(from(0, 600, true), "running");
  expect(await why(id)).toBe(
    "kind-differs: running is true or false, and the rule asks for a number above 80: it was true at 10:00.",
  );
  await send(from(-300, -120, 81.5));
  const other = await withTransaction(bench.pool, (tx) =>
    addRule(tx, { name: "warm", enabled: true, spec: ruleSpec.parse(hot()), note: null, runbook: null }, "test"),
  );
  await bench.pool.query(`UPDATE alert_rule_version SET at = $1`, [new Date(T - 24 * HOUR)]);
  await send([
    [0, "hot"],
    [60, "hot"],
  ]);
  expect(await why(other!)).toBe(
    "kind-differs: temperature came 2 times from 10:00 to 11:00 as something else than a number, and became dead letters.",
  );
});

test("5 a number, asked whether it is true", async () => {
  const id = await rule({ ...hot(), conditions: [{ metric: "temperature", is: "true" }] });
  await send(from(0, 600, 20.5));
  expect(await why(id)).toBe(
    "kind-differs: temperature is a number, and the rule asks whether it is true, for which a number has to be 1: it was 20.5 °C at 10:00.",
  );
});

const BOTH = [
  { subject: "Kafka", value: 1 },
  { subject: "PostgreSQL", value: 0 },
];

/** Asks why of a rule about the pipeline, of the hour before `now`, in which nothing was measured but what is said. */
async function whyOfPipeline(id: number, measured: Partial<MeasurePipeline>, now = T + HOUR, to = now) {
  const nobody = async () => null;
  const none = { deadLetterPercent: nobody, freeDiskPercent: nobody, engineAway: nobody, sourceSilentMinutes: nobody };
  const found = await explainPipeline(
    {
      pool: bench.pool,
      measure: { lagSeconds: nobody, ...none, ...measured },
      readTold: (alert, { time }) => toldOf(bench.pool, alert, time),
      readLag: async () => [
        { time: T + 5 * MIN, seconds: 0.4 },
        { time: T + 6 * MIN, seconds: 2.3 },
      ],
    },
    { rule: (await readRulePast(bench.pool, id))!, from: to - HOUR, to, at: null, now, say: sayIn("UTC", T) },
  );
  return { said: `${found.reason.kind}: ${found.reason.sentence}`, figures: found.figures };
}

test("a rule about the pipeline says, of no device, how it stands, since when, and what would make it fire", async () => {
  const lag = await rule({ kind: "pipeline", measure: "lagSeconds", limit: 30, forMs: 5 * MIN });
  const lagIs = (value: number) => ({ lagSeconds: async () => [{ subject: "", value }] });
  expect((await whyOfPipeline(lag, lagIs(2))).said).toBe(
    "within-limit: The pipeline is 2 s behind now; it fires when the pipeline is more than 30 s behind for 5 min, which is 28 s more. The pipeline was 2.3 s behind at most from 10:00 to 11:00, at 10:06.",
  );
  expect((await whyOfPipeline(lag, {}, T + 5 * HOUR, T + HOUR)).said).toBe(
    "never-beyond: No alert of it was decided from 10:00 to 11:00: it fires when the pipeline is more than 30 s behind for 5 min. The pipeline was 2.3 s behind at most from 10:00 to 11:00, at 10:06.",
  );

  const looks = createPipelineLooks({
    ...{ lagSeconds: async () => null, deadLetterPercent: async () => null, freeDiskPercent: async () => null },
    engineAway: async () => BOTH,
    sourceSilentMinutes: async () => null,
  });
  const away = await rule({ kind: "pipeline", measure: "engineAway", forMs: 2 * MIN }, T, "away");
  const engines = { engineAway: async () => BOTH };
  expect((await whyOfPipeline(away, engines)).said).toContain("Kafka is away now: the worker hasn’t judged that yet.");
  for (const at of [T + HOUR - 80 * S, T + HOUR - 40 * S, T + HOUR]) {
    await looks.look(at);
    await judgePipeline(bench.pool, looks);
  }
  const pending = await whyOfPipeline(away, engines);
  expect(pending.said).toBe(
    "pending: Kafka is away now, since 10:58:40: it fires at 11:00:40 if that goes on for all of the 2 min.",
  );
  expect(pending.figures).toEqual([
    { subject: "Kafka", value: 1, phase: "pending", since: T + HOUR - 80 * S, firesAt: T + HOUR + 40 * S },
    { subject: "PostgreSQL", value: 0, phase: "normal", since: null, firesAt: null },
  ]);
  await looks.look(T + HOUR + 45 * S);
  await judgePipeline(bench.pool, looks);
  const fired = await whyOfPipeline(away, engines, T + HOUR + 50 * S);
  expect(fired.said).toMatch(/^fired: Fired at 11:00:40 \(alert 41\), .*\. Kafka is away now\.$/);
  expect(fired.figures![0]).toMatchObject({ subject: "Kafka", phase: "firing", firesAt: null });

  const disk = await rule({ kind: "pipeline", measure: "freeDiskPercent", limit: 10 }, T, "disk");
  const diskIs = { freeDiskPercent: async () => [{ subject: "", value: 41.234 }] };
  expect((await whyOfPipeline(disk, diskIs)).said).toBe(
    "within-limit: 41.2 % of the disk is free now; it fires when less than 10 % of the disk is free, which is 31.2 % less.",
  );
  expect((await whyOfPipeline(disk, {})).said).toContain("not-decided: No alert of it was decided");
});

test("6 never beyond: the closest, when, and by how much", async () => {
  const id = await rule(hot());
  await send([...from(0, 3600, 70), [183, 78.9]]);
  expect(await why(id)).toBe(
    "never-beyond: temperature was never above 80 °C: closest 78.9 °C at 10:03:03, 1.1 °C below.",
  );
  await send([[245, 80]]);
  expect(await why(id)).toBe(
    "never-beyond: temperature was never above 80 °C: closest 80 °C at 10:04:05, which is the limit itself.",
  );
  expect(await why(id, { zone: "Asia/Kolkata" })).toContain("at 15:34:05");
});

test.each([
  [{ is: "below", warning: 60 }, "temperature was never below 60 °C: closest 70 °C at 10:00, 10 °C above."],
  [
    { is: "outside", warning: [60, 75] },
    "temperature was never outside of 60 °C to 75 °C: closest 70 °C at 10:00, 5 °C below.",
  ],
  [{ is: "equals", warning: 71.5 }, "temperature was never 71.5 °C: closest 70 °C at 10:00, 1.5 °C away."],
  [{ is: "above", critical: 95 }, "temperature was never above 95 °C: closest 70 °C at 10:00, 25 °C below."],
  [
    { what: "changePerMinute", is: "above", warning: 5 },
    "change per minute of temperature was never above 5 °C/min: closest 0 °C/min at 10:01, 5 °C/min below.",
  ],
  [
    { what: "minuteMean", is: "above", warning: 71 },
    "minute mean of temperature was never above 71 °C: closest 70 °C at 10:01, 1 °C below.",
  ],
])("6 never beyond by %j", async (of, sentence) => {
  const id = await rule(hot({ conditions: [{ metric: "temperature", ...of }] }));
  await send(from(0, 3600, 70));
  expect(await why(id)).toBe(`never-beyond: ${sentence}`);
});

test("6 never true, and one of several that wasn't", async () => {
  const id = await rule(hot({ conditions: [{ metric: "running", is: "true" }] }));
  await send(from(0, 3540, false), "running");
  expect(await why(id)).toBe("never-beyond: running was never true: all 60 readings say false.");
  await change(
    id,
    {
      spec: ruleSpec.parse(
        hot({
          conditions: [
            { metric: "temperature", is: "above", warning: 80 },
            { metric: "pressure", is: "above", warning: 3 },
          ],
        }),
      ),
    },
    T - HOUR,
  );
  await send(from(0, 1200, 85));
  await send(from(0, 1200, 2.8), "pressure");
  expect(await why(id)).toBe(
    "never-beyond: pressure wasn’t above 3 while the rest was true: closest 2.8 at 10:00, 0.2 below.",
  );
});

test("7 beyond, but not for long enough", async () => {
  const id = await rule(hot());
  await send([...from(0, 180, 82, 20), [200, 74], ...from(260, 3600, 70)]);
  expect(await why(id)).toBe(
    "too-short: temperature was above 80 °C for 3 min 20 s of the 5 min that it takes, then 74 °C at 10:03:20.",
  );
  expect(await why(id, { at: 60 })).toContain("3 min 20 s of the 5 min");
});

test("7 and not for long enough yet", async () => {
  const id = await rule(hot());
  await send([...from(-600, 3300, 60), ...from(3360, 3540, 85)]);
  expect(await why(id)).toBe("pending: temperature is above 80 °C since 10:56: 4 min of the 5 min that it takes.");
});

test("8 a gap", async () => {
  const id = await rule(hot());
  await send([...from(0, 120, 82), ...from(360, 600, 85), ...from(660, 3600, 60)]);
  expect(await why(id, { to: 300 })).toBe(
    "gap: temperature was above 80 °C for 2 min of the 5 min that it takes, then nothing came for 4 min; a reading holds for 1 min 30 s.",
  );
});

test("8 a gap that goes on", async () => {
  const id = await rule(hot());
  await send([...from(-600, -60, 60), ...from(0, 120, 82)]);
  expect(await why(id)).toBe(
    "gap: temperature was above 80 °C for 2 min of the 5 min that it takes, and nothing came since; a reading holds for 1 min 30 s.",
  );
});

test("9 it came after its time was judged", async () => {
  const id = await rule(hot({ forMs: 0 }));
  await send(from(0, 900, 60));
  await send([[183, 84, 904]]);
  expect(await why(id)).toBe(
    "late: temperature 84 °C of 10:03:03 came 11 min 4 s after that time was judged, at 10:15:04; it is about to be judged again.",
  );
  while (await recheckLate(turn(), 0));
  expect(await why(id)).toMatch(
    /^fired: Fired at 10:03:03 with 84 °C \(alert 41\), found at .* when late readings were judged, and nobody has decided yet whom to tell\.$/,
  );
});

test("10 it fires already", async () => {
  const id = await rule(hot());
  await send(from(-1500, 3600, 85));
  await notifier.route("all", [await hook()]);
  await notifier.run();
  expect(await why(id)).toBe(
    "already-firing: Already firing since 09:40 (alert 41), and told on-call at 11:00, which answered 200 ok.",
  );
  await bench.pool.query(`UPDATE alert SET acknowledged_at = $1, acknowledged_by = 'Ada'`, [new Date(T - 10 * MIN)]);
  expect(await why(id)).toContain("which answered 200 ok, acknowledged by Ada at 09:50.");
  await bench.pool.query(`UPDATE alert SET state = 'resolved', ended_at = $1`, [new Date(T + 5 * MIN)]);
  expect(await why(id)).toContain("Already firing since 09:40 until 10:05 (alert 41)");
});

test.each([
  [
    "11 silenced",
    async () => void (await notifier.silence([], T + 2 * HOUR)),
    "but silenced by “being mended” until 12:00",
  ],
  [
    "12 in a maintenance window",
    () =>
      bench.pool.query(
        `INSERT INTO maintenance (name, matchers, cron, minutes, zone) VALUES ('service', '[]', '* * * * *', 1, 'UTC')`,
      ),
    "but in the maintenance window “service”",
  ],
  [
    "13 told by the alert of its site",
    () =>
      bench.pool
        .query(
          `INSERT INTO alert (rule_id, rule_version, severity, state, started_at, fired_at) SELECT 99, 1, 'critical', 'firing', $1, $1`,
          [new Date(T)],
        )
        .then(() => bench.pool.query(`UPDATE alert SET parent_id = 42 WHERE id = 41`)),
    "but told by the alert of its site (alert 42) instead",
  ],
  [
    "14 no route takes it",
    () => bench.pool.query(`UPDATE route SET matchers = '[{"field":"site","is":"is","values":["cellar"]}]'`),
    "but no route takes it: nobody is told",
  ],
  [
    "15 its channels are off",
    () => bench.pool.query(`UPDATE channel SET enabled = false`),
    "but all channels of route all are off: nobody is told",
  ],
  [
    "16 waits in its group",
    () => bench.pool.query(`UPDATE route SET wait_ms = 30000`),
    "and waits to be told together with others by route all, at 11:00:30",
  ],
])("%s", async (_, arrange, clause) => {
  const id = await rule(hot());
  await send(from(0, 3600, 84.2));
  await notifier.route("all", [await hook()]);
  await arrange();
  await notifier.run();
  expect(await why(id)).toBe(`fired: Fired at 10:05 with 84.2 °C (alert 41), ${clause}.`);
});

test("16 told, and what the other side answered, after it was away", async () => {
  const id = await rule(hot());
  await send(from(0, 3600, 84.2));
  await notifier.route("all", [await hook()]);
  receiver.answer({ status: 500, body: "busy" });
  await notifier.run();
  expect(await why(id)).toBe(
    "fired: Fired at 10:05 with 84.2 °C (alert 41), but the message to on-call waits after 1 attempt, which answered 500 busy; next at 11:00:05.",
  );
  receiver.answer({ status: 200 });
  await notifier.pass(10_000);
  expect(await why(id)).toBe(
    "fired: Fired at 10:05 with 84.2 °C (alert 41), and told on-call at 11:00:10, which answered 200 ok.",
  );
});

test("16 refused by the other side", async () => {
  const id = await rule(hot());
  await send(from(0, 3600, 84.2));
  await notifier.route("all", [await hook()]);
  receiver.answer({ status: 404, body: "no such hook" });
  await notifier.run();
  expect(await why(id)).toBe(
    "fired: Fired at 10:05 with 84.2 °C (alert 41), but on-call refused the message, which answered 404 no such hook.",
  );
});

test("17 silence: heard of again in time, not for long enough yet, never", async () => {
  const id = await rule({ kind: "silence", afterMs: 90 * S });
  await send([...from(0, 180, 20, 30), ...from(250, 3580, 20, 30)]);
  expect(await why(id)).toBe(
    "heard-in-time: press-07 was heard of again at 10:04:10, after 1 min 10 s: 20 s before the 1 min 30 s that the rule allows.",
  );
  expect(await why(id, { from: 3570, now: 3630 })).toBe(
    "within-limit: press-07 has been silent since 10:59:40: 50 s of the 1 min 30 s that the rule allows.",
  );
});

test("17 silence: by the pace that was learned, or isn't yet", async () => {
  const id = await rule({ kind: "silence" });
  await send(from(0, 120, 20, 30));
  await bench.pool.query(`UPDATE device SET gaps = 4`);
  expect(await why(id, { now: 300 })).toBe(
    "within-limit: press-07 has been silent since 10:02: 3 min of the 10 min that count until its pace is known (4 of 20 gaps).",
  );
  await send(from(150, 900, 20, 30));
  await bench.pool.query(`UPDATE device SET gaps = 34, gap_p99 = 30000`);
  expect(await why(id, { now: 940 })).toBe(
    "within-limit: press-07 has been silent since 10:15: 40 s of the 1 min 30 s that are unusual for it, three times its longest gap of 30 s.",
  );
});

test("18 silence: our own outage isn't the device's, and only what was handled counts", async () => {
  const id = await rule({ kind: "silence", afterMs: 5 * MIN });
  await send([...from(-600, 0, 20), ...from(720, 3540, 20)]);
  const open = (since: number, until: number) =>
    bench.pool.query(`INSERT INTO telemetry_open (process, since, until) VALUES ('web', $1, $2)`, [
      new Date(T + since * S),
      new Date(T + until * S),
    ]);
  await open(-86_400, 55);
  await open(660, 4000);
  expect(await why(id)).toBe(
    "own-outage: press-07 was silent for 12 min from 10:00, but for 10 min of that Fieldwatch took no messages: 2 min count of the 5 min that the rule allows.",
  );
  expect(await why(id, { from: 3540, to: 4000, now: 4000, watermark: 3600 })).toBe(
    "not-handled: press-07 has been silent since 10:59, but messages are handled only up to 11:00: 1 min count of the 5 min that the rule allows.",
  );
  await findSilent(turn(), T + 4000 * S);
  expect(await why(id, { from: 3540, to: 4000, now: 4000 })).toBe(
    "fired: Fired at 11:04 (alert 41), and nobody has decided yet whom to tell.",
  );
});

test("19 it flaps", async () => {
  const id = await rule(hot({ forMs: 0 }));
  await send(Array.from({ length: 40 }, (_, i) => [i * 60, i % 2 === 0 ? 85 : 70] as const));
  await decideDue(turn(), T + 2400 * S);
  expect(await why(id, { from: 600, to: 3600 })).toMatch(/; it flaps/);
});

test("20 what is kept doesn't say why", async () => {
  const id = await rule(hot());
  await send(from(0, 3600, 85));
  await bench.pool.query(`TRUNCATE alert, alert_state CASCADE`);
  expect(await why(id)).toBe(
    "not-known: By the readings that are kept it should have fired at 10:05, and nothing that is kept says why it didn’t.",
  );
});
