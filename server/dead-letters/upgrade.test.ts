import { afterAll, beforeAll, expect, test } from "vitest";
import { createPostgresDeadLetters } from "@/server/adapters/postgres/dead-letters";
import { readRuns } from "@/server/jobs/read";
import { settleLeft } from "@/server/pipeline/settlements";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { createRig, createScriptedLog } from "@/server/testing/pipeline-rig";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const T = Date.UTC(2026, 0, 15, 10);
const SENT = { time: T, kind: "sent", detail: "Sent again as it was", edited: false } as const;
const idOf = (offset: number) => `old/iot.telemetry/0/0/${offset}/m`;
/** Words that look like what is renamed, and escapes that PostgreSQL's functions on JSON refuse. */
const HOSTILE = '"action":"replay" "to":"replayed", "replays":7 replaying \u0000 \ud800 \\"replays":8';

test("dead letters from before the resends are what they were, and what was under way goes on", async () => {
  await goBackBefore(db, "20261128180000_resend");
  const message = JSON.stringify({ device: "d", time: T, readings: { a: 1 } });
  await db.pool.query(
    `INSERT INTO dead_letter (id, log, partition, "offset", reason, detail, device, ingest_time, processed_time, raw, status,
                              replay_of, replayed_as, replays, history, changed_at, job)
     SELECT 'old/iot.telemetry/0/0/' || n || '/m', 'old/iot.telemetry/0', 0, n, 'futureTime', 'replayed', 'd',
            to_timestamp($1 / 1000.0) + n * interval '1 ms', to_timestamp($1 / 1000.0), $2, status, before, after, replays,
            CASE replays WHEN 0 THEN '{}' ELSE ARRAY[$3] END, now(), job
     FROM (VALUES (0, 'open', NULL, NULL, 0, NULL), (1, 'replaying', NULL, NULL, 1, 'runs'), (2, 'replaying', NULL, NULL, 1, NULL),
                  (3, 'replayed', NULL, NULL, 2, 'runs'), (4, 'replayed', NULL, 'old/iot.telemetry/0/0/5/m', 1, 'runs'),
                  (5, 'open', 'old/iot.telemetry/0/0/4/m', NULL, 1, NULL), (6, 'discarded', NULL, NULL, 0, NULL))
       AS l (n, status, before, after, replays, job)`,
    [T, Buffer.from(message), JSON.stringify(SENT)],
  );
  const settlement = (offset: number, more: object) => {
    const event = { time: T + 5, edited: false, kind: "refused", detail: HOSTILE };
    const from = ["replaying", "open", "discarded"];
    return JSON.stringify({ id: idOf(offset), from, replays: 1, to: "replayed", event, ...more });
  };
  await db.pool.query("INSERT INTO replay_settlement (letter, attempt, change) VALUES ($1, 1, $2)", [
    idOf(2),
    settlement(2, { replayedAs: idOf(7) }),
  ]);
  const asked = { filter: { reason: "futureTime", device: HOSTILE }, until: T, perSecond: 50 };
  const params = [
    ["runs", "dead-letters", "running", JSON.stringify({ action: "replay", ...asked })],
    // As the migration of the jobs wrote it.
    ["older", "dead-letters", "done", '{"action" : "replay", "filter" : {}, "until" : 0, "perSecond" : 7}'],
    ["gives-up", "dead-letters", "done", JSON.stringify({ action: "discard", ...asked })],
    ["other", "another-job", "done", '{"action":"replay"}'],
  ];
  for (const one of params)
    await db.pool.query(
      "INSERT INTO job_run (id, job, lane, trigger, state, params) VALUES ($1, $2, $1, 'request', $3, $4)",
      one,
    );

  await migrate(db.connectionString);
  const letters = createPostgresDeadLetters(db.pool);
  const all = async () =>
    (await letters.find({ sites: "all", limit: 100 }))
      .toReversed()
      .map(({ status, resends, resendOf, resentAs, history }) => [status, resends, resendOf, resentAs, history.length]);
  const before = [
    ["open", 0, null, null, 0],
    ["resending", 1, null, null, 1],
    ["resending", 1, null, null, 1],
    ["resent", 2, null, null, 1],
    ["resent", 1, null, idOf(5), 1],
    ["open", 1, idOf(4), null, 1],
    ["discarded", 0, null, null, 0],
  ];
  expect(await all()).toEqual(before);
  expect(await letters.count({ sites: "all", job: "runs" })).toEqual({
    open: 0,
    resending: 1,
    resent: 2,
    discarded: 0,
    refused: 1,
  });
  expect((await letters.groups({ sites: "all", limit: 9, trendFrom: T })).groups).toMatchObject([
    { count: 7, resends: 6 },
  ]);
  const runs = await readRuns(db.pool, "dead-letters", "all", 9);
  expect(Object.fromEntries(runs.map((run) => [run.id, run.params]))).toEqual({
    runs: { action: "resend", ...asked },
    older: { action: "resend", filter: {}, until: 0, perSecond: 7 },
    "gives-up": { action: "discard", ...asked },
  });
  expect((await readRuns(db.pool, "another-job", "all", 9))[0]!.params).toEqual({ action: "replay" });

  await settleLeft(db.pool, letters);
  const refused = { time: T + 5, edited: false, kind: "refused", detail: HOSTILE };
  expect((await letters.find({ sites: "all", ids: [idOf(2)], limit: 1 }))[0]).toMatchObject({
    ...{ status: "resent", resends: 1, resentAs: idOf(7), history: [SENT, refused] },
  });

  // A record of the version before that still waits in the log.
  const log = createScriptedLog("old", 1);
  log.append(0, message, T, { "fieldwatch-replay-of": idOf(1), "fieldwatch-replays": "1" });
  const rig = await createRig(db.pool, log);
  await rig.drain();
  const [settled] = await letters.find({ sites: "all", ids: [idOf(1)], limit: 1 });
  expect(settled).toMatchObject({ status: "resent", resends: 1, resentAs: null });
  expect(settled!.history.map(({ detail }) => detail)).toEqual([SENT.detail, "1 reading stored, 0 repeats"]);

  const { rows } = await db.pool.query(
    `SELECT table_name, column_name FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name !~ '^replay_(run|refused)$' AND (table_name ~ 'replay' OR column_name ~ 'replay')`,
  );
  expect(rows).toEqual([]);
  await expect(db.pool.query("UPDATE dead_letter SET status = 'replayed'")).rejects.toThrow("dead_letter_status_check");
});

