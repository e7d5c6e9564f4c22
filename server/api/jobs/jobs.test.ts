import { expect, test } from "vitest";
import { job, jobRun, jobRunsAnswer, jobsAnswer } from "@/server/contracts/jobs";
import type { VerbName } from "@/server/api/verbs";
import { createApiRig, JSON_TYPE, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();
const { get } = rig;

function post(verb: VerbName, params: Record<string, string>): Promise<Response> {
  const request = new Request("http://test/", { method: "POST", headers: JSON_TYPE, body: "{}" });
  return rig.api.handle(verb, request, params);
}

const PATIENCE = { timeoutMs: 20_000 };
const find = async (name: string) => (await read(jobsAnswer, get("listJobs"))).items.find((one) => one.name === name);

test("says of every job what it does, and when it ran and will run", async () => {
  await until(async () => (await find("rate-retention"))?.last?.state === "done", PATIENCE);
  const { items } = await read(jobsAnswer, get("listJobs"));
  expect(items.map(({ title }) => title)).toEqual(items.map(({ title }) => title).toSorted());
  expect(await find("rate-retention")).toMatchObject({
    ...{ state: "scheduled", everySeconds: 600, cause: null, unfinished: 0, current: null },
    last: { trigger: "schedule", requestedBy: null, error: null },
  });
  expect(Date.parse((await find("rate-retention"))!.nextRun!)).toBeGreaterThan(Date.now());
  expect(await find("dead-letters")).toMatchObject({ state: "idle", everySeconds: null, nextRun: null });
});

test("runs a job when asked, also while its schedule is paused", async () => {
  await until(async () => (await find("stage-retention"))?.last?.state === "done", PATIENCE);
  const name = "stage-retention";
  expect(await read(job, post("pauseJob", { name }))).toMatchObject({ state: "paused", nextRun: null });
  const asked = await read(job, post("runJob", { name }));
  expect(asked.current).toMatchObject({ trigger: "request", requestedBy: "user 1" });
  await until(async () => (await find(name))?.last?.id === asked.current!.id, PATIENCE);
  expect((await find(name))?.state).toBe("paused");
  const { items } = await read(jobRunsAnswer, get("listJobRuns", { name }));
  expect(items.map(({ trigger }) => trigger)).toEqual(["request", "schedule"]);
  expect(await read(job, post("resumeJob", { name }))).toMatchObject({ state: "scheduled" });
  const stopped = await read(jobRun, post("stopJobRun", { name, id: items[0]!.id }));
  expect(stopped.state).toBe("done");
});

test("refuses what makes no sense, and says why", async () => {
  expect((await refused(post("runJob", { name: "nobody" }))).kind).toBe("not-found");
  expect((await refused(get("listJobRuns", { name: "nobody" }))).kind).toBe("not-found");
  expect((await refused(post("stopJobRun", { name: "rate-retention", id: "x" }))).kind).toBe("not-found");
  for (const verb of ["runJob", "pauseJob"] as const)
    expect((await refused(post(verb, { name: "dead-letters" }))).kind).toBe("wrong-status");
  await rig.owner.query(
    `INSERT INTO job_run (id, job, lane, trigger, state, lease_until) VALUES ('held', 'rate-retention', 'rate-retention', 'request', 'running', now() + interval '1 hour')`,
  );
  expect((await refused(post("runJob", { name: "rate-retention" }))).kind).toBe("wrong-status");
  expect(await read(jobRun, post("stopJobRun", { name: "rate-retention", id: "held" }))).toMatchObject({
    state: "stopping",
  });
});
