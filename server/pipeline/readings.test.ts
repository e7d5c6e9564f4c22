import { expect, test } from "vitest";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { InjectedFault } from "@/server/testing/pipeline-rig";

const bench = pipelineBench();
const T = Date.UTC(2026, 0, 15, 10, 0, 30);

test("the first value in the log stays, in a batch and across batches; other metrics of the time join it", async () => {
  const rig = await bench.rig();
  bench.log.append(0, { device: "d", time: T, readings: { a: 1, b: 2 } });
  bench.log.append(0, { device: "d", time: T, readings: { a: 9, b: 2, c: 3 } });
  bench.log.append(0, { device: "d", time: T - 1000, readings: { a: 5 } });
  await rig.drain();
  bench.log.append(0, { device: "d", time: T, readings: { c: 8, on: true } });
  bench.log.append(0, { device: "d", time: T - 1000, readings: { a: 6 } });
  await rig.drain();
  expect((await bench.readings()).map(({ metric, value }) => [metric, value])).toEqual([
    ["a", 5],
    ["a", 1],
    ["b", 2],
    ["c", 3],
    ["on", 1],
  ]);
  expect(await bench.totals()).toEqual({
    messages: 5,
    readings: 5,
    duplicates: 1,
    conflicts: 3,
    deadLetters: 0,
    skipped: 0,
  });
  const twin = (await rig.twins.get(["d"])).get("d")!;
  expect(Object.fromEntries([...twin.values].map(([field, { value }]) => [field, value]))).toEqual({
    a: 1,
    b: 2,
    c: 3,
    on: true,
  });
  expect(rig.committed.flatMap((batch) => batch.added).length).toBe(3);
});

test("another value at the same time is a conflict, counted by device with the last as an example", async () => {
  const rig = await bench.rig();
  bench.log.append(0, { device: "d", time: T, readings: { zero: 0, on: 1 } });
  for (const [i, accel] of [0.1, 9.75, -9.1, 0.2].entries())
    bench.log.append(0, { device: "vib-1", time: `2026-01-15T10:00:00.000${100 + 250 * i}Z`, readings: { accel } });
  bench.log.append(0, { device: "vib-1", time: "2026-01-15T10:00:00.001100Z", readings: { accel: 0.3 } });
  await rig.drain();
  // Neither the sign of zero nor a boolean in a number's place makes another value.
  bench.log.append(0, '{"device":"d","time":' + T + ',"readings":{"zero":-0,"on":true}}');
  bench.log.append(0, { device: "d", time: T, readings: { on: false } });
  await rig.drain();
  expect(await bench.totals()).toMatchObject({ messages: 8, readings: 4, duplicates: 2, conflicts: 4 });
  const { rows } = await bench.pool.query(
    `SELECT d.name, conflicts, m.name AS metric, conflict_time AS time, conflict_kept AS kept, conflict_refused AS refused
     FROM device d JOIN metric m ON m.id = d.conflict_metric_id ORDER BY 1`,
  );
  expect(rows).toEqual([
    { name: "d", conflicts: 1, metric: "on", time: new Date(T), kept: 1, refused: 0 },
    { name: "vib-1", conflicts: 3, metric: "accel", time: new Date("2026-01-15T10:00:00Z"), kept: 0.1, refused: 0.2 },
  ]);
  expect((await bench.pool.query("SELECT sum(conflicts)::int AS n FROM pipeline_rate")).rows).toEqual([{ n: 4 }]);
});

test("a conflict handled again after a crash is counted once", async () => {
  const rig = await bench.rig();
  for (let i = 0; i < 4; i++) bench.log.append(0, { device: "d", time: T, readings: { a: i } });
  for (const fault of ["beforeCommit", "afterCommit"] as const) {
    const at = await rig.begin(0);
    rig.faults.next = fault;
    await expect(rig.batch(0, at, at + 2)).rejects.toThrow(InjectedFault);
  }
  await rig.begin(0);
  await rig.batch(0, 0, 4);
  expect(await bench.totals()).toMatchObject({ messages: 4, readings: 1, duplicates: 0, conflicts: 3 });
  expect((await bench.pool.query("SELECT conflicts FROM device")).rows).toEqual([{ conflicts: 3 }]);
});

test("numbers and booleans are stored alike, whoever came first; a metric is boolean while only booleans came", async () => {
  const kinds = async () =>
    Object.fromEntries(
      (await bench.pool.query(`SELECT name, kind FROM metric`)).rows.map(({ name, kind }) => [name, kind]),
    );
  const messages = [
    { device: "door-1", time: T, readings: { battery: true, contact: false } },
    { device: "meter-1", time: T, readings: { battery: 87, power: 12.5 } },
  ];
  for (const order of [messages, [...messages].reverse()]) {
    await bench.renew();
    const rigs = [await bench.rig(), await bench.rig()];
    for (const message of order) {
      bench.log.append(0, message);
      await rigs[0]!.drain();
    }
    // A worker that took the metric for a boolean before the number came.
    bench.log.append(1, { device: "door-2", time: T, readings: { battery: false } });
    await rigs[1]!.drain();
    expect(await kinds()).toEqual({ battery: "number", contact: "boolean", power: "number" });
    expect((await bench.readings()).map(({ device, metric, value }) => [device, metric, value])).toEqual([
      ["door-1", "battery", 1],
      ["door-1", "contact", 0],
      ["door-2", "battery", 0],
      ["meter-1", "battery", 87],
      ["meter-1", "power", 12.5],
    ]);
    expect(await bench.letters()).toEqual([]);
  }
});

test("redelivered offsets are trimmed, and a crash after the commit counts nothing twice", async () => {
  const rig = await bench.rig();
  for (let i = 0; i < 4; i++) bench.log.append(0, { device: "d", time: T + i, readings: { a: i } });
  await rig.begin(0);
  rig.faults.next = "afterCommit";
  await expect(rig.batch(0, 0, 2)).rejects.toThrow(InjectedFault);
  expect(await rig.begin(0)).toBe(2);
  await rig.batch(0, 0, 4);
  await rig.batch(0, 0, 3);
  expect(await bench.totals()).toEqual({
    messages: 4,
    readings: 4,
    duplicates: 0,
    conflicts: 0,
    deadLetters: 0,
    skipped: 0,
  });
});

test("a device whose key moved between partitions is merged exactly by two workers at once", async () => {
  const rigs = await Promise.all([bench.rig(), bench.rig()]);
  for (let i = 0; i < 200; i++) {
    bench.log.append(0, { device: "d", time: T + i, readings: { a: 1, b: 1 } });
    bench.log.append(1, { device: "d", time: T + i, readings: { b: 1, c: 1 } });
  }
  await Promise.all([rigs[0].begin(0), rigs[1].begin(1)]);
  for (let at = 0; at < 200; at += 20) {
    await Promise.all([rigs[0].batch(0, at, at + 20), rigs[1].batch(1, at, at + 20)]);
  }
  expect(await bench.totals()).toMatchObject({ readings: 600, duplicates: 200 });
  const { rows } = await bench.pool.query(`SELECT sum(count)::int AS count, sum(sum)::int AS sum FROM reading_hour`);
  expect(rows[0]).toEqual({ count: 600, sum: 600 });
});