test("dead letters from before senders' sites were kept have none, in every month, and new ones keep theirs", async () => {
  await goBackBefore(db, "20261130100000_sender_site");
  await db.pool.query(
    `SELECT make_month('dead_letter', 2026, 1);
     INSERT INTO dead_letter (id, log, partition, "offset", reason, detail, device, ingest_time, processed_time, raw, status)
     SELECT 'c/t/0/0/' || n || '/m', 'c/t/0', 0, n, 'notJson', 'why', 'd', day::date, now(), 'x', 'resending'
     FROM (VALUES (1, '2026-01-02'), (2, '2019-01-01')) l (n, day)`,
  );
  await migrate(db.connectionString);
  const letters = createPostgresDeadLetters(db.pool);
  const [old] = await letters.find({ sites: "all", ids: ["c/t/0/0/1/m"], limit: 1 });
  const position = { ...old!.position, offset: 3 };
  await letters.store([{ ...old!, id: "c/t/0/0/3/m", position, senderSite: "north" }]);
  const all = await letters.find({ sites: "all", limit: 9 });
  expect(all.map(({ id, status, senderSite }) => [id, status, senderSite])).toEqual([
    ["c/t/0/0/3/m", "open", "north"],
    ["c/t/0/0/1/m", "resending", null],
    ["c/t/0/0/2/m", "resending", null],
  ]);
  // What is on its way goes to the rest when its month ends: the columns must be the same there.
  expect(await letters.removeBefore(Date.UTC(2026, 2), 100)).toBe(1);
  expect((await letters.find({ sites: "all", limit: 9 })).map(({ id }) => id)).toEqual(["c/t/0/0/1/m", "c/t/0/0/2/m"]);
});
