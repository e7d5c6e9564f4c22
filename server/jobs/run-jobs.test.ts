import pino from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createPool } from "@/server/postgres/connection";
import type { Job, JobContext } from "@/server/postgres/job";
import type { Running } from "@/server/observability/running";
import { UnavailableError } from "@/server/domain/unavailable";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { until } from "@/server/testing/until";
import { readJobs, readRuns } from "./read";
import { pauseJob, requestRun, stopRun } from "./requests";
import { runJobs, type RunJobsDeps } from "./run-jobs";

const logger = pino({ level: "silent" });
let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
  await db.pool.query("CREATE TABLE part (n int)");
});
afterAll(() => db.drop());
beforeEach(() => db.pool.query("TRUNCATE job, job_run, part CASCADE"));

const jobOf = (run: Job["run"], over: Partial<Job> = {}): Job => {
  return {
    name: "test",
    title: "Test",
    about: "Tests.",
    counts: { one: "thing", many: "things" },
    everyMs: null,
    limitMs: null,
    run,
    ...over,
  };
};

/** Stopped after each test, whatever became of it. */
const workers: Running[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
});

let serial = 0;
function start(jobs: readonly Job[], over: Partial<RunJobsDeps> = {}) {
  const owner = `worker-${serial++}`;
  const given = {
    pool: db.pool,
    work: db.pool,
    jobs,
    owner,
    logger,
    firstMs: 0,
    lookMs: 10,
    leaseMs: 600,
    retryMs: 10,
    patienceMs: 100,
  };
  const worker = runJobs({ ...given, ...over });
  workers.push(worker);
  return worker;
}

const latest = async (job = "test") => (await readRuns(db.pool, job, "all", 1))[0];
const isLatest = (state: string) => until(async () => (await latest())?.state === state);
const ask = (job = "test") => requestRun(db.pool, { job, requestedBy: { text: "somebody", accountId: null } });

/** Writes the parts up to `last`, one a step, from where an earlier worker was. */
const writeParts = (last: number, beside: (n: number, ctx: JobContext) => Promise<void> = async () => {}) =>
  jobOf(async (ctx) => {
    for (let n = Number(ctx.run.cursor ?? 0); n < last; n++) {
      await ctx.step(async (tx) => {
        await tx.query("INSERT INTO part VALUES ($1)", [n]);
        await beside(n, ctx);
        return { done: n + 1, total: last, cursor: n + 1 };
      });
    }
  });
const parts = async () => (await db.pool.query<{ n: number }>("SELECT n FROM part ORDER BY n")).rows.map(({ n }) => n);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

test("due jobs run at one worker at a time, again and again; what found nothing leaves one run behind", async () => {
  let at = 0;
  let most = 0;
  const runs = [0, 0, 0];
  runs.forEach((_, i) =>
    start([
      jobOf(
        async () => {
          most = Math.max(most, ++at);
          await db.pool.query("SELECT pg_sleep(0.005)");
          at--;
          runs[i]!++;
        },
        { everyMs: 5 },
      ),
    ]),
  );
  await until(() => runs.reduce((sum, count) => sum + count) > 12);
  await Promise.all(workers.map((worker) => worker.stop()));
  expect(most).toBe(1);
  expect((await readRuns(db.pool, "test", "all", 99)).filter(({ state }) => state === "done")).toHaveLength(1);
});

test("times missed are made up for by one run, and a clock set back makes no job wait", async () => {
  const ran: string[] = [];
  const job = (name: string) => jobOf(async () => void ran.push(name), { name, everyMs: 60_000 });
  const jobs = [job("missed"), job("far")];
  const before = start(jobs, { firstMs: 30_000 });
  await until(async () => (await readJobs(db.pool)).length === 2);
  await before.stop();
  await db.pool.query(
    `UPDATE job SET next_at = now() + CASE name WHEN 'far' THEN 1 ELSE -1 END * interval '78 minutes 7 seconds'`,
  );
  const after = start(jobs);
  await until(() => ran.length === 2);
  const { rows } = await db.pool.query(
    "SELECT bool_and(next_at BETWEEN now() AND now() + interval '61 seconds') AS soon FROM job",
  );
  expect(rows).toEqual([{ soon: true }]);
  await after.stop();
  expect(ran.sort()).toEqual(["far", "missed"]);
});

test("a job that hangs doesn't keep another waiting", async () => {
  let others = 0;
  const worker = start([
    jobOf(() => new Promise(() => {}), { name: "hangs", everyMs: 5 }),
    jobOf(async () => void others++, { name: "other", everyMs: 5 }),
  ]);
  await until(() => others > 3);
  const began = performance.now();
  await worker.stop();
  expect(performance.now() - began).toBeLessThan(1500);
});

