import type { Pool } from "pg";
import pino from "pino";
import { createPool } from "@/server/postgres/connection";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createPostgresDeadLetters } from "@/server/adapters/postgres/dead-letters";
import { readRun, type RunRow } from "@/server/jobs/read";
import { requestRun, stopRun } from "@/server/jobs/requests";
import { runJobs } from "@/server/jobs/run-jobs";
import { jobContext } from "@/server/testing/job-context";
import { readMark } from "@/server/domain/resend-mark";
import { type DeadLetter, deadLetterId, type DeadLetters, NEVER_RESENT } from "@/server/ports/dead-letters";
import { type LogRecord, LogUnavailableError, type TopicState } from "@/server/ports/event-log";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { until } from "@/server/testing/until";
import { reclaimLetters } from "./reclaim";
import { deadLetterJobs, type DeadLetterJobsDeps } from "./jobs";
import { APPEND_WITHIN_MS, CLAIM_MS, sendOne } from "./send";
import { DEAD_LETTERS_JOB, type WorkOnMany, type WorkOnManyOutcome } from "./work-on-many";

const logger = pino({ level: "silent" });
const T = 1_750_000_000_000;
const PATIENCE = { timeoutMs: 20_000 };

let db: TestDatabase;
let letters: DeadLetters;
beforeAll(async () => {
  db = await freshDatabase();
  letters = createPostgresDeadLetters(db.pool);
});
afterAll(() => db.drop());
beforeEach(() => db.pool.query("TRUNCATE dead_letter, job, job_run"));

/** The log in front of a worker that the test plays. */
function createLog() {
  const records: LogRecord[] = [];
  let handled = 0;
  let away = false;
  return {
    records,
    marks: () => records.map(({ headers = {} }) => readMark(headers)!),
    setAway: (to: boolean) => (away = to),
    async append(_topic: string, some: readonly LogRecord[], _before?: number) {
      if (away) throw new LogUnavailableError("away");
      records.push(...some);
    },
    async describe(): Promise<TopicState> {
      if (away) throw new LogUnavailableError("away");
      const partition = {
        partition: 0,
        start: 0,
        end: records.length,
        readableEnd: records.length,
        committed: handled,
        oldestWaiting: null,
        owner: null,
      };
      return { cluster: "c", topic: "t", topicId: "1", members: 1, partitions: [partition] };
    },
    /** As the worker would: settles what is in the log; of every tenth letter, refused again. */
    async handle() {
      for (; handled < records.length; handled++) {
        const mark = readMark(records[handled]!.headers ?? {})!;
        const refused = mark.letter.endsWith("0/m");
        const event = { time: Date.now(), kind: refused ? "refused" : "stored", detail: "", edited: false } as const;
        await letters.change([
          {
            id: mark.letter,
            from: ["resending", "open", "discarded"],
            resends: mark.attempt,
            to: "resent",
            event,
            ...(refused && { resentAs: "other" }),
          },
        ]);
      }
    },
  };
}

function letterOf(offset: number, over: Partial<DeadLetter> = {}): DeadLetter {
  const position = { log: "c/t/0", partition: 0, offset };
  const times = { ingestTime: T + offset, processedTime: T + offset };
  const [reason, detail] = ["futureTime", "ahead"] as const;
  const raw = Buffer.from(`{"n":${offset}}`);
  const id = deadLetterId(position, null);
  return { id, position, reason, detail, device: "d", field: null, raw, ...times, ...NEVER_RESENT, ...over };
}

async function stored(count: number): Promise<DeadLetter[]> {
  const made = Array.from({ length: count }, (_, offset) => letterOf(offset));
  await letters.store(made);
  return made;
}

let serial = 0;
async function addJob({ total = 0, ...over }: Partial<WorkOnMany> & { total?: number } = {}): Promise<string> {
  const params = { action: "resend", filter: {}, until: T + 1_000_000, perSecond: 1000, ...over } as const;
  const id = `job-${serial++}`;
  return (await requestRun(db.pool, { id, job: DEAD_LETTERS_JOB, lane: id, params, total, requestedBy: "test" }))!;
}

function start(
  log: Pick<ReturnType<typeof createLog>, "append" | "describe">,
  { pool = db.pool, ...over }: Partial<DeadLetterJobsDeps & { pool: Pool }> = {},
) {
  // Claims are longer than any test: nothing that is only slow is reclaimed.
  const jobs = deadLetterJobs({
    deadLetters: letters,
    eventLog: log,
    days: 30,
    settleLeft: async () => {},
    lookMs: 20,
    claimMs: 600_000,
    ...over,
  })
    // The letters of these tests are old.
    .filter(({ name }) => name !== "dead-letter-retention")
    .map((job) => (job.everyMs === null ? job : { ...job, everyMs: 20 }));
  const owner = `worker-${serial++}`;
  const times = { firstMs: 0, lookMs: 20, leaseMs: 1000, retryMs: 20 };
  return runJobs({ pool, work: pool, jobs, owner, logger, ...times });
}

const state = async (id: string): Promise<RunRow> => (await readRun(db.pool, DEAD_LETTERS_JOB, id))!;
const ended = (id: string, end: RunRow["state"]) => until(async () => (await state(id)).state === end, PATIENCE);

