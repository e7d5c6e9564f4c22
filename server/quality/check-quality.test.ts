import { describe, expect, test } from "vitest";
import { pipelineBench } from "@/server/testing/pipeline-bench";

const bench = pipelineBench({ partitions: 2 });
const T = Date.UTC(2026, 0, 15, 10);
const S = 1000;

interface Sent {
  readonly second: number;
  readonly value: number;
  readonly arrived?: number;
}

/** Values that never repeat and stay within a few of 20, one in ten seconds. */
const usual = (count: number, from = 0): Sent[] =>
  Array.from({ length: count }, (_, i) => ({ second: (from + i) * 10, value: 20 + Math.sin((from + i) * 1.7) }));

function append(sent: readonly Sent[], device = "press-1", partition = 0) {
  for (const { second, value, arrived = second } of sent)
    bench.log.append(partition, { device, time: T + second * S, readings: { temperature: value } }, T + arrived * S);
}

/** Flags with their times in seconds. */
async function flags() {
  const { rows } = await bench.pool.query<
    Record<"metric" | "check" | "level", string> & Record<"from" | "to" | "count", number>
  >(
    `SELECT coalesce(m.name, '*') AS metric, f."check", f.level, (extract(epoch FROM from_time) - ${T / S})::float8 AS from,
       (extract(epoch FROM to_time) - ${T / S})::float8 AS to, count
     FROM quality_flag f LEFT JOIN metric m ON m.id = f.metric_id ORDER BY from_time, f."check"`,
  );
  return rows.map(({ metric, check, level, from, to, count }) => `${metric} ${check} ${level} ${from}-${to} ×${count}`);
}

async function counts() {
  const { rows } = await bench.pool.query(
    `SELECT (extract(epoch FROM bucket) - ${T / S})::float8 AS at, repeats, late, conflicts FROM quality_count ORDER BY bucket`,
  );
  return rows;
}

const SPIKE = [...usual(120), { second: 1200, value: 90 }, ...usual(5, 121)];

test("a spike, a gap and what is late are flagged", async () => {
  append([...SPIKE, ...usual(5, 200), { second: 1255, value: 20.05, arrived: 2050 }]);
  await (await bench.rig()).drain();
  expect(await flags()).toEqual([
    "* late suspect 1200-1255 ×1",
    "temperature spike fail 1200-1200 ×1",
    "* gap suspect 1250-2000 ×1",
  ]);
  // Late is what came after something newer, whether or not they came in one batch.
  expect(await counts()).toEqual([{ at: 0, repeats: 0, late: 1, conflicts: 0 }]);
});

test("a value outside the metric's range fails, by the range that holds when it comes, and unless the device has a unit of its own", async () => {
  append(usual(3));
  append(usual(3), "press-2");
  const rig = await bench.rig();
  await rig.drain();
  await bench.pool.query(`UPDATE metric SET min = 0, max = 50`);
  await bench.pool.query(
    `INSERT INTO device_unit SELECT d.id, m.id, '°F' FROM device d, metric m WHERE d.name = 'press-2'; UPDATE device SET judged = judged + 1 WHERE name = 'press-2'`,
  );
  const hot = [
    { second: 30, value: 51 },
    { second: 40, value: 52 },
    { second: 50, value: 49 },
    { second: 500, value: -1 },
  ];
  append(hot);
  append(hot, "press-2");
  await rig.drain();
  expect(await flags()).toEqual(["temperature range fail 30-40 ×2", "temperature range fail 500-500 ×1"]);
});

test("repeats, late readings and conflicts are counted by device and hour of event time", async () => {
  append([...usual(3), ...usual(2), { second: 20, value: 99 }, { second: 3600, value: 1 }, { second: 3600, value: 1 }]);
  const rig = await bench.rig();
  await rig.drain();
  append([{ second: 15, value: 3 }]);
  await rig.drain();
  expect(await counts()).toEqual([
    { at: 0, repeats: 2, late: 1, conflicts: 1 },
    { at: 3600, repeats: 1, late: 0, conflicts: 0 },
  ]);
  expect(await bench.totals()).toMatchObject({ duplicates: 3, conflicts: 1 });
});

test("what a device sends again is checked once, whatever order it comes in", async () => {
  append([...SPIKE, ...SPIKE.slice(100), { second: 1200, value: 5 }]);
  await (await bench.rig()).drain();
  expect(await flags()).toEqual(["temperature spike fail 1200-1200 ×1"]);
});

describe("flagged once", () => {
  test.each(["archive", "beforeCommit", "afterCommit"] as const)("though the worker is killed: %s", async (fault) => {
    append(SPIKE);
    const rig = await bench.rig();
    for (let round = 0; round < 6; round++) {
      rig.faults.next = fault;
      await rig.insist(0, 25);
    }
    expect(await flags()).toEqual(["temperature spike fail 1200-1200 ×1"]);
  });

  test("whatever is sent twice, and by two workers in turn", async () => {
    const sent = SPIKE.flatMap((one) => [one, one]);
    append(sent);
    const workers = [await bench.rig(), await bench.rig()];
    for (let at = 0, turn = 0; at < sent.length; at += 9, turn++) {
      const one = workers[turn % 2]!;
      const to = Math.min(at + 9, sent.length);
      await one.begin(0);
      await one.batch(0, at, to);
      // The other doesn't know that it has lost the partition.
      await expect(workers[(turn + 1) % 2]!.batch(0, at, to)).rejects.toThrow();
    }
    expect(await flags()).toEqual(["temperature spike fail 1200-1200 ×1"]);
    expect(await counts()).toEqual([{ at: 0, repeats: SPIKE.length, late: 0, conflicts: 0 }]);
  });
});

test("what is known of a series outlives the worker, by its stored state and the readings since", async () => {
  append(usual(60));
  await (await bench.rig()).drain();
  // As a worker stores it now and then.
  await bench.pool.query(`DELETE FROM quality_state`);
  append(usual(60, 60));
  await (await bench.rig()).drain();
  append([{ second: 1200, value: 90 }, ...usual(2, 121)]);
  await (await bench.rig()).drain();
  expect(await flags()).toEqual(["temperature spike fail 1200-1200 ×1"]);
});

test("a flag that goes on is one row, and a series has twelve of a check in an hour at most", async () => {
  await bench.pool.query(`INSERT INTO metric (name, kind, min, max) VALUES ('temperature', 'number', 0, 10)`);
  // Out of range now and then, a minute apart, and late in no order.
  append(Array.from({ length: 120 }, (_, i) => ({ second: i * 30, value: i % 2 ? 50 : 5 })));
  // From two ends, so that no three in a row ascend: that would be a clock that was set back.
  const late = Array.from({ length: 280 }, (_, i) => {
    return { second: (i % 2 ? 140 - (i - 1) / 2 : 280 - i / 2) * 12 + 1, value: 5, arrived: 3600 };
  });
  append(late);
  const rig = await bench.rig();
  await rig.insist(0, 17);
  const found = await flags();
  expect(found.filter((flag) => flag.includes("range"))).toHaveLength(1);
  expect(found.filter((flag) => flag.includes("late"))).toHaveLength(12);
  const { rows } = await bench.pool.query(`SELECT sum(count)::int AS n FROM quality_flag WHERE "check" = 'late'`);
  expect(rows).toEqual([{ n: late.length }]);
});
