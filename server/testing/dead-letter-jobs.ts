import type { Pool } from "pg";
import pino from "pino";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { createPostgresDeadLetters } from "@/server/adapters/postgres/dead-letters";
import { deadLetterJobs, type DeadLetterJobsDeps } from "@/server/dead-letters/jobs";
import { DEAD_LETTERS_JOB, type WorkOnMany } from "@/server/dead-letters/work-on-many";
import { readMark } from "@/server/domain/resend-mark";
import { readRun, type RunRow } from "@/server/jobs/read";
import { requestRun } from "@/server/jobs/requests";
import { runJobs } from "@/server/jobs/run-jobs";
import { type DeadLetter, deadLetterId, type DeadLetters, NEVER_RESENT } from "@/server/ports/dead-letters";
import { type LogRecord, LogUnavailableError, type TopicState } from "@/server/ports/event-log";
import { freshDatabase, type TestDatabase } from "./database";
import { until } from "./until";

const T = 1_750_000_000_000;
/** The patience of these tests with a job. */
export const PATIENCE = { timeoutMs: 20_000 };

/** Makes a dead letter at an offset. */
export function letterOf(offset: number, over: Partial<DeadLetter> = {}): DeadLetter {
  const position = { log: "c/t/0", partition: 0, offset };
  const times = { ingestTime: T + offset, processedTime: T + offset };
  const [reason, detail] = ["futureTime", "ahead"] as const;
  const raw = Buffer.from(`{"n":${offset}}`);
  const id = deadLetterId(position, null);
  return {
    id,
    position,
    reason,
    detail,
    device: "d",
    field: null,
    raw,
    ...times,
    senderSite: null,
    source: null,
    delivery: null,
    ...NEVER_RESENT,
    ...over,
  };
}

/** The log in front of a worker that the test plays. */
function createLog(letters: () => DeadLetters) {
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
    /** Acts as the worker: settles what is in the log, every tenth letter as refused again. */
    async handle() {
      for (; handled < records.length; handled++) {
        const mark = readMark(records[handled]!.headers ?? {})!;
        const refused = mark.letter.endsWith("0/m");
        const event = { time: Date.now(), kind: refused ? "refused" : "stored", detail: "", edited: false } as const;
        await letters().change([
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

/** Gives a test file a store of dead letters and the jobs on them, emptied before each test. Call it at the file's top level. */
export function deadLetterJobsBench() {
  const logger = pino({ level: "silent" });
  let db: TestDatabase;
  let letters: DeadLetters;
  let serial = 0;
  beforeAll(async () => {
    db = await freshDatabase();
    letters = createPostgresDeadLetters(db.pool);
  });
  afterAll(() => db.drop());
  beforeEach(() => db.pool.query("TRUNCATE dead_letter, job, job_run CASCADE"));

  async function stored(count: number): Promise<DeadLetter[]> {
    const made = Array.from({ length: count }, (_, offset) => letterOf(offset));
    await letters.store(made);
    return made;
  }

  async function addJob({ total = 0, ...over }: Partial<WorkOnMany> & { total?: number } = {}): Promise<string> {
    const params = { action: "resend", filter: {}, until: T + 1_000_000, perSecond: 1000, ...over } as const;
    const id = `job-${serial++}`;
    return (await requestRun(db.pool, {
      id,
      job: DEAD_LETTERS_JOB,
      lane: id,
      params,
      total,
      requestedBy: { text: "test", accountId: null },
    }))!;
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

  const state = async (id: string): Promise<RunRow> => (await readRun(db.pool, DEAD_LETTERS_JOB, "all", id))!;
  return {
    get db() {
      return db;
    },
    get pool() {
      return db.pool;
    },
    get letters() {
      return letters;
    },
    createLog: () => createLog(() => letters),
    stored,
    addJob,
    start,
    state,
    ended: (id: string, end: RunRow["state"]) => until(async () => (await state(id)).state === end, PATIENCE),
  };
}