describe("a job", { timeout: 90_000 }, () => {
  test("sends each fitting letter once, and ends when all are handled", async () => {
    const log = createLog();
    await stored(43);
    await letters.store([letterOf(900, { device: "other" }), letterOf(901, { ingestTime: T + 2_000_000 })]);
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
    expect(await letters.count({ job })).toMatchObject({ resent: 43, refused: 5 });
    expect(await letters.count({ status: "open" })).toMatchObject({ open: 2 });
    await runner.stop();
  });

  test("gives letters up, and another takes them back", async () => {
    const log = createLog();
    await stored(1203);
    const discard = await addJob({ action: "discard" });
    const runner = start(log);
    await ended(discard, "done");
    expect(await letters.count({})).toMatchObject({ open: 0, discarded: 1203 });
    const restore = await addJob({ action: "restore" });
    await ended(restore, "done");
    expect(await letters.count({})).toMatchObject({ open: 1203, discarded: 0 });
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
    expect(await stopRun(db.pool, DEAD_LETTERS_JOB, job)).toBe(true);
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
    const pool = createPool(db.connectionString, { role: "dying", logger, size: 2 });
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
    await until(async () => (await letters.count({ status: "resending" })).resending > log.records.length, PATIENCE);
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
    expect(await letters.count({})).toMatchObject({ open: 0, resending: 0, resent: 300 });
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
    await until(async () => (await state(job)).state === "waiting" && (await letters.count({})).open === 10, PATIENCE);
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

describe("a claim", () => {
  test("is one person's", async () => {
    const log = createLog();
    await stored(1);
    const [letter] = await letters.find({ limit: 1 });
    const sending = { letter: letter!, edited: Buffer.from('{"device":"e","readings":{}}') };
    const sent = await Promise.all([1, 2, 3].map(() => sendOne({ deadLetters: letters, eventLog: log }, sending)));
    expect(sent.filter(Boolean)).toHaveLength(1);
    expect(log.records.map(({ key, value }) => [key, Buffer.from(value).toString()])).toEqual([
      ["e", '{"device":"e","readings":{}}'],
    ]);
    expect(log.marks()).toEqual([{ letter: letter!.id, attempt: 1, edited: true }]);
    expect(await letters.find({ limit: 1 })).toMatchObject([
      { status: "resending", resends: 1, history: [{ kind: "sent", edited: true }] },
    ]);
  });

  test("that led to nothing is reclaimed, but not while its message may wait in the log", async () => {
    const log = createLog();
    await stored(3);
    let now = Date.now();
    const reclaim = async (signal: AbortSignal) => {
      const ctx = jobContext(db.pool, { signal });
      const settleLeft = async () => {};
      const deps = { deadLetters: letters, eventLog: log, settleLeft, now: () => now, claimMs: 1000, lookMs: 5 };
      await reclaimLetters(deps, ctx).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      return ctx.noted()?.done ?? 0;
    };
    const forever = new AbortController().signal;
    const [inLog, nowhere] = await letters.find({ limit: 2 });
    await sendOne({ deadLetters: letters, eventLog: log }, { letter: inLog!, edited: null });
    const unknown = { describe: log.describe, append: () => Promise.reject(new LogUnavailableError("away")) };
    await expect(
      sendOne({ deadLetters: letters, eventLog: unknown }, { letter: nowhere!, edited: null }),
    ).rejects.toThrow(LogUnavailableError);
    expect(await reclaim(forever)).toBe(0);
    now += 60_000;
    expect(await reclaim(AbortSignal.timeout(200)), "the worker hasn't come so far").toBe(0);
    const waiting = reclaim(forever);
    await log.handle();
    expect(await waiting).toBe(1);
    expect(await letters.count({})).toMatchObject({ open: 2, resent: 1, resending: 0 });
    expect(await letters.find({ ids: [nowhere!.id], limit: 1 })).toMatchObject([
      { resends: 1, history: [{ kind: "sent" }, { kind: "restored" }] },
    ]);
    expect(await reclaim(forever)).toBe(0);
  });

  test("is appended in time or not at all: its letter may have been reclaimed", async () => {
    await stored(1);
    const asked: (number | undefined)[] = [];
    const log = createLog();
    const append: typeof log.append = (topic, records, before) => {
      asked.push(before);
      return log.append(topic, records);
    };
    const runner = start({ describe: log.describe, append });
    const began = Date.now();
    await addJob();
    await until(() => asked.length === 1);
    await runner.stop();
    const [letter] = await letters.find({ limit: 1 });
    await letters.change([
      {
        ...{ id: letter!.id, from: ["resending"], resends: 1, to: "open" },
        event: { time: Date.now(), kind: "restored", detail: "", edited: false },
      },
    ]);
    const [again] = await letters.find({ limit: 1 });
    await sendOne({ deadLetters: letters, eventLog: { append } }, { letter: again!, edited: null });
    for (const before of asked) {
      expect(before).toBeGreaterThan(began);
      expect(before! - Date.now()).toBeLessThanOrEqual(APPEND_WITHIN_MS);
    }
    expect(asked).toHaveLength(2);
    expect(APPEND_WITHIN_MS).toBeLessThan(CLAIM_MS / 2);
  });
});
