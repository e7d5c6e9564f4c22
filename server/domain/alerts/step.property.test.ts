import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oracle, type OracleEpisode, type OracleSample } from "@/server/testing/alert-oracle";
import { type Bounds, type JudgedCondition, type JudgedRule } from "./condition";
import { type AlertEvent, type AlertInput, type AlertState, restState } from "./state";
import { step } from "./step";

const T = Date.UTC(2026, 0, 15, 10);
const S = 1000;

const condition = (metric: number, whats: readonly JudgedCondition["what"][]): fc.Arbitrary<JudgedCondition> =>
  fc
    .record({
      what: fc.constantFrom(...whats),
      kind: fc.constantFrom("above", "below", "outside", "equals"),
      levels: fc.constantFrom("warning", "critical", "both"),
      limit: fc.integer({ min: 2, max: 7 }),
      worse: fc.integer({ min: 0, max: 2 }),
      clear: fc.option(fc.integer({ min: 0, max: 2 })),
      holdMs: fc.constantFrom(15 * S, 60 * S, Infinity),
    })
    .map(({ what, kind, levels, limit, worse, clear, holdMs }) => {
      const at = (by: number): Bounds =>
        kind === "above"
          ? [-Infinity, limit + by]
          : kind === "below"
            ? [limit - by, Infinity]
            : kind === "outside"
              ? [limit - 2 - by, limit + by]
              : [limit + by, limit + by];
      return {
        ...{ metric, place: metric - 1, what, holdMs, equals: kind === "equals" },
        warning: levels === "critical" ? null : at(0),
        critical: levels === "warning" ? null : at(worse),
        clear: clear === null || kind === "equals" ? null : kind === "outside" && clear > 1 ? null : at(-clear),
      };
    });

const rule = (whats: readonly JudgedCondition["what"][]): fc.Arbitrary<JudgedRule> =>
  fc
    .record({
      match: fc.constantFrom("all" as const, "any" as const),
      conditions: fc.oneof(fc.tuple(condition(1, whats)), fc.tuple(condition(1, whats), condition(2, whats))),
      forMs: fc.constantFrom(0, 10 * S, 30 * S, 120 * S),
      keepMs: fc.constantFrom(0, 10 * S, 60 * S),
    })
    .map((made) => ({
      ...made,
      least: made.conditions.some(({ warning }) => warning !== null) ? ("warning" as const) : ("critical" as const),
    }))
    // As rules are made: in one of all conditions each has every level.
    .map((made) => {
      if (made.match === "any") return made;
      const has = (level: "warning" | "critical") => made.conditions.some((one) => one[level] !== null);
      return {
        ...made,
        conditions: made.conditions.map((one) => ({
          ...one,
          warning: one.warning ?? (has("warning") ? one.critical : null),
          critical: one.critical ?? (has("critical") ? one.warning : null),
        })),
      };
    });

const samples: fc.Arbitrary<OracleSample[]> = fc
  .array(
    fc.record({
      gap: fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom(1 * S, 5 * S, 10 * S) },
        { weight: 1, arbitrary: fc.constantFrom(16 * S, 45 * S, 61 * S, 600 * S) },
      ),
      metrics: fc.constantFrom([1], [2], [1, 2]),
      values: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 120 },
  )
  .map((gaps) => {
    let time = T;
    return gaps.map(({ gap, metrics, values }) => ({
      time: (time += gap),
      metrics,
      values: values.slice(0, metrics.length),
    }));
  });

/** Runs the program's machine. @param ticks makes times pass without a reading, between those there are */
function run(of: JudgedRule, inputs: readonly AlertInput[]): { state: AlertState; events: AlertEvent[] } {
  let state = restState(of);
  const events: AlertEvent[] = [];
  for (const input of inputs) {
    const [next, made] = step(state, input, of);
    state = next;
    events.push(...made);
  }
  return { state, events };
}

function episodesOf({ state, events }: { state: AlertState; events: readonly AlertEvent[] }): OracleEpisode[] {
  const found: OracleEpisode[] = [];
  for (const { kind, at, episode } of events) {
    if (kind === "fired") found.push({ severities: [], end: null } as unknown as OracleEpisode);
    const { severity, noDataSince: _, ...rest } = episode;
    const one = Object.assign(found.at(-1)!, rest);
    if (kind === "fired" || kind === "severity") one.severities.push([severity, at]);
    if (kind === "resolved" || kind === "closed") one.end = kind;
  }
  if (state.phase === "firing" || state.phase === "recovering") {
    const { severity: _, noDataSince: __, ...rest } = state.episode!;
    Object.assign(found.at(-1)!, rest);
  }
  return found;
}

