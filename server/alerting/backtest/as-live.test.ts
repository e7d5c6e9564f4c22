import { expect, test } from "vitest";
import { addRule } from "@/server/testing/alert-rig";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { mergeAll } from "@/server/testing/stored-readings";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { createColdReader } from "@/server/readings/cold/reader";
import { readBlocks } from "@/server/readings/blocks";
import { composeHistory } from "@/server/compose-history";
import { findSilent } from "../silence";
import { decideDue } from "../turn";
import { backtestDevices, type TriableRule } from "./run";

const bench = pipelineBench({ partitions: 2 });
const S = 1000;
const MINUTE = 60 * S;
const HOUR = 60 * MINUTE;
const T = Date.UTC(2026, 0, 15, 10);
const STALE_MS = 600 * S;
const HOURS = 9;

const condition = (metric: string, more: object) => ({ metric, ...more });
const SPECS = [
  {
    conditions: [condition("t", { is: "above", warning: 6, critical: 8, clear: 4 })],
    forMs: 3 * MINUTE,
    keepMs: MINUTE,
    holds: 4 * MINUTE,
  },
  { conditions: [condition("t", { is: "above", warning: 6 })], holds: "until-next" },
  { conditions: [condition("*", { is: "outside", critical: [1, 8] })], forMs: MINUTE, holds: 10 * MINUTE },
  { conditions: [condition("t", { is: "below", warning: 2 })], keepMs: 20 * MINUTE, holds: "until-next" },
  {
    match: "any",
    conditions: [condition("t", { is: "below", warning: 2 }), condition("u", { is: "above", critical: 7 })],
    holds: 10 * MINUTE,
  },
  {
    conditions: [condition("t", { is: "above", warning: 4 }), condition("u", { is: "below", warning: 5 })],
    holds: 10 * MINUTE,
  },
  { conditions: [condition("u", { what: "changePerMinute", is: "above", warning: 3 })], holds: 5 * MINUTE },
  { conditions: [condition("t", { what: "minuteMean", is: "above", warning: 6 })], forMs: 2 * MINUTE, holds: MINUTE },
  { conditions: [condition("u", { what: "minuteMax", is: "above", warning: 7, clear: 6 })], holds: MINUTE },
].map((more) => ({ kind: "condition", ...more }));
const SILENCES = [{ kind: "silence", afterMs: 20 * MINUTE }];

/** Numbers that are the same each time. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

/** Hours that are calm, high, low, wild or silent, a reading each 20 s: some have minute rollups and some haven't. */
function messages(device: string, seed: number) {
  const next = random(seed);
  const sent: { device: string; time: number; readings: Record<string, number> }[] = [];
  let kind = "calm";
  for (let time = T + seed; time < T + HOURS * HOUR; time += (seed % 2 === 0 ? 5 : 40) * S) {
    if (next() < 0.004) kind = ["calm", "high", "low", "wild", "silent"][Math.floor(next() * 5)]!;
    const [low, high] = { calm: [3, 5], high: [9, 9], low: [0, 1], wild: [0, 9], silent: [0, 0] }[kind]!;
    if (kind === "silent") {
      time += Math.floor(next() * 40) * MINUTE;
      kind = "calm";
      continue;
    }
    const value = () => low! + Math.floor(next() * (high! - low! + 1));
    const which = next();
    sent.push({ device, time, readings: { ...(which < 0.8 && { t: value() }), ...(which > 0.2 && { u: value() }) } });
  }
  return sent;
}

const FIELDS = `r.name AS rule, a.device_name AS device, a.metric_name AS metric, a.severity, a.first_value AS "firstValue",
  a.worst_value AS "worstValue", a.last_value AS "lastValue", a.flaps, a.flapping, a.closed_reason AS "closedReason"`;

async function alerts(): Promise<Record<string, unknown>[]> {
  const times = { started_at: "startedAt", fired_at: "firedAt", ended_at: "endedAt", worst_at: "worstAt" };
  const columns = Object.entries(times).map(
    ([column, name]) => `(extract(epoch FROM a.${column}) * 1000)::float8 AS "${name}"`,
  );
  const { rows } = await bench.pool.query<Record<string, unknown>>(
    `SELECT ${FIELDS}, ${columns.join(", ")} FROM alert a JOIN alert_rule r ON r.id = a.rule_id`,
  );
  return rows;
}

/** Rows in one order; an alert under way has some of its fields kept up only now and then. */
function settled(rows: readonly Record<string, unknown>[]): string[] {
  return rows
    .map((row) => (row["endedAt"] === null ? { ...row, worstValue: 0, worstAt: 0, lastValue: 0, flaps: 0 } : row))
    .map((row) => JSON.stringify(Object.fromEntries(Object.entries(row).sort())))
    .sort();
}

test.each([4, 5])(
  "seed %i: what a rule would have done by what is stored is what it did while it came",
  async (seed) => {
    const specs = [...SPECS, ...SILENCES];
    for (const [i, spec] of specs.entries()) await addRule(bench.pool, `rule ${i}`, spec);
    const all = ["a", "b", "c"].flatMap((device, i) => messages(device, 10 * seed + i)).sort((x, y) => x.time - y.time);
    const worker = await bench.rig();
    const turn = { pool: bench.pool, readBlocks, staleMs: STALE_MS };
    await worker.begin(0);
    const heard = new Map<string, number>();
    for (let i = 0; i < all.length;) {
      const first = bench.log.endOf(0);
      const begin = all[i]!.time;
      // Live, somebody looks each second: whoever is silent is found before its next message comes.
      await findSilent(turn, begin);
      for (const start = i; i < all.length && all[i]!.time < begin + 10 * MINUTE; i++) {
        const { device, time } = all[i]!;
        if (i > start && time - (heard.get(device) ?? time) >= 20 * MINUTE) break;
        heard.set(device, time);
        bench.log.append(0, all[i]!, time);
      }
      await worker.batch(0, first, bench.log.endOf(0));
    }
    const to = all.at(-1)!.time + 2 * MINUTE;
    await decideDue(turn, to + 2 * S);
    await mergeAll(bench.pool);
    const live = await alerts();
    expect(live.length).toBeGreaterThan(30);

    const { rows } = await bench.pool.query<{ id: number }>(`SELECT id FROM device`);
    const history = composeHistory(createColdReader(null));
    const ids = rows.map(({ id }) => id);
    const found: Record<string, unknown>[] = [];
    for (const [i, written] of specs.entries()) {
      const backtest = { spec: ruleSpec.parse(written) as TriableRule, from: T, to, staleMs: STALE_MS };
      const signal = new AbortController().signal;
      for (const { device, series } of await backtestDevices(bench.pool, history, ids, backtest, signal))
        for (const { metric, episodes, unknownHours } of series) {
          expect(unknownHours).toBe(0);
          for (const { noDataSince: _, condition: __, metric: ___, ...episode } of episodes)
            found.push({ rule: `rule ${i}`, device: device.facts.name, metric, ...episode });
        }
    }
    const isOf = (rule: RegExp) => (row: Record<string, unknown>) => rule.test(String(row["rule"]));
    for (const [i] of specs.entries()) {
      const own = isOf(new RegExp(`^rule ${i}$`));
      expect(settled(found.filter(own)), `rule ${i}`).toEqual(settled(live.filter(own)));
    }
  },
  120_000,
);
