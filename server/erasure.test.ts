import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { readAnchors } from "./access/audit/anchors";
import { addDeed } from "./access/audit/deeds";
import { readAuditKeys } from "./access/audit/keys";
import { sealRecord } from "./access/audit/seal";
import { verifyRecord } from "./access/audit/verify";
import { eraseAll, type ErasingDeps } from "./catalog/erasing";
import { composeErasure } from "./compose-erasure";
import { auditFiles } from "./config/audit-files";
import { deviceDetail } from "./contracts/devices";
import { erasuresAnswer, personErasure } from "./contracts/removals";
import { siteAnswer } from "./contracts/sites";
import { SYSTEM } from "./domain/access";
import { job as jobContract } from "./contracts/jobs";
import { TABLES } from "./erasure/tables";
import { requestRun } from "./jobs/requests";
import { monthOf, startOf } from "./postgres/months";
import { withTransaction } from "./postgres/transaction";
import { createApiRig, JSON_TYPE, message, NDJSON, NOW, read, refused } from "./testing/api-rig";
import { addBlocks, AUGUST, hourOf } from "./testing/cold-rig";
import { jobContext } from "./testing/job-context";
import { InjectedFault } from "./testing/pipeline-rig";
import { until } from "./testing/until";
import type { JobContext } from "./postgres/job";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-erasure-"));
const coldFolder = path.join(folder, "cold");
const rig = createApiRig({
  ...{ FIELDWATCH_DATA_DIR: folder, COLD_URL: pathToFileURL(coldFolder).href, COLD_AFTER_DAYS: "30" },
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const pool = () => rig.engines.pool;
const GONE = "pump-17";
/** Its name is a word that may mean something else, so that it isn't looked for in what people wrote. */
const PLAIN = "kiln";
const DEED = { verb: "createAlertRule", target: "7", outcome: "done", address: null } as const;
/** Names that have the other one in them. */
const OTHERS = ["pump-18", "pump-170", "gw:pump-17"];

const call = (verb: Parameters<typeof rig.get>[0], method: string, params: Record<string, string>, query = "") =>
  rig.api.handle(verb, new Request(`http://here/api?${query}`, { method, headers: JSON_TYPE }), params);
const totals = async () =>
  (await pool().query<{ n: number }>("SELECT sum(messages)::int AS n FROM pipeline_position")).rows[0]!.n;
const send = async (messages: readonly object[]) => {
  const before = (await totals()) ?? 0;
  const body = messages.map((one) => JSON.stringify(one)).join("\n");
  expect(await (await rig.post(body, { headers: NDJSON })).json()).toEqual({ accepted: messages.length, rejected: [] });
  await until(async () => (await totals()) === before + messages.length || null, { timeoutMs: 30_000 });
};
const erasuresOf = async (query = "") => (await read(erasuresAnswer, rig.get("listErasures", {}, query))).items;
const deps = (): ErasingDeps => ({ ...composed(), settleMs: 0 });
const runJob = (job: string) => requestRun(pool(), { job, requestedBy: { text: "test", accountId: null } });
const runToEnd = async (job: string) => {
  const id = await until(() => runJob(job), { timeoutMs: 30_000 });
  const ended = "SELECT FROM job_run WHERE id = $1 AND state = 'done'";
  await until(async () => (await pool().query(ended, [id])).rowCount || null, { timeoutMs: 60_000 });
};
/** Keeps a job from running, asked for or not: a run of it waits for later. @returns how to let it run again. */
const holdJob = async (job: string) => {
  const later = () =>
    withTransaction(pool(), async (tx) => {
      const id = await requestRun(tx, { job, requestedBy: { text: "test", accountId: null } });
      await tx.query("UPDATE job_run SET not_before = now() + interval '1 hour' WHERE id = $1", [id]);
      return id;
    });
  const id = await until(later, { timeoutMs: 30_000 });
  return async () => void (await pool().query("DELETE FROM job_run WHERE id = $1", [id]));
};
/** Runs of the job of cold storage that erasures asked for, and rows of the audit record about them. */
const askedForCold = async () => {
  const { rows } = await pool().query<{ runs: number; deeds: number }>(
    `SELECT count(DISTINCT r.id)::int AS runs, count(d.id)::int AS deeds FROM job_run r
     LEFT JOIN audit_row d ON d.verb = 'endJobRun' AND d.target = r.job || '/' || r.id
     WHERE r.job = 'cold-readings' AND r.requested_by = 'system'`,
  );
  return rows[0]!;
};
/** Hours of a month long over, and the moments of each, that a device has in cold storage. */
const [COLD_HOURS, COLD_EACH] = [24, 10];
const composed = () => composeErasure({ config: rig.config, ...rig.engines, engines: rig.engines });

beforeAll(async () => {
  const said = (device: string, i: number) => ({ temperature: i, door: i % 2 === 0, label: `this is ${device}` });
  await send(
    [GONE, PLAIN, ...OTHERS].flatMap((device) =>
      Array.from({ length: 40 }, (_, i) => message(device, i, said(device, i))),
    ),
  );
  await send([message(GONE, 50, { temperature: "x" }), message(OTHERS[0]!, 50, { temperature: "x" })]);
  await moveToCold();
  // What can't be read, and has the name in it all the same.
  await rig.engines.deadLetters.store([
    ...[`{"device":"${GONE}", "t": nope`, `{"device":"${OTHERS[1]!}", "t": nope`].map((text, offset) => ({
      ...{
        id: `other/0/${offset}/m`,
        position: { log: "other", partition: 0, offset },
        reason: "notJson" as const,
        detail: "no",
      },
      ...{ device: null, field: null, ingestTime: Date.now(), processedTime: Date.now(), raw: Buffer.from(text) },
      ...{ senderSite: null, source: null, delivery: null, resendOf: null, resends: 0, history: [] },
    })),
  ]);
  await pool().query(
    `INSERT INTO alert_rule (name, enabled, spec, created_by, updated_by) VALUES ('Hot ${GONE}', false, '{"devices":["${GONE}","${OTHERS[0]}"]}', 'x', 'x');
     INSERT INTO silence (matchers, reason, starts_at, ends_at, made_by) VALUES ('[{"is":["${GONE}"]}]', 'repair of ${GONE}, not of pump-170', now(), now(), 'x');
     INSERT INTO saved_view (place, page, name, query) VALUES (1, 'explore', 'Kiln and ${GONE}', 'device=${GONE}&device=${OTHERS[2]}');
     INSERT INTO event (kind, key, device_name, severity, started_at) VALUES ('silence', 'a', '${GONE}', 'info', now()), ('silence', 'b', '${OTHERS[0]}', 'info', now());
     UPDATE device SET notes = 'stands beside ${GONE}.' WHERE name = '${OTHERS[0]}'`,
  );
  for (const name of [`${GONE}: too hot`, `Beside ${OTHERS[1]}`])
    await addDeed(pool(), SYSTEM, { ...DEED, detail: { after: { name, devices: [] } } });
  await read(
    deviceDetail,
    rig.api.handle(
      "updateDevice",
      new Request("http://here/api", {
        method: "PATCH",
        headers: JSON_TYPE,
        body: JSON.stringify({ notes: "of Ada Lovelace", labels: { person: "Ada Lovelace" } }),
      }),
      { id: GONE },
    ),
  );
});

/** Gives devices a day of a month long over, which the job moves to files. */
async function moveToCold(): Promise<void> {
  const { rows: devices } = await pool().query<{ id: number }>("SELECT id FROM device WHERE name = ANY ($1)", [
    [GONE, ...OTHERS],
  ]);
  const { rows: metrics } = await pool().query<{ id: number }>("SELECT id FROM metric ORDER BY id");
  const month = monthOf(NOW) - 4;
  const first = (startOf(month) - AUGUST) / 3_600_000;
  const which = { count: COLD_EACH, metrics: metrics.map(({ id }) => id) };
  await addBlocks(
    pool(),
    devices.flatMap(({ id }) => Array.from({ length: COLD_HOURS }, (_, hour) => hourOf(id, first + hour, which))),
  );
  await pool().query("UPDATE device SET rolled_until = coalesce(rolled_until, $1)", [new Date(startOf(month + 1))]);
  await until(
    async () => {
      await runJob("cold-readings");
      return (await coldRows()).size === devices.length || null;
    },
    { timeoutMs: 60_000 },
  );
}

/** The rows of each device in the files there are, to the bit, as a program of others reads them. */
async function coldRows(): Promise<ReadonlyMap<string, readonly string[]>> {
  const files = readdirSync(folder, { recursive: true }).map(String);
  if (!files.some((name) => name.startsWith("cold") && name.endsWith(".parquet"))) return new Map();
  const instance = await DuckDBInstance.create();
  const duck = await instance.connect();
  const from = `'${coldFolder}/readings/*/*.parquet'`;
  const all = async (sql: string) => (await duck.runAndReadAll(sql)).getRowsJson();
  const found = await all(
    `SELECT device, epoch_us(time), * EXCLUDE (device, time) FROM read_parquet(${from}, union_by_name = true) ORDER BY 1, 2`,
  );
  // The ends of a column are told beside it.
  const ends = await all(`SELECT DISTINCT unnest([stats_min_value, stats_max_value]) FROM parquet_metadata(${from})`);
  duck.closeSync();
  instance.closeSync();
  const rows = new Map<string, string[]>();
  for (const [device, ...row] of found) {
    const of = rows.get(String(device)) ?? [];
    rows.set(String(device), [...of, JSON.stringify(row)]);
  }
  for (const [end] of ends) if (end === GONE && !rows.has(GONE)) rows.set(GONE, ["an end of a column"]);
  return rows;
}

/** Everything that any table has of a text: its rows as text, and bytes in hex. Independent of what erasures go by. */
async function scan(needle: string): Promise<string[]> {
  const { rows: tables } = await pool().query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition",
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await pool().query<{ n: number }>(
      `SELECT count(*)::int AS n FROM ${name} t WHERE t::text ~ $1 OR t::text ~ $2`,
      [`(?<![\\w:-])${needle}(?![\\w-])`, `(?<!3a|2d)${Buffer.from(needle).toString("hex")}(?!3[0-9])`],
    );
    if (rows[0]!.n > 0) found.push(name);
  }
  return found.sort();
}

/** All that is stored of the others. */
async function othersData() {
  const { rows } = await pool().query(
    `SELECT d.name, d.messages, (SELECT count(*) FROM reading r WHERE r.device = d.name)::int AS readings,
       (SELECT sum(value) FROM reading r WHERE r.device = d.name)::float8 AS sum, (SELECT count(*) FROM dead_letter l WHERE l.device = d.name)::int AS letters,
       (SELECT json_agg(json_build_array(t.field, t.from_time, t.to_time, t.value)) FROM text_run t WHERE t.device_id = d.id) AS texts
     FROM device d WHERE d.name = ANY ($1) ORDER BY d.name`,
    [OTHERS],
  );
  const messages = await Promise.all(OTHERS.map((device) => rig.engines.archive.find({ device, limit: 1000 })));
  const twins = await rig.engines.twins.get(OTHERS);
  return { rows, messages, twins: [...twins].sort() };
}

async function audit() {
  const files = auditFiles(rig.config);
  await sealRecord(jobContext(pool()), files, rig.logger);
  return withTransaction(
    pool(),
    (tx) => verifyRecord(tx, { keys: readAuditKeys(files.keyFile), anchors: readAnchors(files.anchorFile) }),
    ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"],
  );
}

test("every table of the schema is named with how it is erased, or why it can hold nothing of a device", async () => {
  const { rows } = await pool().query<{ name: string; columns: string[] }>(
    `SELECT c.relname AS name, array_agg(a.attname::text) AS columns FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition GROUP BY 1 ORDER BY 1`,
  );
  const own = rows.filter(({ name }) => !name.endsWith("_other") && !name.endsWith("_before"));
  expect(own.map(({ name }) => name)).toEqual(Object.keys(TABLES).sort());
  const telling = ["device", "device_id", "device_name", "raw", "body", "payload"];
  const unseen = own.filter(
    ({ name, columns }) => TABLES[name]!.by === "never" && columns.some((one) => telling.includes(one)),
  );
  expect(unseen).toEqual([]);
  const stores = new Set(composed().stores.map(({ name }) => name));
  for (const handling of Object.values(TABLES)) if (handling.by === "store") expect(stores).toContain(handling.store);
});

test("all about a person is told, as lines, and the record keeps who it was apart", async () => {
  await pool().query(
    `INSERT INTO quality_day (device_id, metric_id, bucket, received, validity, timeliness, plausibility, uniqueness)
       SELECT d.id, m.id, '2026-01-01T00:00Z', 40, 1, 1, 1, 1 FROM device d, metric m WHERE d.name = '${GONE}' AND m.name = 'temperature';
     INSERT INTO quality_limit (metric_id, device_id, limits, updated_by) SELECT m.id, d.id, '{}', 'x' FROM device d, metric m WHERE d.name = '${GONE}' AND m.name = 'temperature';
     WITH told AS (
       INSERT INTO alert (rule_id, rule_version, device_id, device_name, severity, state, started_at, fired_at)
       SELECT r.id, 1, d.id, d.name, 'warning', 'firing', now(), now() FROM alert_rule r, device d WHERE r.name LIKE 'Hot%' AND d.name IN ('${GONE}', '${OTHERS[0]}')
       RETURNING id, device_name),
     desk AS (INSERT INTO channel (name, kind, settings) VALUES ('desk', 'webhook', '{}') RETURNING id)
     INSERT INTO notification (id, channel_id, occasion, title, body, alert_ids, made_at, status)
       SELECT gen_random_uuid(), desk.id, 'news', 'of ${GONE}', 'b', ARRAY(SELECT id FROM told WHERE device_name = '${GONE}'), now(), 'sent' FROM desk
       UNION ALL SELECT gen_random_uuid(), desk.id, 'news', 'of ${GONE} and ${OTHERS[0]}', 'b', ARRAY(SELECT id FROM told), now(), 'sent' FROM desk`,
  );
  expect((await refused(rig.get("exportPersonalData", {}, "person=Nobody"))).status).toBe(404);
  expect((await refused(rig.get("exportPersonalData"))).status).toBe(400);
  const text = await (await rig.get("exportPersonalData", {}, "person=Ada+Lovelace")).text();
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { kind: string; device?: string; row?: { title?: string | null } });
  const counts: Record<string, number> = {};
  for (const { kind } of lines) counts[kind] = (counts[kind] ?? 0) + 1;
  expect(counts).toEqual({
    about: 1,
    device: 1,
    past: 1,
    limit: 1,
    quality: 1,
    alert: 1,
    notification: 2,
    event: 1,
    latest: 1,
    metrics: 1,
    readings: 40 + COLD_HOURS * COLD_EACH,
    text: 1,
    deadLetter: 1,
    message: 41,
    end: 1,
  });
  expect(
    lines.flatMap(({ kind, row }) => (kind === "notification" ? [row!.title] : [])).sort(),
    "nothing is told of other devices",
  ).toEqual([null, `of ${GONE}`]);
  expect(lines.every(({ device }) => device === undefined || device === GONE)).toBe(true);
  expect(lines.find(({ kind }) => kind === "device")).toMatchObject({
    row: { notes: "of Ada Lovelace", labels: { person: "Ada Lovelace" } },
  });
  const { rows } = await pool().query(
    "SELECT target, detail::text AS detail FROM audit_row WHERE verb = 'exportPersonalData' AND outcome = 'done'",
  );
  expect(rows).toEqual([{ target: null, detail: expect.not.stringMatching(/Ada|pump/) }]);
});

