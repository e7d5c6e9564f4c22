import { expect, test } from "vitest";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { followWatermark } from "./watermark";

const bench = pipelineBench({ partitions: 1 });

test("the watermark goes on behind messages that never stop coming, and is found again by who comes after", async () => {
  const rig = await bench.rig();
  await rig.begin(0);
  const T = Date.UTC(2026, 0, 15);
  const come = (n: number) => bench.log.append(0, { device: "a", time: T + n, readings: { t: n } }, T + n);
  const watermarkOf = followWatermark(bench.pool);
  const look = async (at: number) => watermarkOf(await bench.log.describe(), at);

  come(1);
  expect(await look(10_000)).toBeNull();
  come(2);
  await rig.batch(0, 0, 1);
  // One of two is handled: so much had come when it was looked at before.
  expect(await look(11_000)).toBe(8000);
  come(3);
  await rig.batch(0, 1, 2);
  expect(await look(12_000)).toBe(9000);
  expect(await look(13_000)).toBe(9000);

  expect(await followWatermark(bench.pool)(await bench.log.describe(), 14_000)).toBe(9000);
  await rig.batch(0, 2, 3);
  expect(await followWatermark(bench.pool)(await bench.log.describe(), 14_000)).toBe(12_000);
  expect(await look(10_000)).toBe(12_000);
});
