import fc from "fast-check";
import { expect, test } from "vitest";
import { judgedOf } from "@/server/domain/alerts/judged";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { restState } from "@/server/domain/alerts/state";
import { step } from "@/server/domain/alerts/step";
import { createEpisodes, type FoundEpisode } from "./episodes";
import type { HourPart } from "@/server/ports/reading-blocks";
import type { Column } from "./history";
import { planOf, replay, type ReplayTask } from "./replay";

const S = 1000;
const MINUTE = 60 * S;
const HOUR = 60 * MINUTE;
const T = Date.UTC(2026, 0, 15, 10);
const METRICS = [
  { id: 1, name: "t", min: 1, max: 8 },
  { id: 2, name: "u", min: null, max: null },
];

interface Sample {
  readonly time: number;
  readonly metrics: readonly number[];
  readonly values: readonly number[];
}

/** Stretches of hours that are calm, wild or absent: what a fleet's history is made of. */
const history: fc.Arbitrary<Sample[]> = fc
  .array(
    fc.record({
      hours: fc.integer({ min: 1, max: 6 }),
      kind: fc.constantFrom("calm", "calm", "high", "low", "middle", "wild", "gone"),
      gap: fc.constantFrom(30 * S, 5 * MINUTE, 17 * MINUTE, 61 * S),
      which: fc.constantFrom([1], [1, 2], [1, 2], [2]),
      seed: fc.integer({ min: 1, max: 2 ** 30 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((stretches) => {
    const samples: Sample[] = [];
    let begin = T;
    for (const { hours, kind, gap, which, seed } of stretches) {
      const end = begin + hours * HOUR - (seed % 5) * 7 * MINUTE;
      const next = random(seed);
      const [low, high] = { calm: [3, 4], high: [8, 9], low: [0, 1], middle: [5, 6], wild: [0, 9], gone: [0, 0] }[
        kind
      ]!;
      for (let time = begin + 1; kind !== "gone" && time < end; time += gap) {
        const metrics = next() < 0.1 ? [which[0]!] : which;
        // Now and then one that is unlike the others.
        const value = () => (next() < 0.004 ? Math.floor(next() * 10) : low! + Math.floor(next() * (high! - low! + 1)));
        samples.push({ time, metrics, values: metrics.map(value) });
      }
      begin = end;
    }
    return samples;
  });

const condition = fc
  .record({
    metric: fc.constantFrom("t", "u"),
    what: fc.constantFrom("value", "value", "value", "changePerMinute", "minuteMean", "minuteMin", "minuteMax"),
    is: fc.constantFrom("above", "above", "below", "outside", "equals", "true", "invalid"),
    levels: fc.constantFrom("warning", "critical", "both"),
    limit: fc.integer({ min: 4, max: 7 }),
    worse: fc.integer({ min: 0, max: 2 }),
    clear: fc.option(fc.integer({ min: 0, max: 2 })),
  })
  .map(({ metric, what, is, levels, limit, worse, clear }) => {
    if (is === "true" || is === "invalid") return { metric, what, is, severity: worse > 0 ? "critical" : "warning" };
    const at = (by: number) =>
      is === "above" || is === "equals" ? limit + by : is === "below" ? limit - 3 - by : [limit - 2 - by, limit + by];
    return {
      ...{ metric, what, is },
      ...(levels !== "critical" && { warning: at(0) }),
      ...(levels !== "warning" && { critical: at(worse) }),
      ...(clear !== null && is !== "equals" && (is !== "outside" || clear <= 1) && { clear: at(-clear) }),
    };
  });

const rule = fc
  .record({
    match: fc.constantFrom("all", "any"),
    conditions: fc.oneof(fc.tuple(condition), fc.tuple(condition), fc.tuple(condition, condition)),
    forMs: fc.constantFrom(0, 0, MINUTE, 20 * MINUTE, 3 * HOUR),
    keepMs: fc.constantFrom(0, 0, 2 * MINUTE, 40 * MINUTE),
    holds: fc.constantFrom("auto", "until-next", 40 * S, 10 * MINUTE, 5 * HOUR),
  })
  .map((made) => ruleSpec.parse({ kind: "condition", ...made }))
  .map((spec) => (spec.kind === "condition" ? spec : null)!);

test("finds the episodes that all readings give, in every field, from the hours it has to look at", () => {
  let [asked, all] = [0, 0];
  fc.assert(
    fc.property(
      rule,
      history,
      fc.integer({ min: 0, max: 90 }),
      fc.integer({ min: 0, max: 12 }),
      (spec, samples, cut, open) => {
        const from = T + cut * MINUTE;
        const to = (samples.at(-1)?.time ?? T) + cut * MINUTE;
        const inside = samples.filter(({ time }) => time >= from && time < to);
        const rolled = T + 2 * open * HOUR;
        const late = open % 3 === 0 ? [T + 2 * HOUR] : [];
        for (const { rule: judged } of judgedOf(spec, METRICS, 30 * S)) {
          const task: ReplayTask = {
            ...{ judged, plan: planOf(judged), from, to },
            ...{ parts: partsOf(judged, samples, (hour) => hour < rolled && !late.includes(hour)) },
            ...{ late, open: Math.max(from, rolled) },
          };
          const found = run(task, samples);
          asked += found.asked;
          all += inside.length;
          expect(found.episodes).toEqual(whole(task, inside));
          expect(found.unknownHours).toBe(0);
        }
      },
    ),
    { numRuns: 250 },
  );
  expect(asked).toBeLessThan(all);
});

/** The machine over all readings. */
function whole({ judged, to }: ReplayTask, samples: readonly Sample[]): FoundEpisode[] {
  let state = restState(judged);
  const episodes = createEpisodes();
  const own = new Set(judged.conditions.map(({ metric }) => metric));
  for (const { time, metrics, values } of samples) {
    const places = metrics.flatMap((metric, i) => (own.has(metric) ? [i] : []));
    if (places.length === 0) continue;
    const reading = { time, metrics: places.map((i) => metrics[i]!), values: places.map((i) => values[i]!) };
    const [next, events] = step(state, { kind: "reading", ...reading }, judged);
    state = next;
    episodes.take(events);
  }
  const [last, events] = step(state, { kind: "tick", time: to }, judged);
  episodes.take(events);
  return episodes.end(last);
}

function run(task: ReplayTask, samples: readonly Sample[]) {
  const metrics = [...new Set(task.judged.conditions.map(({ metric }) => metric))];
  const going = replay(task);
  let asked = 0;
  for (let turn = going.next(); ;) {
    if (turn.done) return { ...turn.value, asked };
    const { from, to } = turn.value;
    expect(from).toBeLessThan(to);
    const inside = samples.filter(({ time }) => time >= from && time < to);
    asked += inside.length;
    turn = going.next(new Map(metrics.map((metric) => [metric, columnOf(metric, inside)])));
  }
}

function columnOf(metric: number, samples: readonly Sample[]): Column {
  const own = samples.flatMap(({ time, metrics, values }) =>
    metrics.flatMap((of, i) => (of === metric ? [{ time, value: values[i]! }] : [])),
  );
  return { times: own.map(({ time }) => time), values: own.map(({ value }) => value) };
}

/** What rollups would tell, as the plan asks for it. */
function partsOf(
  judged: ReplayTask["judged"],
  samples: readonly Sample[],
  isRolled: (hour: number) => boolean,
): ReplayTask["parts"] {
  const plan = planOf(judged);
  const parts = new Map<number, HourPart[]>();
  for (const { metric } of judged.conditions) {
    const { times, values } = columnOf(metric, samples);
    const hours = new Map<number, [number, number][]>();
    for (let i = 0; i < times.length; i++) {
      const hour = times[i]! - (times[i]! % HOUR);
      hours.set(hour, [...(hours.get(hour) ?? []), [times[i]!, values[i]!]]);
    }
    const all = [...hours].map(([hour, of]): HourPart => {
      const only = of.map(([, value]) => value);
      const [[firstTime, first], [lastTime, last]] = [of[0]!, of.at(-1)!];
      const [min, max] = [Math.min(...only), Math.max(...only)];
      return { hour, count: of.length, min, max, first, firstTime, last, lastTime };
    });
    parts.set(
      metric,
      all.filter(
        ({ hour, min, max }) => isRolled(hour) && (plan.by !== "band" || !(min >= plan.band[0] && max <= plan.band[1])),
      ),
    );
  }
  return parts;
}

/** Numbers that are the same each time. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}