test("one of several devices is erased: nothing is found in any store, the others are exact, and the audit record verifies", async () => {
  const before = await othersData();
  const coldBefore = await coldRows();
  expect([...coldBefore.keys()].sort()).toEqual([...OTHERS, GONE].sort());
  expect(before.rows.map(({ texts }: { texts: unknown[] }) => texts.length)).toEqual([1, 1, 1]);
  for (const table of ["log_batch", "text_run"]) expect(await scan(GONE)).toContain(table);
  await read(jobContract, call("deleteDevice", "DELETE", { id: GONE }, "erase=true"));
  expect((await refused(rig.get("getDevice", { id: GONE }))).status).toBe(404);
  await until(async () => (await erasuresOf())[0]!.state === "waiting" || null, { timeoutMs: 90_000 });
  // The month is written anew without it, and the file from before stays for those who read it: no proof while it is there.
  const [waits] = await erasuresOf();
  expect(waits!.stores.filter(({ left }) => left !== 0)).toEqual([{ store: "Cold files", erased: 0, left: 1 }]);
  // Until then its job asks for the file's removal with growing pauses, and none of that is a deed of somebody.
  await runToEnd("catalog-removals");
  await pool().query("UPDATE erasure SET created_at = created_at - interval '10 minutes'");
  const asked = await askedForCold();
  expect(asked.runs).toBeGreaterThan(0);
  for (let time = 0; time < 2; time++) await runToEnd("catalog-removals");
  expect(await askedForCold()).toEqual(asked);
  await pool().query("UPDATE job_run SET created_at = created_at - interval '6 minutes' WHERE job = 'cold-readings'");
  await runToEnd("catalog-removals");
  expect(await askedForCold()).toEqual({ runs: asked.runs + 1, deeds: 0 });
  await until(
    async () => {
      await pool().query("UPDATE cold_file SET since = since - interval '1 hour' WHERE state = 'removing'");
      for (const job of ["cold-readings", "catalog-removals"]) await runJob(job);
      return (await erasuresOf())[0]!.state === "proven" || null;
    },
    { timeoutMs: 90_000 },
  );
  const [proof] = await erasuresOf(`device=${GONE}`);
  expect(proof).toMatchObject({ name: null, readings: 80 + COLD_HOURS * COLD_EACH * 2, dropped: 0 });
  expect(proof!.remains.map(({ what }) => what)).toEqual([
    "Backups made before",
    "Freed pages and the write-ahead log of PostgreSQL",
  ]);
  const coldAfter = await coldRows();
  expect(coldAfter.get(GONE)).toBeUndefined();
  expect(OTHERS.map((one) => coldAfter.get(one))).toEqual(OTHERS.map((one) => coldBefore.get(one)));
  const erased = Object.fromEntries(proof!.stores.map(({ store, erased, left }) => [store, [erased, left]]));
  expect(erased).toMatchObject({
    // Its own limit, too.
    "Readings, rollups and marks": [80 + COLD_HOURS * COLD_EACH * 2 + 1, 0],
    "Latest values": [1, 0],
    "Message archive": [41, 0],
    "Dead letters": [2, 0],
    "Event log": [41, 0],
    "Cold files": [1, 0],
  });
  expect(await scan(GONE)).toEqual([]);
  expect(await scan("Lovelace")).toEqual([]);
  expect(await rig.engines.archive.find({ device: GONE, limit: 10 })).toEqual([]);
  expect(await othersData()).toEqual(before);
  const { rows } = await pool().query(
    `SELECT (SELECT spec->'devices' FROM alert_rule WHERE name LIKE 'Hot%') AS rule, (SELECT reason FROM silence) AS silence,
       (SELECT query FROM saved_view) AS view, (SELECT notes FROM device WHERE name = $1) AS notes, (SELECT count(*)::int FROM event WHERE key IN ('a', 'b')) AS events`,
    [OTHERS[0]],
  );
  expect(rows).toEqual([
    {
      ...{ rule: ["erased-1", OTHERS[0]], silence: "repair of erased-1, not of pump-170" },
      ...{ view: `device=erased-1&device=${OTHERS[2]}`, notes: "stands beside erased-1.", events: 1 },
    },
  ]);
  const { rows: words } = await pool().query(
    "SELECT value FROM audit_value v JOIN audit_row r ON r.id = v.row_id WHERE r.verb = $1",
    [DEED.verb],
  );
  expect(words).toEqual([{ value: `Beside ${OTHERS[1]}` }]);
  expect(await audit()).toMatchObject({ fault: null, unvouched: null });
  const { rows: sealed } = await pool().query<{ text: string }>(
    "SELECT detail::text AS text FROM audit_row WHERE verb = 'proveErasure'",
  );
  expect(JSON.parse(sealed[0]!.text)).toMatchObject({ after: { readings: proof!.readings, mark: proof!.mark } });
});

