import { expect, test, vi } from "vitest";
import { pipelineBench } from "@/server/testing/pipeline-bench";

const bench = pipelineBench();
const T = Date.UTC(2026, 0, 15, 10, 0, 30);

test("a field of words is looked for among the metrics once, and again when there are new ones, whoever added them", async () => {
  const [one, other] = [await bench.rig(), await bench.rig()];
  const asked = vi.spyOn(bench.pool, "query");
  const lookedFor = () =>
    asked.mock.calls.filter(([sql]) => typeof sql === "string" && sql.includes("FROM metric WHERE name = ANY")).length;
  const words = (i: number) => bench.log.append(0, { device: "pump", time: T + i, readings: { mode: "auto", a: i } });
  for (let i = 0; i < 5; i++) {
    words(i);
    await one.drain();
  }
  // With `a`, which was added then, and alone once that was the newest.
  expect(lookedFor()).toBe(2);
  bench.log.append(1, { device: "valve", time: T, readings: { mode: 2 } });
  await other.drain();
  const before = lookedFor();
  words(5);
  await one.drain();
  expect((await bench.letters()).map(({ device, field }) => [device, field])).toEqual([["pump", "mode"]]);
  expect(lookedFor()).toBe(before + 1);
});
