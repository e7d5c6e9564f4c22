import { expect, test } from "vitest";
import type { StagesStretch } from "@/server/contracts/stages";
import { DEAD_LETTER_REASONS } from "@/server/domain/reasons";
import { chartsOf, refusals, timeShares } from "./charts-data";

const stretch = (more: Partial<StagesStretch> = {}): StagesStretch => ({
  ...{ time: 0, ms: 5000, accepted: 0, rejected: {}, requests: {}, messages: 0, readings: 0 },
  ...{ duplicates: 0, conflicts: 0, late: 0, deadLetters: {}, total: null, stages: {} },
  ...more,
});
const answer = (...buckets: StagesStretch[]) => ({
  ...{ time: "", from: 0, to: 0, bucketMs: 5000, recent: stretch(), minute: stretch(), buckets },
});
const figures = { runs: 1, messages: 1, bytes: 1, p50Ms: 1, p99Ms: 3, maxMs: 4, messageMs: 2 };

test("rates are by what has passed of a bucket; a stage that didn't run is a gap", () => {
  const [throughput, stages, quality] = chartsOf(
    answer(
      stretch({ messages: 50, late: 5, stages: { decode: figures } }),
      stretch({ time: 5000, ms: 2500, messages: 50 }),
    ),
  );
  expect(throughput!.rows.map((row) => row["messages"])).toEqual([10, 20]);
  expect(quality!.rows[0]).toMatchObject({ late: 60, duplicates: 0 });
  expect(stages!.rows.map((row) => row["decode"])).toEqual([3, null]);
});

test("refusals are summed over both places, the most first, and get a line each as far as colors reach", () => {
  const reasons = Object.keys(DEAD_LETTER_REASONS);
  const many = Object.fromEntries(reasons.slice(0, 8).map((reason, i) => [reason, 8 - i]));
  const buckets = [stretch({ deadLetters: many }), stretch({ rejected: { notJson: 2, badTime: 20 } })];
  expect(refusals(buckets).slice(0, 2)).toEqual([
    { reason: "badTime", letters: 2, rejected: 20 },
    { reason: "notJson", letters: 8, rejected: 2 },
  ]);
  const refused = chartsOf(answer(...buckets))[3]!;
  expect(refused.series.map(({ key }) => key)).toEqual([
    "notJson",
    "tooLarge",
    "tooDeep",
    "noDevice",
    "badTime",
    "others",
  ]);
  const total = (row: object) => Object.values(row).reduce((sum: number, value: number) => sum + value, 0);
  expect(refused.rows.map((row) => total({ ...row, time: 0 }))).toEqual([36 * 12, 22 * 12]);
});

test("shares are known once something was handled", () => {
  expect(timeShares(stretch({ stages: { publish: figures } }))).toBeNull();
  expect(timeShares(stretch({ stages: { readings: figures, wait: figures } }))).toEqual([
    { stage: "wait", ms: 2 },
    { stage: "readings", ms: 2 },
  ]);
});
