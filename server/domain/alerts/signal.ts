import type { EpochMs } from "../terms";
import { holdsUntil, type JudgedRule, type Level, minuteEnd, type Seen, verdictOf } from "./condition";

/** What a rule's conditions say together; null: not known. */
export interface Signal {
  readonly level: Level | null;
  readonly over: boolean | null;
  /** The condition whose value stands for it, and the value. */
  readonly leading: number;
  readonly value: number | null;
}

type Known = boolean | null;

function all(a: Known, b: Known): Known {
  if (a === false || b === false) return false;
  return a === null || b === null ? null : true;
}

function any(a: Known, b: Known): Known {
  if (a === true || b === true) return true;
  return a === null || b === null ? null : false;
}

/**
 * What holds at `time`, or (`after`) right after it, if no reading comes.
 * @param of the condition that stood for it so far: it does as long as no other is more severe
 */
export function signalOf(
  rule: JudgedRule,
  seen: readonly Seen[],
  time: EpochMs,
  after: boolean,
  of: number | undefined,
): Signal {
  const isAll = rule.match === "all";
  const [both, either] = isAll ? [all, any] : [any, all];
  let warning: Known = isAll;
  let critical: Known = isAll;
  let over: Known = !isAll;
  let leading = 0;
  let highest = -1;
  let value: number | null = null;
  for (let i = 0; i < rule.conditions.length; i++) {
    const condition = rule.conditions[i]!;
    const until = holdsUntil(seen[i]!, condition);
    const isKnown = until !== null && (after ? until > time : until >= time);
    if (!isKnown) {
      warning = both(warning, null);
      critical = both(critical, null);
      over = either(over, null);
      continue;
    }
    const verdict = verdictOf(condition, seen[i]!.value);
    warning = both(warning, verdict.level >= 1);
    critical = both(critical, verdict.level === 2);
    over = either(over, verdict.over);
    const isAsSevere = isAll || verdict.level === highest;
    if (value === null || (!isAll && verdict.level > highest) || (i === of && isAsSevere))
      [leading, value] = [i, seen[i]!.value];
    highest = Math.max(highest, verdict.level);
  }
  const level = warning === true ? (critical === true ? 2 : 1) : warning === false ? 0 : null;
  return { level, over, leading, value };
}

/** The next time before `to` at which the signal may change without a reading, and whether a minute ends there; null: there is none. */
export function nextChange(
  rule: JudgedRule,
  seen: readonly Seen[],
  from: EpochMs,
  to: EpochMs,
): { readonly time: EpochMs; readonly condition: number; readonly isMinute: boolean } | null {
  let found: { time: EpochMs; condition: number; isMinute: boolean } | null = null;
  for (let i = 0; i < rule.conditions.length; i++) {
    const end = minuteEnd(seen[i]!);
    if (end !== null && end < to && (found === null || end < found.time || (end === found.time && !found.isMinute)))
      found = { time: end, condition: i, isMinute: true };
    const until = holdsUntil(seen[i]!, rule.conditions[i]!);
    if (until !== null && until >= from && until < to && (found === null || until < found.time))
      found = { time: until, condition: i, isMinute: false };
  }
  return found;
}