test("a message that still comes is dropped and counted, until it is allowed again; then it makes a new device", async () => {
  await send([message(GONE, 60), message(OTHERS[0]!, 60)]);
  const [proof] = await erasuresOf(`device=${GONE}`);
  expect(proof!.dropped).toBe(1);
  expect((await refused(rig.get("getDevice", { id: GONE }))).status).toBe(404);
  expect(await rig.engines.archive.count(GONE)).toBe(0);
  expect((await refused(call("allowErased", "POST", { id: "999" }))).status).toBe(404);
  await read(erasuresAnswer, call("allowErased", "POST", { id: String(proof!.id) }));
  expect((await refused(call("allowErased", "POST", { id: String(proof!.id) }))).kind).toBe("wrong-status");
  await send([message(GONE, 61)]);
  expect(await rig.engines.archive.count(GONE)).toBe(1);
});

test("killed after any step it goes on; of a name that may mean something else words stay", async () => {
  await pool().query("UPDATE job SET paused = true WHERE name = 'catalog-removals'");
  await read(jobContract, call("deleteDevice", "DELETE", { id: PLAIN }, "erase=true"));
  await pool().query("DELETE FROM catalog_removal");
  const context = jobContext(pool());
  let steps = 0;
  for (let isDone = false; !isDone; steps++) {
    let left = 1;
    const step: JobContext["step"] = (work) =>
      context.step(async (tx) => {
        const progress = await work(tx);
        if (left-- <= 0) throw new InjectedFault("killed");
        return progress;
      });
    isDone = await eraseAll({ ...context, step }, deps(), 0).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof InjectedFault)) throw error;
        return false;
      },
    );
  }
  expect(steps).toBeGreaterThan(4);
  const [proof] = await erasuresOf(`device=${PLAIN}`);
  expect(proof).toMatchObject({ state: "proven", name: null });
  expect(proof!.stores.every(({ left }) => left === 0)).toBe(true);
  expect(await rig.engines.archive.count(PLAIN)).toBe(0);
  const { rows } = await pool().query("SELECT name FROM saved_view");
  expect(rows).toEqual([{ name: "Kiln and erased-1" }]);
  expect(await audit()).toMatchObject({ fault: null });
});

