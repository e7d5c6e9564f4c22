import pino from "pino";
import { describe, expect, test } from "vitest";
import type { RunRow } from "@/server/jobs/read";
import { stopRun } from "@/server/jobs/requests";
import { createPool } from "@/server/postgres/connection";
import { deadLetterJobsBench, letterOf, PATIENCE } from "@/server/testing/dead-letter-jobs";
import { until } from "@/server/testing/until";
import { DEAD_LETTERS_JOB, type WorkOnManyOutcome } from "./work-on-many";

const logger = pino({ level: "silent" });
const T = 1_750_000_000_000;
const bench = deadLetterJobsBench();
const { createLog, stored, addJob, start, state, ended } = bench;

describe("a job", { timeout: 90_000 }, () => {
  test("sends each fitting letter once, and ends when all are handled", async () => {
    const log = createLog();
    await stored(43);
    await bench.letters.store([letterOf(900, { device: "other" }), letterOf(901, { ingestTime: T + 2_000_000 })]);
    const job = await addJob({ filter: { device: "d", reason: "futureTime", field: null }, total: 43 });
    const runner = start(log);
    await until(() => log.records.length === 43, PATIENCE);
    expect((await state(job)).state).toBe("running");
    await log.handle();
    await ended(job, "done");
    expect(await state(job)).toMatchObject({ done: 43, cursor: { skipped: 0, stored: 38, refused: 5 }, error: null });
    expect((await state(job)).finishedAt).not.toBeNull();
    expect(new Set(log.marks().map(({ letter }) => letter)).size).toBe(43);
    expect(log.records.every(({ key }) => key === "d")).toBe(true);
    expect(await bench.letters.count({ sites: "all", job })).toMatchObject({ resent: 43, refused: 5 });
    expect(await bench.letters.count({ sites: "all", status: "open" })).toMatchObject({ open: 2 });
    await runner.stop();
  });

  test("gives letters up, and another takes them back", async () => {
    const log = createLog();
    await stored(1203);
    const discard = await addJob({ action: "discard" });
    const runner = start(log);
    await ended(discard, "done");
    expect(await bench.letters.count({ sites: "all" })).toMatchObject({ open: 0, discarded: 1203 });
    const restore = await addJob({ action: "restore" });
    await ended(restore, "done");
    expect(await bench.letters.count({ sites: "all" })).toMatchObject({ open: 1203, discarded: 0 });
    expect([(await state(discard)).done, (await state(restore)).done]).toEqual([1203, 1203]);
    expect(log.records).toHaveLength(0);
    await runner.stop();
  });

  test("keeps to its rate, and stops where it is told to", async () => {
    const log = createLog();
    await stored(2000);
    const job = await addJob({ perSecond: 100 });
    const started = performance.now();
    const runner = start(log);
    await until(() => log.records.length >= 100, PATIENCE);
    const seconds = (performance.now() - started) / 1000;
    expect(log.records.length / Math.max(seconds, 0.001)).toBeLessThan(200);
    expect(await stopRun(bench.pool, DEAD_LETTERS_JOB, job)).toBe(true);
    await ended(job, "stopped");
    await runner.stop();
    const sent = log.records.length;
    expect(sent).toBeLessThan(2000);
    expect(await state(job)).toMatchObject({ state: "stopped" });
    const next = start(log);
    const after = await addJob({ action: "discard" });
    await ended(after, "done");
    expect(log.records).toHaveLength(sent);
    await next.stop();
  });

  test("is worked on by one process, and goes on in another when that one dies", async () => {
    const log = createLog();
    await stored(300);
    const job = await addJob({ perSecond: 400 });
    let letGo = () => {};
    const claimMs = 2000;
    // The first process dies between a claim and its append.
    const pool = createPool(bench.db.connectionString, { role: "dying", logger, size: 2 });
    const dying = start(log, {
      claimMs,
      pool,
      eventLog: {
        describe: log.describe,
        append: async (topic, records) => {
          if (log.records.length >= 100) return new Promise((_, reject) => (letGo = () => reject(new Error("dead"))));
          await log.append(topic, records);
        },
      },
    });
    await until(() => log.records.length >= 100, PATIENCE);
    await until(
      async () => (await bench.letters.count({ sites: "all", status: "resending" })).resending > log.records.length,
      PATIENCE,
    );
    const other = start(log, { claimMs });
    // It isn't heard of any more, and never hears of it.
    await pool.end();
    await until(async () => {
      await log.handle();
      return (await state(job)).state === "done";
    }, PATIENCE);
    expect(await state(job)).toMatchObject({ done: 300 });
    expect(
      log
        .marks()
        .map(({ letter }) => letter)
        .sort(),
    ).toEqual([...new Set(log.marks().map(({ letter }) => letter))].sort());
    expect(await bench.letters.count({ sites: "all" })).toMatchObject({ open: 0, resending: 0, resent: 300 });
    await other.stop();
    letGo();
    await dying.stop();
  });

  test("waits while the log is away", async () => {
    const log = createLog();
    await stored(10);
    log.setAway(true);
    const job = await addJob();
    const runner = start(log);
    await until(
      async () => (await state(job)).state === "waiting" && (await bench.letters.count({ sites: "all" })).open === 10,
      PATIENCE,
    );
    log.setAway(false);
    await until(() => log.records.length === 10, PATIENCE);
    await log.handle();
    await ended(job, "done");
    await runner.stop();
  });

  test("two at once share the letters", async () => {
    const log = createLog();
    await stored(200);
    const jobs = [await addJob(), await addJob()];
    const runner = start(log);
    await until(async () => {
      await log.handle();
      return (await Promise.all(jobs.map(state))).every((run) => run.state === "done");
    }, PATIENCE);
    const [one, two] = await Promise.all(jobs.map(state));
    const sent = ({ done, cursor }: RunRow) => done - (cursor as WorkOnManyOutcome).skipped;
    expect(sent(one!) + sent(two!)).toBe(200);
    expect(log.records).toHaveLength(200);
    await runner.stop();
  });
});
