import {
  type Bounds,
  endMinute,
  type JudgedRule,
  minuteEnd,
  quietBand,
  type Seen,
  verdictOf,
} from "@/server/domain/alerts/condition";
import { type AlertInput, type AlertState, restState } from "@/server/domain/alerts/state";
import { step } from "@/server/domain/alerts/step";
import type { EpochMs } from "@/server/domain/terms";
import { createEpisodes, type FoundEpisode } from "./episodes";
import type { HourPart } from "@/server/ports/reading-blocks";
import type { Column } from "./history";

const NOTHING: readonly [number, Column] = [0, { times: [], values: [] }];

/** The machine of one instance, fed with a part of its readings after the other. */
export type Machine = ReturnType<typeof createMachine>;

export function createMachine(judged: JudgedRule) {
  const episodes = createEpisodes();
  const [only, ...others] = judged.conditions;
  const single = others.length === 0 && only!.what === "value" ? only! : null;
  const band: Bounds | null = single && quietBand([single]);
  /** Within an hour that says all the same nothing stops to hold. */
  const held: JudgedRule = {
    ...judged,
    conditions: judged.conditions.map((condition) => ({ ...condition, holdMs: Infinity })),
  };
  let state: AlertState = restState(judged);
  const guesses: Guess[] = [];

  function take(input: AlertInput, rule = judged): void {
    const [next, events] = step(state, input, rule);
    state = next;
    if (events.length > 0) episodes.take(events);
  }

  function read(time: EpochMs, metrics: readonly number[], values: readonly number[], rule = judged): void {
    take({ kind: "reading", time, metrics, values }, rule);
  }

  return {
    get seen(): readonly Seen[] {
      return state.seen;
    },
    /** True while quiet values change nothing: it is normal, and so will be the minute under way. */
    isSettled(): boolean {
      if (state.phase !== "normal") return false;
      return state.seen.every((seen, i) => {
        const condition = judged.conditions[i]!;
        return minuteEnd(seen) === null || verdictOf(condition, endMinute(seen, condition).value).level === 0;
      });
    },
    read,
    /** Takes readings in order; those of one moment together. @returns how many moments there were */
    feed(columns: ReadonlyMap<number, Column>): number {
      if (columns.size > 1) return feedMany(columns, read);
      const [[metric, { times, values }] = NOTHING] = columns;
      const metrics = [metric];
      for (let i = 0; i < times.length; i++) {
        const value = values[i]!;
        // Live, too, these don't come to the machine.
        if (band !== null && state.phase === "normal" && value >= band[0] && value <= band[1]) continue;
        read(times[i]!, metrics, [value]);
      }
      return times.length;
    },
    /**
     * Takes an hour by what its rollup tells, where that is enough: the alert fires, and each value says that it goes on as severe as it is.
     * @returns false where the readings are needed
     */
    leap(part: HourPart): boolean {
      const { phase, episode, belowSince, criticalSince } = state;
      if (single === null || phase !== "firing" || belowSince !== null) return false;
      if (criticalSince !== null && episode!.severity === "warning") return false;
      const level = levelOf(part);
      if (level === null || (judged.least === "warning" && (level === 2) !== (episode!.severity === "critical")))
        return false;
      const { hour, min, max, first, firstTime, last, lastTime } = part;
      const metrics = [single.metric];
      read(firstTime, metrics, [first]);
      // When the worst was is looked for in the end, if it matters.
      const worst = isFarther(min, max) ? min : max;
      const before = state.episode?.worstValue;
      read(firstTime, metrics, [worst], held);
      if (state.episode !== null && state.episode.worstValue !== before)
        guesses.push({ hour, value: worst, at: firstTime });
      read(lastTime, metrics, [last], held);
      return true;
    },
    /** Lets time go on to the end of what is looked at. */
    end(time: EpochMs): { episodes: FoundEpisode[]; guesses: readonly Guess[] } {
      take({ kind: "tick", time });
      return { episodes: episodes.end(state), guesses };
    },
  };

  /** The level that all values of an hour have, none of which says that it is over; null: they differ, or may. */
  function levelOf({ min, max }: HourPart): number | null {
    const [a, b] = [verdictOf(single!, min), verdictOf(single!, max)];
    if (a.over || b.over || a.level !== b.level) return null;
    if (single!.equals) return min === max ? a.level : null;
    const [low, high] = single!.clear ?? single!.warning ?? single!.critical!;
    return min >= high || max <= low ? a.level : null;
  }

  function isFarther(min: number, max: number): boolean {
    const { warning, critical } = single!;
    const [low, high] = (warning ?? critical)!;
    return Math.max(low - min, min - high) > Math.max(low - max, max - high);
  }
}

/** A worst value whose time isn't known better than by its hour. */
export interface Guess {
  readonly hour: EpochMs;
  readonly value: number;
  /** The time it stands at meanwhile. */
  readonly at: EpochMs;
}

/** Several metrics: by time, those of one moment together. */
function feedMany(
  columns: ReadonlyMap<number, Column>,
  read: (time: EpochMs, metrics: readonly number[], values: readonly number[]) => void,
): number {
  const all = [...columns].map(([metric, column]) => ({ metric, ...column, at: 0 }));
  for (let moments = 0; ; moments++) {
    let time = Infinity;
    for (const { times, at } of all) if (at < times.length && times[at]! < time) time = times[at]!;
    if (time === Infinity) return moments;
    const [metrics, values]: [number[], number[]] = [[], []];
    for (const one of all) {
      if (one.times[one.at] !== time) continue;
      metrics.push(one.metric);
      values.push(one.values[one.at++]!);
    }
    read(time, metrics, values);
  }
}