/** Lets time go on to `time`, whether or not anything is decided. */
const passed = (time: number): AlertInput => ({ kind: "reading", time, metrics: [], values: [] });

const readings = (list: readonly OracleSample[]): AlertInput[] =>
  list.map((sample) => ({ kind: "reading", ...sample }));

describe("the machine finds the episodes of an oracle that has all readings at once", () => {
  for (const [name, whats] of [
    ["of values", ["value"]],
    ["of changes", ["changePerMinute"]],
    ["of minutes", ["minuteMean", "minuteMin", "minuteMax"]],
    ["of any of these", ["value", "changePerMinute", "minuteMean", "minuteMax"]],
  ] as const)
    test(name, () => {
      fc.assert(
        fc.property(rule(whats), samples, (of, list) => {
          const until = list.at(-1)!.time + 1000 * S;
          const expected = oracle(of, list, until);
          expect(episodesOf(run(of, [...readings(list), passed(until)]))).toEqual(expected);
        }),
        { numRuns: 1500 },
      );
    });

  test("whenever somebody looks whether something is due in between", () => {
    fc.assert(
      fc.property(
        rule(["value", "changePerMinute", "minuteMean"]),
        samples,
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        (of, list, parts) => {
          const until = list.at(-1)!.time + 1000 * S;
          const inputs = list.flatMap((sample, i): AlertInput[] => {
            const next = list[i + 1]?.time ?? until;
            const { value: part } = parts.next();
            const ticks = Array.from({ length: part }, (_, n): AlertInput => ({
              kind: "tick",
              time: sample.time + Math.floor(((next - sample.time) * (n + 1)) / part),
            }));
            return [{ kind: "reading", ...sample }, ...ticks];
          });
          expect(episodesOf(run(of, [...inputs, passed(until)]))).toEqual(oracle(of, list, until));
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe("no data is told once", () => {
  const slow: JudgedRule = {
    ...{ match: "all", forMs: 0, keepMs: 0, least: "warning" },
    conditions: [
      {
        ...{ metric: 1, place: 0, what: "value", holdMs: 60 * S, equals: false },
        ...{ warning: [-Infinity, 5], critical: null, clear: null },
      },
    ],
  };
  const reading = (time: number, value = 9): AlertInput => ({ kind: "reading", time, metrics: [1], values: [value] });
  const stale = (inputs: readonly AlertInput[]) =>
    run(slow, inputs).events.flatMap(({ kind, at }) => (kind === "stale" ? [(at - T) / S] : []));
  const every = (seconds: number, n: number, from = 0) =>
    Array.from({ length: n }, (_, i) => reading(T + (from + i * seconds) * S));

  test("of a device that is always slower than its hold, also if it is in time now and then", () => {
    expect(stale(every(90, 200))).toEqual([60]);
    const jittering = Array.from({ length: 200 }, (_, i) => reading(T + i * 60 * S + (i % 3) * 5 * S));
    expect(stale(jittering)).toHaveLength(1);
  });

  test("and again once the device was in time for a while, and in another alert", () => {
    expect(stale([...every(10, 5), ...every(10, 20, 300), reading(T + 900 * S)])).toEqual([100, 550]);
    expect(stale([...every(90, 5), reading(T + 500 * S, 0), ...every(90, 5, 600)])).toEqual([60, 660]);
  });

  test("and known however seldom somebody looks: what is closed after a week without data is, too", () => {
    const inputs = every(90, 5);
    const end = T + 4 * 90 * S;
    const silent: AlertInput = { kind: "tick", time: end + 61 * S };
    const { state, events } = run(slow, [...inputs, silent]);
    expect(state.episode?.noDataSince).toBe(end);
    expect(events.map(({ kind }) => kind)).toEqual(["fired", "stale"]);
    const closed = run(slow, [...inputs, silent, { kind: "tick", time: end + 7 * 24 * 3600 * S }]);
    expect(closed.events.at(-1)).toMatchObject({ kind: "closed", reason: "no data for 7 days" });
  });
});

test("a state written down and read again goes on the same", () => {
  fc.assert(
    fc.property(rule(["value", "changePerMinute", "minuteMean"]), samples, (of, list) => {
      let kept = restState(of);
      let state = restState(of);
      for (const input of readings(list)) {
        const [next, events] = step(state, input, of);
        const [again, same] = step(JSON.parse(JSON.stringify(kept)) as AlertState, input, of);
        expect([again, same]).toEqual([next, events]);
        [state, kept] = [next, again];
      }
    }),
    { numRuns: 200 },
  );
});
