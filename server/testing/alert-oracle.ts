import type { JudgedCondition, JudgedRule } from "@/server/domain/alerts/condition";

/** A sample of one device. */
export interface OracleSample {
  readonly time: number;
  readonly metrics: readonly number[];
  readonly values: readonly number[];
}

/** An episode as the oracle finds it; `severities` are those it had, and from when on. */
export interface OracleEpisode {
  startedAt: number;
  firedAt: number;
  endedAt: number | null;
  end: "resolved" | "closed" | null;
  severities: [string, number][];
  /** The condition its values are of, and that one's metric. */
  condition: number;
  metric: number;
  firstValue: number | null;
  worstValue: number | null;
  worstAt: number | null;
  lastValue: number | null;
  flaps: number;
  flapping: boolean;
}

const HOUR = 3_600_000;

/** The values a condition has, each from its time to its end, inclusive. */
function valuesOf(
  of: JudgedCondition,
  samples: readonly OracleSample[],
): { from: number; until: number; value: number }[] {
  const raw = samples.flatMap(({ time, metrics, values }) =>
    metrics.flatMap((m, i) => (m === of.metric ? [{ time, value: values[i]! }] : [])),
  );
  if (of.what === "value") return raw.map(({ time, value }) => ({ from: time, until: time + of.holdMs, value }));
  if (of.what === "changePerMinute")
    return raw.map(({ time, value }, i) => {
      const gap = i === 0 ? Infinity : time - raw[i - 1]!.time;
      const known = i > 0 && gap <= of.holdMs;
      return {
        from: time,
        until: known ? time + of.holdMs : -1,
        value: known ? ((value - raw[i - 1]!.value) / gap) * 60_000 : 0,
      };
    });
  return [...new Set(raw.map(({ time }) => Math.floor(time / 60_000)))].map((minute) => {
    const own = raw.filter(({ time }) => Math.floor(time / 60_000) === minute).map(({ value }) => value);
    const from = (minute + 1) * 60_000;
    const value =
      of.what === "minuteMin"
        ? Math.min(...own)
        : of.what === "minuteMax"
          ? Math.max(...own)
          : own.reduce((a, b) => a + b, 0) / own.length;
    return { from, until: from + of.holdMs + 60_000, value };
  });
}

