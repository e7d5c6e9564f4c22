import { afterAll, beforeAll, expect, test } from "vitest";
import { runHeaders } from "@/server/domain/replay-run";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { createRig, createScriptedLog } from "@/server/testing/pipeline-rig";
import { readReplayRun, removeReplayRunsBefore } from "./replay-runs";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const T = Date.UTC(2026, 0, 15, 10, 0, 30);
const RUN = "run-00000001";

test("counts a run's own messages exactly, beside other senders and over crashes", async () => {
  const log = createScriptedLog("runs", 2);
  const rig = await createRig(db.pool, log);
  const send = (partition: number, body: unknown, run: string | null = RUN) =>
    log.append(partition, body, Date.now(), run === null ? {} : runHeaders(run));
  send(0, { device: "d", time: T, readings: { a: 1 } }, null);
  send(0, { device: "d", time: T, readings: { a: 1, b: 2, note: "x" } });
  send(0, { device: "d", time: T, readings: { b: 2 } }, null);
  send(0, { device: "d", time: T, readings: { a: 7, b: 2 } });
  send(0, { device: "d", time: T, readings: { a: 8 } }, null);
  send(0, { device: "d", time: T + 1, readings: { a: "off", b: 3 } });
  send(1, { device: "e", time: "never", readings: { a: 1 } });
  send(1, { device: "e", time: T, readings: { a: 1 } }, "another-run-2");
  rig.faults.next = "beforeCommit";
  await expect(rig.drain()).rejects.toThrow();
  rig.faults.next = "afterCommit";
  await expect(rig.drain()).rejects.toThrow();
  await rig.drain();

  expect(await readReplayRun(db.pool, RUN)).toEqual({
    run: RUN,
    messages: 4,
    faulty: 3,
    readings: 2,
    repeats: 2,
    conflicts: 1,
    texts: 1,
    refused: [
      { reason: "badTime", count: 1, example: expect.stringMatching(/^e: "never"/) as string },
      { reason: "typeDrift", count: 1, example: expect.stringMatching(/^d: a: a is a string/) as string },
    ],
  });
  expect(await readReplayRun(db.pool, "another-run-2")).toMatchObject({ messages: 1, faulty: 0, readings: 1 });
  expect(await readReplayRun(db.pool, "unknown-run")).toMatchObject({ messages: 0, refused: [] });

  expect(await removeReplayRunsBefore(db.pool, Date.now() - 60_000, 9)).toBe(0);
  expect(await removeReplayRunsBefore(db.pool, Date.now() + 60_000, 9)).toBe(3);
  expect(await readReplayRun(db.pool, RUN)).toMatchObject({ messages: 0, refused: [] });
});

test("a header that can be no run is a message like any other, and a batch without runs writes nothing", async () => {
  const log = createScriptedLog("runs-2", 1);
  const rig = await createRig(db.pool, log);
  log.append(0, { device: "d", time: T + 5, readings: { a: 1 } }, Date.now(), { "fieldwatch-run": "a b; \ud800" });
  await rig.drain();
  expect((await db.pool.query("SELECT * FROM replay_run")).rows).toEqual([]);
});

test("a database from before replays were counted keeps what it has", async () => {
  await goBackBefore(db, "20261128170000_replay_runs");
  await db.pool.query(
    `INSERT INTO pipeline_position (cluster, topic, epoch, partition, next, messages, readings, duplicates, dead_letters)
     VALUES ('runs-3', 'iot.telemetry', 0, 0, 3, 3, 1, 1, 1)`,
  );
  await migrate(db.connectionString);
  const log = createScriptedLog("runs-3", 1);
  log.parts[0]!.start = 3;
  const rig = await createRig(db.pool, log);
  log.append(0, { device: "d", time: T, readings: { a: 1 } }, Date.now(), runHeaders(RUN));
  await rig.drain();
  expect(await readReplayRun(db.pool, RUN)).toMatchObject({ messages: 1, readings: 1 });
  const { rows } = await db.pool.query("SELECT messages::int AS messages FROM pipeline_position");
  expect(rows).toEqual([{ messages: 4 }]);
});
