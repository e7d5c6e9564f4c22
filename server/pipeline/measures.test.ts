import { expect, test } from "vitest";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { InjectedFault } from "@/server/testing/pipeline-rig";
import type { Timings } from "./timings";

const bench = pipelineBench();
const T = Date.UTC(2026, 0, 15, 10, 0, 30);

test("late is what is new and before the latest its device had when the batch came", async () => {
  const rig = await bench.rig();
  const send = (seconds: number, readings: object) =>
    bench.log.append(0, { device: "d", time: T + seconds * 1000, readings });
  send(5, { a: 1 });
  send(3, { a: 1 }); // Out of order within its batch: nothing had been seen before it.
  await rig.drain();
  send(5, { b: 1 }); // The same moment, another metric.
  send(4, { a: 1, b: 2 });
  send(3, { a: 1 }); // A repeat is a repeat, however late.
  send(9, { a: 1 });
  await rig.drain();
  const { rows } = await bench.pool.query(
    `SELECT (SELECT sum(late) FROM pipeline_position)::int AS total, sum(late)::int AS rates FROM pipeline_rate`,
  );
  expect(rows[0]).toEqual({ total: 2, rates: 2 });
  expect(await bench.totals()).toMatchObject({ readings: 6, duplicates: 1 });
});

test("refusals are counted by reason with the readings, once however often the batch comes", async () => {
  const rig = await bench.rig();
  bench.log.append(0, "{");
  bench.log.append(0, { device: "d", time: T, readings: { a: 1 } });
  bench.log.append(0, { device: "d", time: T + 1, readings: { a: "x" } });
  bench.log.append(0, { device: "d", time: T + 2, readings: { a: "y", b: [1] } });
  await rig.begin(0);
  rig.faults.next = "beforeCommit";
  await expect(rig.batch(0, 0, 4)).rejects.toThrow(InjectedFault);
  await rig.drain();
  const { rows } = await bench.pool.query(
    `SELECT reason, sum(letters)::int AS letters FROM pipeline_refused WHERE bucket > '-infinity' GROUP BY 1 ORDER BY 1`,
  );
  expect(rows).toEqual([
    { reason: "badValue", letters: 1 },
    { reason: "notJson", letters: 1 },
    { reason: "typeDrift", letters: 2 },
  ]);
  expect(await bench.totals()).toMatchObject({ deadLetters: 4 });
});

test("every stage a batch goes through is timed, and each message's wait", async () => {
  const told: [string, number, number][] = [];
  const timings: Timings = { add: (stage, { messages, runs = 1 }) => void told.push([stage, messages, runs]) };
  const rig = await bench.rig({ timings });
  for (let i = 0; i < 2; i++) bench.log.append(0, { device: "d", time: T + i, readings: { a: i } });
  await rig.drain();
  expect(told).toEqual([
    ["decode", 2, 1],
    ["enrich", 2, 1],
    ["documents", 2, 1],
    ["readings", 2, 1],
    ["wait", 2, 2],
  ]);
});