test("a device that goes on sending is proven erased all the same, and the proof says what the log still has", async () => {
  const talker = "talker-9";
  await send([message(talker, 1)]);
  const freeJob = await holdJob("catalog-removals");
  await read(jobContract, call("deleteDevice", "DELETE", { id: talker }, "erase=true"));
  await pool().query("DELETE FROM catalog_removal");
  const { stores, ...rest } = deps();
  let said = 1;
  // It says something after each time that its store was gone through.
  const talking = stores.map((store) => ({
    ...store,
    async erase(...of: Parameters<typeof store.erase>) {
      const erased = await store.erase(...of);
      if (store.name === "Event log") await send([message(talker, ++said)]);
      return erased;
    },
  }));
  await eraseAll(jobContext(pool()), { ...rest, stores: talking }, 0);
  const [proof] = await erasuresOf(`device=${talker}`);
  expect(proof).toMatchObject({ state: "proven", name: null });
  expect(proof!.stores.find(({ store }) => store === "Event log")).toMatchObject({ left: 0 });
  expect(proof!.remains.map(({ what }) => what)).toContainEqual(
    expect.stringMatching(/came under its name .* event log/),
  );
  await freeJob();
});

test("all devices of a person are erased in one step: by their labels and their site's person, none of anybody else", async () => {
  const [labelled, atHome, lent] = ["ada-tracker-1", "ada-meter-2", "bob-watch-3"] as const;
  await send([labelled, atHome, lent].flatMap((device) => [message(device, 1), message(device, 2)]));
  await pool().query(
    `INSERT INTO site (name) VALUES ('Home 4');
     UPDATE device SET site_id = (SELECT id FROM site WHERE name = 'Home 4') WHERE name IN ('${atHome}', '${lent}')`,
  );
  const { rows: sites } = await pool().query<{ id: number }>("SELECT id FROM site WHERE name = 'Home 4'");
  const change = (verb: Parameters<typeof rig.get>[0], method: string, params: Record<string, string>, body: object) =>
    rig.api.handle(
      verb,
      new Request("http://here/api", { method, headers: JSON_TYPE, body: JSON.stringify(body) }),
      params,
    );
  const site = { site: String(sites[0]!.id) };
  expect(await read(siteAnswer, change("renameSite", "PATCH", site, { person: " Ada Byron " }))).toMatchObject({
    ...{ name: "Home 4", person: "Ada Byron" },
  });
  await read(deviceDetail, change("updateDevice", "PATCH", { id: labelled }, { labels: { owner: "Ada Byron" } }));
  await read(deviceDetail, change("updateDevice", "PATCH", { id: lent }, { labels: { person: "Bob" } }));

  const text = await (await rig.get("exportPersonalData", {}, "person=Ada+Byron")).text();
  const told = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { kind: string; device?: string; row?: object });
  expect(told[0]).toMatchObject({ devices: [atHome, labelled] });
  expect(told.find(({ kind, device }) => kind === "device" && device === atHome)?.row).toMatchObject({
    sitePerson: "Ada Byron",
  });
  expect(await read(personErasure, rig.get("previewErasure", {}, "person=Ada+Byron"))).toEqual({
    devices: [
      { name: atHome, site: "Home 4", messages: 2, by: "site" },
      { name: labelled, site: "north", messages: 2, by: "label" },
    ],
    ...{ sites: ["Home 4"], readings: 8 },
  });

  const erase = (body: object) => change("erasePerson", "POST", {}, body);
  expect((await refused(erase({ person: "Nobody", devices: [labelled] }))).status).toBe(404);
  // Agreed to one of two: nothing is erased.
  expect((await refused(erase({ person: "Ada Byron", devices: [labelled] }))).kind).toBe("changed-meanwhile");
  const before = await rig.engines.archive.find({ device: lent, limit: 10 });
  const { items } = await read(erasuresAnswer, erase({ person: "Ada Byron", devices: [atHome, labelled] }));
  const request = items.at(-1)!.id;
  expect(items.map(({ request: of }) => of)).toEqual([request, request]);
  expect(items.map(({ name }) => name).sort()).toEqual([atHome, labelled]);
  // Its readings go with the rest: the job that takes them out by themselves stands still since the test before.
  await pool().query("DELETE FROM catalog_removal");
  await eraseAll(jobContext(pool()), deps(), 0);
  const proofs = await erasuresOf(`request=${request}`);
  expect(proofs.map(({ state, name }) => [state, name])).toEqual([
    ["proven", null],
    ["proven", null],
  ]);
  expect((await erasuresOf()).length).toBeGreaterThan(2);
  for (const gone of [labelled, atHome, "Ada Byron"]) expect(await scan(gone)).toEqual([]);
  expect(await rig.engines.archive.find({ device: lent, limit: 10 })).toEqual(before);
  const { rows } = await pool().query(
    `SELECT (SELECT count(*) FROM reading WHERE device = '${lent}')::int AS readings, (SELECT person FROM site WHERE name = 'Home 4') AS person,
       (SELECT target FROM audit_row WHERE verb = 'erasePerson' AND outcome = 'done') AS target`,
  );
  expect(rows).toEqual([{ readings: 4, person: null, target: `erasures?request=${request}` }]);
  expect(await audit()).toMatchObject({ fault: null, unvouched: null });
  expect((await refused(rig.get("exportPersonalData", {}, "person=Ada+Byron"))).status).toBe(404);
});
