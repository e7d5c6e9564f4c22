import type { PoolClient } from "pg";
import { SCORE } from "@/server/domain/alerts/judged";
import { goOn } from "@/server/domain/alerts/go-on";
import { type AlertEvent, type AlertState, restState } from "@/server/domain/alerts/state";
import { step } from "@/server/domain/alerts/step";
import type { EpochMs } from "@/server/domain/terms";
import { settle } from "./judge-sample";
import { openOnes } from "./load";
import type { Held } from "./on-devices";
import type { Instance, Watched } from "./watched";

/** Steps of an odd stretch of a series: their ends, and how odd they were. */
export interface OddSteps {
  readonly device: number;
  readonly metric: number;
  readonly steps: readonly { readonly time: EpochMs; readonly score: number }[];
}

interface Row {
  readonly device: number;
  readonly metric: number;
  readonly from: EpochMs;
  readonly ends: readonly number[];
  readonly scores: readonly number[];
}

/** The columns that {@link stepsOf} takes, of a stretch `s`; steps from number `first` on. */
export const oddColumns = (first: string) =>
  `s.device_id AS device, s.metric_id AS metric, (extract(epoch FROM s.from_time) * 1000)::float8 AS from,
   s.step_ends[${first} + 1 :] AS ends, s.step_scores[${first} + 1 :] AS scores`;

export function stepsOf({ device, metric, from, ends, scores }: Row): OddSteps {
  return { device, metric, steps: ends.map((end, i) => ({ time: from + end * 1000, score: scores[i]! })) };
}

/** Takes steps that come after what the instance was judged by. */
export function takeOddSteps(
  { judged }: Pick<Instance, "judged">,
  from: AlertState,
  steps: OddSteps["steps"],
): { state: AlertState; events: AlertEvent[] } {
  let state = from;
  const events: AlertEvent[] = [];
  for (const { time, score } of steps) {
    if (state.at !== null && time <= state.at) continue;
    const [next, made] = step(state, { kind: "reading", time, metrics: [SCORE], values: [score] }, judged);
    state = next;
    events.push(...made);
  }
  return { state, events };
}

/** Puts a changed rule of oddness in force for what is odd: an alert goes on where it is still one, and is closed where it isn't. */
export async function seedOddness(
  tx: PoolClient,
  held: readonly Held[],
  changed: Map<Instance, Watched>,
): Promise<void> {
  const ofOddness = held.filter(({ watched }) => watched.instances.some(isOfOddness));
  if (ofOddness.length === 0) return;
  const { rows } = await tx.query<Row>(
    `SELECT ${oddColumns("0")} FROM odd_stretch s WHERE s.goes_on AND s.device_id = ANY ($1::integer[])`,
    [ofOddness.map(({ watched }) => watched.id)],
  );
  const odd = rows.map(stepsOf);
  for (const { watched, latest } of ofOddness)
    for (const instance of watched.instances.filter(isOfOddness)) {
      const steps = odd.find(({ device, metric }) => device === watched.id && metric === instance.metric)?.steps ?? [];
      const { state, events } = takeOddSteps(instance, restState(instance.judged), steps);
      const before = instance.kept;
      if (before === null && steps.length === 0) continue;
      if (before === null) instance.events.push(...openOnes(state, events));
      else {
        const [next, told] = goOn(before, state, Math.max(before.at ?? 0, latest ?? 0));
        instance.events.push(...told, ...(before.alertId === null ? openOnes(state, events) : []));
        settle(watched, instance, next, changed);
        changed.set(instance, watched);
        continue;
      }
      settle(watched, instance, state, changed);
      if (instance.events.length > 0) changed.set(instance, watched);
    }
}

export function isOfOddness({ rule }: Instance): boolean {
  return rule.spec.kind === "oddness";
}