test("a part is done once, whoever dies in it", async () => {
  await ask();
  let dead = false;
  // The first worker's connections break in the middle of its eighth part, and it never finds its way back.
  const pool = createPool(db.connectionString, { role: "dying", logger, size: 4 });
  const dying = start(
    [
      writeParts(20, async (n) => {
        if (n !== 7 || dead) return;
        dead = true;
        await db.pool.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name LIKE 'fieldwatch dying%' AND datname = current_database()`,
        );
      }),
    ],
    { pool, work: pool, lookMs: 60_000 },
  );
  await until(() => dead);
  start([writeParts(20)]);
  await isLatest("done");
  expect(await parts()).toEqual(upTo(20));
  expect(await latest()).toMatchObject({ done: 20, total: 20 });
  await dying.stop();
  await pool.end();
});

test("a worker that slept while another took over writes nothing more", async () => {
  await ask();
  let wake = () => {};
  const asleep = new Promise<void>((resolve) => (wake = resolve));
  start([writeParts(10, (n) => (n === 4 ? asleep : Promise.resolve()))]);
  await until(async () => (await parts()).length === 4);
  const other = `worker-${serial}`;
  start([writeParts(10)]);
  await until(async () => {
    if ((await latest())?.worker === other) return true;
    await db.pool.query("UPDATE job_run SET lease_until = now() - interval '1 second' WHERE lease_owner <> $1", [
      other,
    ]);
    return false;
  });
  await isLatest("done");
  wake();
  await Promise.all(workers.map((worker) => worker.stop()));
  expect(await parts()).toEqual(upTo(10));
});

test("a worker that stops hands its run on at once", async () => {
  await ask();
  const first = start([
    writeParts(50, async (_n, { signal }) => {
      await db.pool.query("SELECT pg_sleep(0.01)");
      signal.throwIfAborted();
    }),
  ]);
  await until(async () => (await parts()).length > 3);
  await first.stop();
  expect(await latest()).toMatchObject({ state: "waiting", error: null });
  const second = start([writeParts(50)]);
  await isLatest("done");
  await second.stop();
  expect(await parts()).toEqual(upTo(50));
});

test("a run is stopped by whom it may concern, and by its limit, in the middle of a statement", async () => {
  const hang = (over: Partial<Job>) =>
    jobOf(async (ctx) => {
      await ctx.step(async (tx) => {
        await tx.query("SELECT pg_sleep(60)");
        return { done: 1 };
      });
    }, over);
  const worker = start([hang({}), hang({ name: "limited", limitMs: 50 })], { patienceMs: 5000 });
  const id = (await ask())!;
  await ask("limited");
  await until(async () => (await latest("limited"))?.state === "failed");
  expect((await latest("limited"))!.error).toContain("longer than 0.05 s");
  await isLatest("running");
  expect(await stopRun(db.pool, "test", id)).toBe(true);
  await isLatest("stopped");
  expect(await stopRun(db.pool, "test", id)).toBe(false);
  await until(async () => {
    const { rows } = await db.pool.query(
      "SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)' AND state = 'active'",
    );
    return rows.length === 0;
  });
  await worker.stop();
});

test("an outage makes a run wait and come again; any other error fails it, with its words", async () => {
  let tries = 0;
  const worker = start([
    jobOf(async () => {
      if (++tries < 3) throw new UnavailableError("the engine is away");
    }),
    jobOf(
      async () => {
        throw new TypeError("a mistake");
      },
      { name: "broken" },
    ),
  ]);
  await ask();
  await ask("broken");
  await isLatest("done");
  expect(tries).toBe(3);
  await until(async () => (await latest("broken"))?.state === "failed");
  expect(await latest("broken")).toMatchObject({ error: "a mistake", attempt: 0 });
  await worker.stop();
});

test("a paused job isn't run by its schedule, but when somebody asks", async () => {
  let ran = 0;
  const jobs = [jobOf(async () => void ran++, { everyMs: 10 })];
  const worker = start(jobs);
  await until(() => ran > 1);
  await pauseJob(db.pool, "test", true);
  await until(async () => (await readJobs(db.pool))[0]!.unfinished === 0);
  const before = ran;
  await until(async () => (await ask()) !== null);
  await until(() => ran === before + 1);
  await worker.stop();
  // Another start of the worker doesn't wake it either; one without the job takes it off the list.
  const again = start([...jobs, jobOf(async () => {}, { name: "other", title: "A" })]);
  await until(async () => (await readJobs(db.pool)).length === 2);
  expect((await readJobs(db.pool)).map(({ name, paused }) => [name, paused])).toEqual([
    ["other", false],
    ["test", true],
  ]);
  await again.stop();
  const without = start([]);
  await until(async () => (await readJobs(db.pool)).length === 0);
  await without.stop();
});

test("a step that gives way waits while the pipeline has a backlog; others don't", async () => {
  let isBusy = true;
  const done: string[] = [];
  const works = (name: string) => async (ctx: JobContext) => {
    await ctx.step(async () => {
      done.push(name);
      return { done: 1 };
    });
  };
  start(
    [
      jobOf(works("waits"), { name: "waits", everyMs: 60_000, givesWay: true }),
      jobOf(works("goes on"), { name: "goes-on", everyMs: 60_000 }),
    ],
    { isBusy: () => isBusy },
  );
  await until(() => done.length === 1);
  expect(done).toEqual(["goes on"]);
  isBusy = false;
  await until(() => done.length === 2);
  expect(done[1]).toBe("waits");
});
