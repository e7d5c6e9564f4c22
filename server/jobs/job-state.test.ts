import { expect, test } from "vitest";
import { judgeJobs, type JobSeen, watchJobs } from "@/server/health/jobs";
import { stateOf } from "./job-state";
import type { JobRow, RunRow } from "./read";

const NOW = 1_750_000_000_000;
const MINUTE = 60_000;
const run = (over: Partial<RunRow>): RunRow => ({
  ...{ id: "r", job: "j", trigger: "schedule", requestedBy: null, state: "done", stopWanted: false },
  ...{ params: {}, cursor: null, done: 0, total: null, attempt: 0, notBefore: null, worker: "w" },
  ...{ createdAt: NOW - 1000, startedAt: NOW - 1000, finishedAt: NOW, error: null },
  ...over,
});
const job = (over: Partial<JobRow> = {}): JobRow => ({
  ...{
    name: "j",
    title: "J",
    about: "Does.",
    counts: null,
    everyMs: MINUTE,
    paused: false,
    nextAt: NOW + 1000,
    unfinished: 0,
  },
  ...{ current: null, last: run({}) },
  ...over,
});

test.each<[string, Partial<JobRow>, string | null]>([
  ["scheduled", {}, null],
  ["scheduled", { nextAt: NOW - MINUTE / 2 }, null],
  ["overdue", { nextAt: NOW - 5 * MINUTE }, "No worker has taken it for 5 min."],
  ["overdue", { current: run({ state: "waiting", createdAt: NOW - 2 * MINUTE }) }, "No worker has taken it for 2 min."],
  ["running", { current: run({ state: "running" }), nextAt: NOW - 5 * MINUTE }, null],
  ["waiting", { current: run({ state: "waiting" }) }, null],
  ["retrying", { current: run({ state: "waiting", error: "away", notBefore: NOW + 1000 }) }, "away"],
  ["failed", { last: run({ state: "failed", error: "a mistake" }) }, "a mistake"],
  ["failed", { last: run({ state: "failed", error: "a mistake" }), paused: true }, "a mistake"],
  ["paused", { paused: true, nextAt: NOW - 5 * MINUTE }, null],
  ["idle", { everyMs: null, nextAt: null }, null],
])("a job is %s", (state, over, cause) => {
  const found = stateOf(job(over), NOW);
  expect(found).toMatchObject({ state, cause });
  expect(found.fix === null).toBe(cause === null);
});

test("health names the job, why, and what to do; what was asked for once only warns", () => {
  const seen = (title: string, over: Partial<JobRow>, attempt = 0) => ({
    ...{ title, isScheduled: over.everyMs !== null, attempt },
    ...stateOf(job(over), NOW),
  });
  const failed = { last: run({ state: "failed", error: "a mistake" }) };
  expect(judgeJobs([])).toMatchObject({ status: "warn" });
  expect(judgeJobs([seen("A", {}), seen("B", { paused: true })])).toMatchObject({ status: "pass" });
  expect(judgeJobs([seen("A", failed), seen("B", { nextAt: NOW - 5 * MINUTE })])).toMatchObject({
    ...{ status: "fail", summary: "A: failed; B: overdue.", cause: "a mistake" },
    fix: expect.stringContaining("log"),
  });
  expect(judgeJobs([seen("C", { ...failed, everyMs: null, nextAt: null })])).toMatchObject({ status: "warn" });
  const away = { current: run({ state: "waiting", error: "away", notBefore: NOW }) };
  expect(judgeJobs([seen("D", away, 1)])).toMatchObject({ status: "pass" });
  expect(judgeJobs([seen("D", away, 3)])).toMatchObject({ status: "warn", cause: "away" });
});

test("health lists each job with its last and its next run, and none while they can't be read", async () => {
  let rows: readonly JobSeen[] | null = [
    {
      ...{ name: "j", title: "J", isScheduled: true, attempt: 0, ...stateOf(job({ nextAt: NOW - 5 * MINUTE }), NOW) },
      ...{ last: { outcome: "done", endedAt: NOW - MINUTE }, nextAt: NOW },
    },
  ];
  const watched = watchJobs(async () => rows ?? Promise.reject(new Error("away")));
  expect(watched.latest()).toBeNull();
  await watched.probe.run();
  expect(watched.latest()).toEqual([
    {
      ...{ name: "j", title: "J", state: "overdue", cause: "No worker has taken it for 5 min." },
      ...{ fix: expect.stringContaining("npm run worker"), commands: ["npm run worker"] },
      lastRun: { outcome: "done", endedAt: new Date(NOW - MINUTE).toISOString() },
      nextRun: new Date(NOW).toISOString(),
    },
  ]);
  rows = null;
  await expect(watched.probe.run()).rejects.toThrow("away");
  expect(watched.latest()).toBeNull();
});
