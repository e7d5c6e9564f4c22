import { expect, test } from "vitest";
import { judgedOf, selectorOf } from "@/server/domain/alerts/judged";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { readBlocks } from "@/server/readings/blocks";
import { addRule } from "@/server/testing/alert-rig";
import { oracle, type OracleSample } from "@/server/testing/alert-oracle";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { decideDue } from "./turn";

const bench = pipelineBench({ partitions: 2 });
const T = Date.UTC(2026, 0, 15, 10);
const S = 1000;
const DEVICES = 4;
const MOMENTS = 80;

const SPECS = [
  {
    kind: "condition",
    conditions: [{ metric: "t", is: "above", warning: 6, critical: 8, clear: 4 }],
    forMs: 20 * S,
    keepMs: 10 * S,
    holds: 60 * S,
  },
  {
    kind: "condition",
    conditions: [{ metric: "t", is: "above", warning: 7 }],
    holds: 30 * S,
    of: { devices: ["d1", "d2", "d3"] },
  },
  {
    kind: "condition",
    conditions: [{ metric: "*", is: "outside", critical: [1, 8] }],
    forMs: 10 * S,
    holds: "until-next",
  },
  {
    kind: "condition",
    match: "any",
    conditions: [
      { metric: "t", is: "below", warning: 2 },
      { metric: "u", is: "above", critical: 7 },
    ],
    keepMs: 30 * S,
    holds: 45 * S,
  },
  {
    kind: "condition",
    conditions: [
      { metric: "t", is: "above", warning: 4 },
      { metric: "u", is: "below", warning: 5 },
    ],
    holds: 45 * S,
  },
  {
    kind: "condition",
    conditions: [{ metric: "u", what: "changePerMinute", is: "above", warning: 20 }],
    holds: 60 * S,
  },
  {
    kind: "condition",
    conditions: [{ metric: "t", what: "minuteMean", is: "above", warning: 5 }],
    forMs: 60 * S,
    holds: 60 * S,
  },
];

/** Numbers that are the same each time. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

function streams(seed: number): Map<string, { time: number; t?: number; u?: number }[]> {
  const next = random(seed);
  return new Map(
    Array.from({ length: DEVICES }, (_, d) => {
      let time = T + d;
      let [t, u] = [5, 5];
      const moments = Array.from({ length: MOMENTS }, () => {
        time += next() < 0.05 ? 100 * S : 5 * S;
        t = Math.max(0, Math.min(9, t + Math.round(next() * 4 - 2)));
        u = Math.max(0, Math.min(9, u + Math.round(next() * 4 - 2)));
        const which = next();
        return { time, ...(which < 0.8 && { t }), ...(which > 0.4 && { u }) };
      });
      return [`d${d}`, moments] as const;
    }),
  );
}

async function found() {
  const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;
  const { rows } = await bench.pool.query<{ rule: string; device: string; metric: string | null; startedAt: number }>(
    `SELECT r.name AS rule, a.device_name AS device, a.metric_name AS metric, ${ms("started_at")} AS "startedAt", ${ms("fired_at")} AS "firedAt",
       ${ms("ended_at")} AS "endedAt", a.severity, a.first_value AS "firstValue", a.worst_value AS "worstValue", ${ms("worst_at")} AS "worstAt", a.flaps, a.flapping,
       CASE WHEN a.ended_at IS NOT NULL THEN a.last_value END AS "lastValue"
     FROM alert a JOIN alert_rule r ON r.id = a.rule_id`,
  );
  return rows.map((row) => JSON.stringify(row)).sort();
}

function expected(
  until: number,
  all: ReturnType<typeof streams>,
  metrics: readonly { id: number; name: string; min: null; max: null }[],
) {
  const nameOf = new Map(metrics.map(({ id, name }) => [id, name]));
  const idOf = new Map(metrics.map(({ id, name }) => [name, id]));
  return SPECS.flatMap((written, i) => {
    const spec = ruleSpec.parse(written);
    if (spec.kind !== "condition") return [];
    return [...all].flatMap(([device, moments]) => {
      if (!selectorOf(spec.of)({ name: device, site: null, type: null, labels: {} })) return [];
      const samples: OracleSample[] = moments.map(({ time, ...values }) => ({
        time,
        metrics: Object.keys(values).map((name) => idOf.get(name)!),
        values: Object.values(values),
      }));
      return judgedOf(spec, metrics, null).flatMap(({ metric, rule }) =>
        oracle(rule, samples, until).map((one) =>
          JSON.stringify({
            ...{
              rule: `rule ${i}`,
              device,
              metric: nameOf.get(metric) ?? null,
              startedAt: one.startedAt,
              firedAt: one.firedAt,
            },
            ...{ endedAt: one.endedAt, severity: one.severities.at(-1)![0], firstValue: one.firstValue },
            ...{ worstValue: one.worstValue, worstAt: one.worstAt, flaps: one.flaps, flapping: one.flapping },
            lastValue: one.endedAt === null ? null : one.lastValue,
          }),
        ),
      );
    });
  }).sort();
}

/** The fields that an alert under way keeps up only now and then. */
const settled = (rows: readonly string[]) =>
  rows.map((row) => {
    const one = JSON.parse(row) as Record<string, unknown>;
    return one["endedAt"] === null ? { ...one, worstValue: 0, worstAt: 0, flaps: 0 } : one;
  });

test.each([
  [1, 1],
  [1, 7],
  [1, 5000],
  [2, 7],
  [3, 5000],
])(
  "seed %i: in batches of %i, by two workers that partitions move between, alerts are those of the oracle in every field",
  async (seed, size) => {
    const all = streams(seed);
    for (const [i, spec] of SPECS.entries()) await addRule(bench.pool, `rule ${i}`, spec);
    const order = [...all].flatMap(([device, moments]) => moments.map((moment) => ({ device, ...moment })));
    order.sort((a, b) => a.time - b.time);
    for (const { device, time, ...readings } of order)
      if (Object.keys(readings).length > 0)
        bench.log.append(Number(device.slice(1)) % 2, { device, time, readings }, time);
    const workers = [await bench.rig(), await bench.rig()];
    for (const partition of [0, 1])
      for (let at = 0, turn = 0; at < bench.log.endOf(partition); at += size, turn++) {
        const worker = workers[Math.floor(turn / 3) % 2]!;
        await worker.begin(partition);
        await worker.batch(partition, at, at + size);
      }
    // Two minutes later everybody looks once more: two seconds are for what is on its way.
    const until = order.at(-1)!.time + 120 * S;
    await decideDue({ pool: bench.pool, readBlocks, staleMs: 600 * S }, until + 2 * S);
    const { rows } = await bench.pool.query<{ id: number; name: string }>(`SELECT id, name FROM metric ORDER BY id`);
    const metrics = rows.map((row) => ({ ...row, min: null, max: null }));
    const alerts = await found();
    expect(alerts.length).toBeGreaterThan(20);
    expect(settled(alerts)).toEqual(settled(expected(until, all, metrics)));
  },
  120_000,
);