/** Finds all episodes with all readings at hand, by looking for runs in what the conditions say over time: another way than the program's. */
export function oracle(rule: JudgedRule, samples: readonly OracleSample[], until: number): OracleEpisode[] {
  const own = rule.conditions.map((of) => valuesOf(of, samples));
  const cuts = [
    ...new Set(
      own
        .flat()
        .flatMap(({ from, until: end }) => [...(from < until ? [from] : []), ...(end < until && end > 0 ? [end] : [])]),
    ),
  ].sort((a, b) => a - b);
  const beyond = (b: readonly [number, number] | null, v: number, eq: boolean) =>
    b !== null && (eq ? v === b[0] : v < b[0] || v > b[1]);
  const steps = cuts.flatMap((time) =>
    [false, true].map((after) => {
      const now = own.map((list, i) => {
        const last = list.findLast(({ from }) => from <= time);
        if (!last || (after ? last.until <= time : last.until < time)) return null;
        const of = rule.conditions[i]!;
        const level = beyond(of.critical, last.value, of.equals)
          ? 2
          : beyond(of.warning, last.value, of.equals)
            ? 1
            : 0;
        const over = level === 0 && (of.clear === null || (of.clear[0] < last.value && last.value < of.clear[1]));
        return { level, over, value: last.value };
      });
      const isAll = rule.match === "all";
      const there = now.filter((one) => one !== null);
      const holds = (test: (one: { level: number; over: boolean }) => boolean, every: boolean) => {
        const hits = there.filter(test).length;
        if (every) return hits < there.length ? false : there.length < now.length ? null : true;
        return hits > 0 ? true : there.length < now.length ? null : false;
      };
      const warn = holds(({ level }) => level >= 1, isAll);
      const level = warn === null ? null : warn ? (holds(({ level: l }) => l === 2, isAll) ? 2 : 1) : 0;
      const top = Math.max(0, ...there.map((one) => one.level));
      const lead = isAll
        ? now.findIndex((one) => one !== null)
        : now.findIndex((one) => one !== null && one.level === top);
      return { time, level, over: holds(({ over }) => over, !isAll), lead, now, top, value: now[lead]?.value ?? null };
    }),
  );
  const timeAt = (i: number) => steps[i]?.time ?? until;
  const runEnd = (from: number, test: (step: (typeof steps)[number]) => boolean) => {
    let i = from;
    while (i < steps.length && test(steps[i]!)) i++;
    return i;
  };
  const episodes: OracleEpisode[] = [];
  let fires: number[] = [];
  for (let i = 0; i < steps.length;) {
    if ((steps[i]!.level ?? 0) === 0) {
      i++;
      continue;
    }
    const startedAt = steps[i]!.time;
    const broken = runEnd(i, ({ level }) => level !== null && level > 0);
    const firedAt = startedAt + rule.forMs;
    if (firedAt > timeAt(broken)) {
      i = broken;
      continue;
    }
    const first =
      i +
      Math.max(
        1,
        steps.slice(i).findIndex(({ time }) => time >= firedAt),
      );
    const from = rule.forMs === 0 ? i + 1 : steps.slice(i).some(({ time }) => time >= firedAt) ? first : steps.length;
    fires = [...fires.filter((one) => one > firedAt - HOUR), firedAt];
    const flapping = fires.length >= 5;
    let keep = flapping ? Math.min(HOUR, 2 * Math.max(rule.keepMs, 60_000)) : rule.keepMs;
    const one: OracleEpisode = {
      startedAt,
      firedAt,
      endedAt: null,
      end: null,
      severities: [],
      condition: steps[i]!.lead,
      metric: rule.conditions[steps[i]!.lead]!.metric,
      firstValue: steps[i]!.value,
      worstValue: null,
      worstAt: null,
      lastValue: null,
      flaps: 0,
      flapping,
    };
    let next = steps.length;
    let decidedAt = until;
    for (let k = from; k < steps.length;) {
      const { over, level, time } = steps[k]!;
      if (over === true) {
        const to = runEnd(k, (step) => step.over === true);
        if (time + keep <= timeAt(to)) {
          [one.endedAt, one.end, decidedAt] = [time, "resolved", time + keep];
          next = keep === 0 ? k + 1 : runEnd(k + 1, (step) => step.time < decidedAt);
          break;
        }
        if (to < steps.length && steps[to]!.over !== null && steps[to]!.level !== null) {
          one.flaps++;
          if (flapping) keep = Math.min(2 * keep, HOUR);
        }
        k = to;
      } else if (over === null || level === null)
        k = runEnd(k, (step) => step.over !== true && (step.over === null || step.level === null));
      else k++;
    }
    // The values it was judged by, and how severe it was.
    let severity = rule.least === "critical" || runEnd(i, ({ level }) => level === 2) >= from ? "critical" : "warning";
    one.severities.push([severity, firedAt]);
    let [high, low]: [number | null, number | null] = [null, null];
    for (let k = i; k < next; k++) {
      const { time, level, over, lead, now, top } = steps[k]!;
      if (severity === "warning" && high !== null && k >= from && high + rule.forMs <= time)
        one.severities.push([(severity = "critical"), Math.max(high + rule.forMs, firedAt)]);
      if (severity === "critical" && low !== null && low + rule.forMs <= time) {
        one.severities.push([(severity = "warning"), low + rule.forMs]);
        low = null;
      }
      high = level === 2 ? (high ?? time) : null;
      const isBelow =
        k >= from &&
        severity === "critical" &&
        rule.least === "warning" &&
        over === false &&
        level !== null &&
        level < 2;
      low = isBelow ? (low ?? time) : null;
      if (k >= from && severity === "warning" && high !== null && rule.forMs === 0)
        one.severities.push([(severity = "critical"), time]);
      if (low !== null && rule.forMs === 0) {
        one.severities.push([(severity = "warning"), time]);
        low = null;
      }
      // It stays of the condition it is of, while that is as severe as any.
      const own = now[one.condition] ?? null;
      const said = own !== null && (rule.match === "all" || own.level === top) ? one.condition : lead;
      const value = now[said]?.value ?? null;
      if (value === null || (k >= from && over !== true && (level === null || over === null))) continue;
      const distance = (v: number) => {
        const of = rule.conditions[said]!;
        const b = (of.warning ?? of.critical)!;
        return of.equals ? 0 : Math.max(b[0] - v, v - b[1]);
      };
      if (said !== one.condition)
        Object.assign(one, {
          ...{ condition: said, metric: rule.conditions[said]!.metric },
          ...{ firstValue: value, worstValue: value, worstAt: time },
        });
      else if (one.worstValue === null || distance(value) > distance(one.worstValue))
        [one.worstValue, one.worstAt] = [value, time];
      one.lastValue = value;
    }
    if (
      severity === "warning" &&
      high !== null &&
      high + rule.forMs <= Math.min(decidedAt, timeAt(next)) &&
      rule.forMs > 0
    )
      one.severities.push(["critical", Math.max(firedAt, high + rule.forMs)]);
    if (severity === "critical" && low !== null && low + rule.forMs <= Math.min(decidedAt, timeAt(next)))
      one.severities.push(["warning", low + rule.forMs]);
    episodes.push(one);
    if (one.end !== null && flapping) fires = [];
    i = next;
  }
  return episodes;
}
