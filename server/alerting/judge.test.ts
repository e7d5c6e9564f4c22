import { describe, expect, test } from "vitest";
import { lineOf } from "@/server/domain/notifications/message";
import { seeAlerts } from "@/server/notifications/told-alerts";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { addRule } from "@/server/testing/alert-rig";
import { readAlerts, readEvents } from "./alerts";

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

describe("conditions joined by any", () => {
  const either = {
    kind: "condition",
    match: "any",
    conditions: [
      { metric: "pressure", is: "above", warning: 5 },
      { metric: "temperature", is: "above", warning: 80, critical: 95 },
      { metric: "humidity", what: "value", is: "above", warning: 90 },
    ],
    holds: "until-next",
  };
  const send = (second: number, readings: Readonly<Record<string, number>>) =>
    bench.log.append(0, { device: "press-1", time: T + second * S, readings }, T + second * S);
  const said = async () => {
    const [alert] = await readAlerts(bench.pool, { sites: "all", limit: 1 });
    const { metric, unit, condition, firstValue, worstValue, worstAt, lastValue } = alert!;
    return { metric, unit, condition, first: firstValue, worst: worstValue, at: (worstAt! - T) / S, last: lastValue };
  };

  test("an alert is of one of them, which stays until another is more severe, and all of its values are of that one", async () => {
    await addRule(bench.pool, "hot or humid", either);
    const rig = await bench.rig();
    send(0, { pressure: 1, temperature: 70, humidity: 91 });
    await rig.drain();
    await bench.pool.query(`UPDATE metric SET unit = '%' WHERE name = 'humidity'`);
    expect(await said()).toEqual({
      metric: "humidity",
      unit: "%",
      condition: 2,
      first: 91,
      worst: 91,
      at: 0,
      last: 91,
    });
    // As severe as the other: it stands before it in the rule, and is told of by itself no more.
    send(20, { temperature: 85, humidity: 93 });
    send(40, { humidity: 92 });
    await rig.drain();
    expect(await said()).toMatchObject({ metric: "humidity", condition: 2, first: 91, worst: 93, at: 20, last: 92 });
    send(60, { temperature: 96 });
    send(80, { temperature: 97, humidity: 99 });
    await rig.drain();
    expect(await said()).toMatchObject({ metric: "temperature", condition: 1, first: 96, worst: 97, at: 80, last: 97 });
    // It is over for this one, and not for the other.
    send(100, { temperature: 60 });
    await rig.drain();
    expect(await said()).toMatchObject({ metric: "humidity", condition: 2, first: 99, worst: 99, at: 100, last: 99 });
    send(120, { humidity: 50 });
    await rig.drain();
    expect(await said()).toMatchObject({ metric: "humidity", condition: 2, worst: 99, last: 50 });
    const { id } = (await readAlerts(bench.pool, { sites: "all", limit: 1 }))[0]!;
    expect((await readEvents(bench.pool, id)).map(({ kind, metric, value }) => [kind, metric, value])).toEqual([
      ["fired", "humidity", 91],
      ["severity", "temperature", 96],
      ["severity", "humidity", 99],
      ["resolved", "humidity", 50],
    ]);
    await bench.pool.query(
      `INSERT INTO alert_rule_version (rule_id, version, name, spec, enabled, by) SELECT id, version, name, spec, enabled, 'test' FROM alert_rule`,
    );
    const told = (await seeAlerts(bench.pool, [Number(id)], T)).get(Number(id))!;
    // What routes and silences go by is of the whole rule.
    expect(told).toMatchObject({ metric: null, valueMetric: "humidity" });
    expect(lineOf(told)).toMatch(/^Resolved: hot or humid, press-1, humidity at worst 99 % \(above 90\) from /);
  });

  test("a metric that a device has later than its alert is judged from then on", async () => {
    await addRule(bench.pool, "hot or humid", either);
    const rig = await bench.rig();
    send(0, { temperature: 85 });
    await rig.drain();
    send(10, { temperature: 86, pressure: 7 });
    await rig.drain();
    await (await bench.rig()).drain();
    expect(await said()).toMatchObject({ metric: "temperature", condition: 1, worst: 85 });
    send(20, { temperature: 60 });
    await rig.drain();
    expect(await said()).toMatchObject({ metric: "pressure", condition: 0, last: 7 });
    expect((await alerts())[0]).toMatchObject({ state: "firing" });
    send(30, { pressure: 1 });
    await rig.drain();
    expect(await alerts()).toMatchObject([{ state: "resolved" }]);
  });
});
