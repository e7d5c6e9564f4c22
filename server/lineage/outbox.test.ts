import pino from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { composeLineage } from "@/server/compose-lineage";
import { loadConfig } from "@/server/config/config";
import { runJobs } from "@/server/jobs/run-jobs";
import type { Job } from "@/server/postgres/job";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { jobContext } from "@/server/testing/job-context";
import { type Receiver, startReceiver } from "@/server/testing/receiver";
import { until } from "@/server/testing/until";
import { lineageJobs } from "./jobs";
import { readOutbox } from "./outbox";

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 10, 29, 12);
const logger = pino({ level: "silent" });
let db: TestDatabase;
let receiver: Receiver;
beforeAll(async () => {
  [db, receiver] = await Promise.all([freshDatabase(), startReceiver()]);
  await goBackBefore(db, "20261211000000_lineage_outbox");
  await db.pool.query(
    "INSERT INTO pipeline_position (cluster, topic, epoch, partition, next, messages) VALUES ('c', 't', 1, 0, 7, 7)",
  );
  await migrate(db.connectionString);
});
afterAll(() => Promise.all([db.drop(), receiver.close()]));
beforeEach(async () => {
  await db.pool
    .query(`TRUNCATE lineage_event, job, job_run CASCADE; UPDATE pipeline_position SET messages = 0, readings = 0, dead_letters = 0;
    UPDATE lineage_state SET told_until = NULL, told = '{}', sent = 0, dropped = 0, refused = 0, last_sent = NULL, trouble = NULL`);
  receiver.got.length = 0;
  receiver.answer({ status: 201 });
});

const telling = () =>
  composeLineage(
    loadConfig({
      ...{ DATABASE_URL: db.appUrl, OPENLINEAGE_URL: `${receiver.url}/`, OPENLINEAGE_API_KEY: "k3y" },
      ...{ OPENLINEAGE_NAMESPACE: "plant-7", DATA_OWNER: "Plant data" },
    }),
  )!;

interface Told {
  readonly eventType: string;
  readonly eventTime: string;
  readonly run: { readonly runId: string; readonly facets: Record<string, { readonly message?: string }> };
  readonly job: { readonly namespace: string; readonly name: string };
  readonly inputs: readonly Dataset[];
  readonly outputs: readonly Dataset[];
}
interface Dataset {
  readonly namespace: string;
  readonly name: string;
  readonly inputFacets?: { readonly dataQualityMetrics?: { readonly columnMetrics: unknown } };
  readonly outputFacets?: { readonly outputStatistics: { readonly rowCount: number } };
}
const events = () => receiver.got.map(({ body }) => JSON.parse(body) as Told);
const send = (now: number, most?: number) =>
  lineageJobs({ ...telling(), logger, ...(most !== undefined && { most }) })[0]!.run(jobContext(db.pool, { now }));
const come = (messages: number, readings: number, letters = 0) =>
  db.pool.query(
    "UPDATE pipeline_position SET messages = messages + $1, readings = readings + $2, dead_letters = dead_letters + $3",
    [messages, readings, letters],
  );
const rowsOf = (event: Told, name: string) =>
  event.outputs.find((one) => one.name.endsWith(name))?.outputFacets?.outputStatistics.rowCount;

test("the stream is told of by the minute, every message once, as a run that begins and ends", async () => {
  await come(10, 30, 1);
  await send(NOW);
  await come(5, 20);
  await send(NOW + MINUTE / 2);
  await send(NOW + MINUTE);
  await send(NOW + 2 * MINUTE);
  expect(
    receiver.got.every(({ path, headers }) => `${path} ${headers.authorization}` === "/api/v1/lineage Bearer k3y"),
  ).toBe(true);
  const [began, ended, next, last, ...more] = events() as [Told, Told, Told, Told];
  expect(more).toEqual([]);
  expect([began, ended, next, last].map(({ eventType }) => eventType)).toEqual([
    "START",
    "COMPLETE",
    "START",
    "COMPLETE",
  ]);
  expect([began.run.runId === ended.run.runId, ended.run.runId === next.run.runId]).toEqual([true, false]);
  expect([ended.eventTime, next.eventTime]).toEqual([new Date(NOW).toISOString(), new Date(NOW).toISOString()]);
  expect(ended.job).toMatchObject({ namespace: "plant-7", name: "pipeline" });
  const told = (name: string) => [rowsOf(ended, name), rowsOf(last, name)];
  expect([told(".archive_block"), told(".reading"), told(".dead_letter")]).toEqual([
    [10, 5],
    [30, 20],
    [1, 0],
  ]);
  expect(ended.inputs[0]!.inputFacets!.dataQualityMetrics!.columnMetrics).toEqual({ readings: { count: 30 } });
  expect(ended.inputs[0]!.namespace).toMatch(/^postgres:\/\/[^/@]+:\d+$/);
  expect(JSON.stringify(events())).not.toContain(new URL(db.connectionString).password || "no password");
});

