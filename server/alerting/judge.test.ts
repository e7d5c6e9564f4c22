import { describe, expect, test } from "vitest";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { addRule } from "@/server/testing/alert-rig";

const bench = pipelineBench({ partitions: 2 });
const T = Date.UTC(2026, 0, 15, 10);
const S = 1000;

const above = (warning: number, more: object = {}) => ({
  kind: "condition",
  conditions: [{ metric: "temperature", is: "above", warning }],
  ...more,
});

function append(readings: readonly (readonly [second: number, value: number])[], device = "press-1", partition = 0) {
  for (const [second, value] of readings)
    bench.log.append(partition, { device, time: T + second * S, readings: { temperature: value } }, T + second * S);
}

async function alerts() {
  const { rows } = await bench.pool.query(
    `SELECT device_name AS device, severity, state, (extract(epoch FROM started_at) - ${T / 1000})::float8 AS started, (extract(epoch FROM fired_at) - ${T / 1000})::float8 AS fired,
       (extract(epoch FROM ended_at) - ${T / 1000})::float8 AS ended, first_value AS first, worst_value AS worst, last_value AS last
     FROM alert ORDER BY started_at, id`,
  );
  return rows;
}

async function events() {
  const { rows } = await bench.pool.query<{ kind: string; at: number }>(
    `SELECT kind, (extract(epoch FROM at) - ${T / 1000})::float8 AS at FROM alert_event ORDER BY id`,
  );
  return rows.map(({ kind, at }) => `${kind} ${at}`);
}

test("a reading beyond the limit becomes an alert with its event, and one within ends it", async () => {
  await addRule(bench.pool, "hot", above(80));
  append([
    [0, 70],
    [10, 81],
    [20, 85],
    [30, 79],
  ]);
  const rig = await bench.rig();
  await rig.drain();
  expect(await alerts()).toEqual([
    {
      ...{ device: "press-1", severity: "warning", state: "resolved", started: 10, fired: 10, ended: 30 },
      ...{ first: 81, worst: 85, last: 79 },
    },
  ]);
  expect(await events()).toEqual(["fired 10", "resolved 30"]);
  expect((await bench.pool.query(`SELECT state->>'phase' AS phase FROM alert_state`)).rows).toEqual([
    { phase: "normal" },
  ]);
});

test("the figures of what still fires are those of now, and its worst is no older", async () => {
  await addRule(bench.pool, "hot", above(80));
  const rig = await bench.rig();
  const told: unknown[] = [];
  for (const reading of [[0, 81] as const, [5, 82] as const, [20, 95] as const, [40, 88] as const]) {
    append([reading]);
    await rig.drain();
    told.push((await alerts())[0]);
  }
  expect(told).toMatchObject([
    { state: "firing", first: 81, worst: 81, last: 81 },
    // It is written no more often than it has to be.
    { worst: 81, last: 81 },
    { worst: 95, last: 95 },
    { state: "firing", first: 81, worst: 95, last: 88 },
  ]);
});

describe("decided once", () => {
  test.each(["archive", "beforeCommit", "afterCommit"] as const)("though the worker is killed: %s", async (fault) => {
    await addRule(bench.pool, "hot", above(80, { forMs: 15 * S }));
    append([
      [0, 81],
      [10, 82],
      [20, 83],
      [30, 84],
      [40, 70],
    ]);
    const rig = await bench.rig();
    for (let at = 0; at < 5; at++) {
      rig.faults.next = fault;
      await rig.insist(0, 1);
    }
    expect(await events()).toEqual(["fired 15", "resolved 40"]);
    expect((await alerts())[0]).toMatchObject({ started: 0, fired: 15, ended: 40, worst: 84 });
  });

  test("whatever is sent twice, and by two workers in turn", async () => {
    await addRule(bench.pool, "hot", above(80, { forMs: 15 * S }));
    const readings = [
      [0, 81],
      [10, 82],
      [20, 83],
      [30, 70],
      [40, 90],
      [50, 90],
      [60, 91],
      [70, 10],
    ] as const;
    append(readings.flatMap((one) => [one, one]));
    const workers = [await bench.rig(), await bench.rig()];
    for (let at = 0; at < 16; at += 2) {
      const one = workers[(at / 2) % 2]!;
      await one.begin(0);
      await one.batch(0, at, at + 2);
      // The other doesn't know that it has lost the partition.
      await expect(workers[(at / 2 + 1) % 2]!.batch(0, at, at + 2)).rejects.toThrow();
    }
    expect(await events()).toEqual(["fired 15", "resolved 30", "fired 55", "resolved 70"]);
  });
});
