import { restState } from "@/server/domain/alerts/state";
import { settle } from "./judge-sample";
import { isOfOddness, oddColumns, type OddSteps, stepsOf, takeOddSteps } from "./odd-steps";
import { onDevices } from "./on-devices";
import { alone, type TurnDeps } from "./turn";

/** Stretches taken in one transaction. */
const TOGETHER = 500;
/** Stretches with steps that rules haven't seen. */
export const UNJUDGED_ODD = "FROM odd_stretch WHERE judged_steps < cardinality(step_ends)";

/** Judges the steps that odd stretches have got since, by the rules of oddness. @returns whether there may be more */
export async function judgeOddness(deps: TurnDeps): Promise<boolean> {
  const more = await alone(deps, async (tx, loading) => {
    const { rows } = await tx.query<Parameters<typeof stepsOf>[0]>(
      `WITH due AS (SELECT id, judged_steps AS seen ${UNJUDGED_ODD} ORDER BY id LIMIT ${TOGETHER} FOR UPDATE)
       UPDATE odd_stretch s SET judged_steps = cardinality(s.step_ends) FROM due WHERE s.id = due.id RETURNING ${oddColumns("due.seen")}`,
    );
    if (!loading.rules.some(({ spec }) => spec.kind === "oddness")) return rows.length === TOGETHER;
    const stretches = new Map<string, OddSteps[]>();
    for (const row of rows.map(stepsOf).sort((a, b) => a.steps[0]!.time - b.steps[0]!.time)) {
      const key = `${row.device} ${row.metric}`;
      stretches.set(key, [...(stretches.get(key) ?? []), row]);
    }
    const devices = [...new Set(rows.map(({ device }) => device))].sort((a, b) => a - b);
    await onDevices(tx, devices, loading, (held, changed) => {
      for (const { watched } of held)
        for (const instance of watched.instances.filter(isOfOddness)) {
          const steps = stretches.get(`${watched.id} ${instance.metric}`)?.flatMap((one) => one.steps);
          if (!steps) continue;
          const { state, events } = takeOddSteps(instance, instance.state ?? restState(instance.judged), steps);
          instance.events.push(...events);
          settle(watched, instance, state, changed);
          if (events.length > 0) changed.set(instance, watched);
        }
    });
    return rows.length === TOGETHER;
  });
  return more === true;
}
