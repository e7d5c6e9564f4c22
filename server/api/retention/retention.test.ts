import { expect, test } from "vitest";
import { retentionAnswer } from "@/server/contracts/retention";
import { readingJobs } from "@/server/readings/jobs";
import { mergeJobs } from "@/server/readings/merge";
import { createApiRig, JSON_TYPE, message, read, refused } from "@/server/testing/api-rig";
import { jobContext } from "@/server/testing/job-context";
import { until } from "@/server/testing/until";

const rig = createApiRig({ READINGS_RETENTION_DAYS: "400" });
const DAY = 86_400_000;

const set = (body: object) =>
  rig.api.handle(
    "setRetention",
    new Request("http://here/api", { method: "PATCH", body: JSON.stringify(body), headers: JSON_TYPE }),
    {},
  );
const remove = (keeps: string) =>
  rig.api.handle("removeRetention", new Request("http://here/api", { method: "DELETE" }), { keeps });
const items = async (answer = rig.get("getRetention")) => (await read(retentionAnswer, answer)).items;
const days = async (answer?: Promise<Response>) => (await items(answer)).map((item) => item.days);
const retain = async (now = Date.now()) => {
  const ctx = jobContext(rig.engines.pool, { now });
  for (const job of readingJobs({ days: 400 })) await job.run(ctx);
};

test("what is kept goes by the configuration until somebody sets it; each kind at least as long as what is finer", async () => {
  expect(await days()).toEqual([400, 400, 400]);
  expect((await items()).map(({ changedAt }) => changedAt)).toEqual([null, null, null]);
  expect(await days(set({ raw: 90, hours: null }))).toEqual([90, 400, null]);
  expect(await days()).toEqual([90, 400, null]);
  const low = await refused(set({ minutes: 30 }));
  expect(low).toMatchObject({
    kind: "invalid-parameters",
    errors: [{ at: "minutes", message: "must not be below raw, which is 90: change that as well" }],
  });
  expect((await refused(set({ raw: 3 }))).errors).toMatchObject([
    { at: "raw", message: expect.stringMatching(/^must be 7 or more: messages may wait in the event log/) },
  ]);
  for (const body of [{}, { raw: 0 }, { seconds: 5 }, { raw: "90" }])
    expect((await refused(set(body))).kind).toBe("invalid-parameters");
  const back = (await items(remove("hours")))[2]!;
  expect(back).toMatchObject({ days: 400, changedAt: null });
  expect(Date.parse(back.appliesAt!), "ten minutes, as with any change").toBeGreaterThan(Date.now());
  expect((await refused(remove("hours"))).kind).toBe("not-found");
  await read(retentionAnswer, set({ minutes: 3000, hours: 3000 }));
  expect((await refused(remove("hours"))).kind).toBe("invalid-parameters");
});

test("a change removes nothing for ten minutes, then whole months, and what is gone isn't taken any more", async () => {
  const { pool } = rig.engines;
  const old = new Date(Date.now() - 120 * DAY).toISOString();
  const one = (time: string) => ({ device: "old-1", time, readings: { t: 1 } });
  await read(retentionAnswer, set({ raw: null, minutes: null, hours: null }));
  await pool.query("UPDATE retention_rule SET changed_at = now() - interval '1 day'");
  await rig.post(JSON.stringify([one(old), message("old-1", 1)]));
  await until(async () => (await pool.query("SELECT FROM reading")).rowCount! >= 3);
  const oldOnes = async (view: string, column: string) =>
    (await pool.query(`SELECT FROM ${view} WHERE device = 'old-1' AND ${column} < now() - interval '100 days'`))
      .rowCount;
  // Said again it changes nothing, and tells what there is now.
  const [raw] = await items(set({ raw: null }));
  expect(raw).toMatchObject({ oldest: old, nextMonth: null, goneBefore: null });
  expect(raw!.bytes).toBeGreaterThan(8000);

  await read(retentionAnswer, set({ raw: 60 }));
  await retain();
  expect(await oldOnes("reading", "time")).toBe(1);
  const [fresh] = await items(set({ raw: 60 }));
  expect(Date.parse(fresh!.appliesAt!)).toBeGreaterThan(Date.now());
  expect(fresh!.nextMonth).toBe(fresh!.appliesAt);

  // Its rollups outlive it, so they are made first: hours by the merge, minutes by the retention itself.
  await pool.query("UPDATE device SET rolled_until = NULL");
  await retain(Date.now() + 601_000);
  expect(await oldOnes("reading", "time")).toBe(1);
  await rig.owner.query("TRUNCATE rollup_hour, rollup_minute");
  await mergeJobs()[0]!.run(jobContext(pool));
  await retain(Date.now() + 601_000);
  expect(await oldOnes("reading", "time")).toBe(0);
  expect(await oldOnes("reading_minute", "bucket")).toBe(1);
  expect(await oldOnes("reading_hour", "bucket")).toBe(1);
  const gone = Date.parse((await items())[0]!.goneBefore!);
  expect(gone).toBeGreaterThan(Date.parse(old));
  // Kept for longer again: what was removed doesn't come back bit by bit beside its rollups.
  await read(retentionAnswer, set({ raw: null }));
  const late = rig.compose();
  await until(async () => {
    const answer = await refused(rig.post(JSON.stringify(one(old)), { to: late }));
    return (answer.rejected as { reason: string }[] | undefined)?.[0]?.reason === "tooOld";
  });
});
