import { expect, test } from "vitest";
import { retentionAnswer, retentionEstimate } from "@/server/contracts/retention";
import { readingJobs } from "@/server/readings/jobs";
import { mergeJobs } from "@/server/readings/merge";
import { createApiRig, JSON_TYPE, read, refused } from "@/server/testing/api-rig";
import { jobContext } from "@/server/testing/job-context";
import { until } from "@/server/testing/until";

const rig = createApiRig();
const DAY = 86_400_000;

const set = (body: object) =>
  rig.api.handle(
    "setRetentionRule",
    new Request("http://here/api", { method: "POST", body: JSON.stringify(body), headers: JSON_TYPE }),
    {},
  );
const remove = (id: number) =>
  rig.api.handle("removeRetentionRule", new Request("http://here/api", { method: "DELETE" }), { id: String(id) });
const estimate = (query: string) =>
  rig.api.handle("estimateRetentionRule", new Request(`http://here/api?${query}`), {});
const rules = async (answer: Promise<Response>) => (await read(retentionAnswer, answer)).rules;
const FOR_EVER = { raw: null, minutes: null, hours: null };

test("rules are set, changed and removed, each sound in itself, and listed as they hold", async () => {
  await rules(set({ ...FOR_EVER, selects: "site", pattern: "Lab" }));
  await rules(set({ selects: "metric", pattern: "a*", raw: 30, minutes: 60, hours: null }));
  const found = await rules(set({ selects: "metric", pattern: "a*", raw: 20, minutes: 60, hours: null }));
  expect(found).toMatchObject([
    { selects: "metric", pattern: "a*", raw: 20, minutes: 60, hours: null },
    { selects: "site", pattern: "Lab", raw: null },
  ]);
  for (const [body, at] of [
    [{ ...FOR_EVER, selects: "metric", pattern: "a", raw: 1 }, "raw"],
    [{ ...FOR_EVER, selects: "metric", pattern: "a", minutes: 60 }, "minutes"],
    [{ ...FOR_EVER, selects: "device", pattern: "a" }, "selects"],
    [{ ...FOR_EVER, selects: "type", pattern: "" }, "pattern"],
    [{ selects: "type", pattern: "a", raw: 30, hours: null }, "minutes"],
  ] as const)
    expect((await refused(set(body))).errors).toMatchObject([{ at }]);
  const answer = await read(retentionAnswer, remove(found[0]!.id));
  expect(answer.rules).toHaveLength(1);
  expect(Date.parse(answer.rulesApplyAt!), "ten minutes, as with any change").toBeGreaterThan(Date.now());
  expect((await refused(remove(found[0]!.id))).kind).toBe("not-found");
  await rules(remove(found[1]!.id));
});

test("a rule tells what it will remove, removes that, and what comes for it later is a dead letter of the field alone", async () => {
  const { pool } = rig.engines;
  const old = Date.now() - 120 * DAY;
  const one = (at: number, readings: object) => ({ device: "short-1", time: new Date(at).toISOString(), readings });
  const stored = async (metric: string) =>
    (
      await pool.query(
        `SELECT FROM reading WHERE device = 'short-1' AND metric = $1 AND time < now() - interval '100 days'`,
        [metric],
      )
    ).rowCount;
  await rig.post(JSON.stringify([one(old, { noise: 1, level: 2 }), one(Date.now(), { noise: 1, level: 2 })]));
  await until(async () => (await stored("level")) === 1);
  await pool.query("UPDATE device SET rolled_until = NULL");
  await mergeJobs()[0]!.run(jobContext(pool));
  const query = "selects=metric&pattern=noise&raw=30&minutes=30";
  const found = await read(retentionEstimate, estimate(query));
  expect(found).toMatchObject({ devices: 1, series: 1, readings: 1, before: { hours: null } });
  expect(await read(retentionEstimate, estimate("selects=metric&pattern=noise"))).toMatchObject({ readings: 0 });
  expect((await refused(estimate("selects=metric&pattern=noise&raw=30&hours=7"))).errors).toMatchObject([
    { at: "hours" },
  ]);

  await rules(set({ selects: "metric", pattern: "noise", raw: 30, minutes: 30, hours: null }));
  const retain = async (now: number) => {
    for (const job of readingJobs({ days: 0 })) await job.run(jobContext(pool, { now }));
  };
  await retain(Date.now());
  expect(await stored("noise"), "not within ten minutes").toBe(1);
  await retain(Date.now() + 601_000);
  expect([await stored("noise"), await stored("level")]).toEqual([0, 1]);
  expect(await read(retentionEstimate, estimate(query))).toMatchObject({ readings: 0 });

  await rig.post(JSON.stringify([one(old + 1, { noise: 3, level: 4 })]));
  await until(async () => (await stored("level")) === 2);
  expect(await stored("noise")).toBe(0);
  const letters = await pool.query("SELECT reason, field, detail FROM dead_letter WHERE device = 'short-1'");
  expect(letters.rows).toEqual([
    {
      reason: "seriesTooOld",
      field: "noise",
      detail: expect.stringMatching(/^noise of before \d{4}-\d\d-01T.* was removed by a rule$/),
    },
  ]);
});