test("each run of a job that has to do with data begins once and ends once, by how it ended", async () => {
  const job = (name: string, run: Job["run"]): Job => ({
    ...{ name, title: name, about: `About ${name}.`, counts: { one: "thing", many: "things" }, everyMs: 3_600_000 },
    ...{ limitMs: null, run },
  });
  const lineage = telling();
  let tries = 0;
  const worker = runJobs({
    ...{ pool: db.pool, work: db.pool, owner: "w", logger, firstMs: 0, lookMs: 10, retryMs: 10 },
    jobs: [
      job("readings-merge", async (ctx) => {
        // An outage between: it is taken twice, and is one run.
        if (tries++ === 0) throw Object.assign(new Error("away"), { code: "ECONNREFUSED" });
        await ctx.note({ done: 3 });
      }),
      job("readings-retention", () => Promise.reject(new Error("no such month"))),
      job("job-retention", async () => {}),
    ],
    onTaken: lineage.taken,
    onEnd: lineage.ended,
  });
  await until(
    async () => (await db.pool.query("SELECT FROM job_run WHERE state IN ('done', 'failed')")).rowCount === 3,
  );
  await worker.stop();
  await send(NOW);
  const of = (name: string) => events().filter((event) => event.job.name === name);
  const ids = (name: string) => new Set(of(name).map(({ run }) => run.runId)).size;
  expect(of("readings-merge").map(({ eventType }) => eventType)).toEqual(["START", "COMPLETE"]);
  expect(of("readings-retention").map(({ eventType }) => eventType)).toEqual(["START", "FAIL"]);
  expect([ids("readings-merge"), ids("readings-retention"), events().length]).toEqual([1, 1, 4]);
  expect(of("readings-retention")[1]!.run.facets.errorMessage!.message).toBe("no such month");
  expect(rowsOf(of("readings-merge")[1]!, "reading_hour")).toBe(3);
  expect(of("readings-merge")[0]!.run.facets).toHaveProperty("nominalTime");
});

test("while the receiver is away for ten minutes nothing is lost, and then all comes in order", async () => {
  receiver.answer("reset");
  for (let minute = 0; minute < 10; minute++) {
    if (minute === 5) receiver.answer({ status: 503 });
    await come(1, 1);
    await expect(send(NOW + minute * MINUTE)).rejects.toThrow(minute < 5 ? "can't be reached" : "answered 503");
  }
  expect(await readOutbox(db.pool)).toMatchObject({ waiting: 20, sent: 0, trouble: "The receiver answered 503" });
  receiver.got.length = 0;
  receiver.answer({ status: 200 });
  await send(NOW + 9.1 * MINUTE);
  const times = events().map(({ eventTime }) => eventTime);
  expect(times).toEqual([...times].sort());
  expect(events().reduce((sum, event) => sum + (rowsOf(event, ".reading") ?? 0), 0)).toBe(10);
  expect(await readOutbox(db.pool)).toMatchObject({ waiting: 0, sent: 20, dropped: 0, refused: 0, trouble: null });
});

test("what the receiver calls wrong stops nothing, and beyond the bound the oldest go; both are counted", async () => {
  receiver.answer({ status: 503 });
  for (let minute = 0; minute < 4; minute++) {
    await come(1, minute + 1);
    await send(NOW + minute * MINUTE, 6).catch(() => undefined);
  }
  receiver.got.length = 0;
  receiver.answer(({ body }) => ({ status: body.includes('"rowCount":2') ? 422 : 200 }));
  await send(NOW + 3.5 * MINUTE, 6);
  expect(events().map((event) => rowsOf(event, ".reading"))).toEqual([undefined, 2, undefined, 3, undefined, 4]);
  expect(await readOutbox(db.pool)).toMatchObject({ waiting: 0, sent: 5, dropped: 2, refused: 1 });
});
