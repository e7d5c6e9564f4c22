import type { PoolClient } from "pg";
import type { QualityRule } from "@/server/domain/alerts/rule";
import { goOn } from "@/server/domain/alerts/go-on";
import { restState } from "@/server/domain/alerts/state";
import { step } from "@/server/domain/alerts/step";
import type { EpochMs } from "@/server/domain/terms";
import type { ActiveRule } from "./active-rules";
import { settle } from "./judge-sample";
import { onDevices } from "./on-devices";
import { alone, type TurnDeps } from "./turn";

/** Devices taken in one transaction. */
const DEVICES = 500;

/** When devices were scored last; null: never. For a statement that asks more. */
export const SCORED_AT = `(SELECT (extract(epoch FROM scored_at) * 1000)::float8 FROM quality_checked)`;

type Active = ActiveRule & { readonly spec: QualityRule };

interface Candidate {
  readonly id: number;
  readonly name: string;
  readonly site: string | null;
  readonly type: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Null: too little is known to say. */
  readonly score: number | null;
  readonly rule: number;
  /** The version of the rule by which it is judged so far; null: by none. */
  readonly version: number | null;
}

/** Judges the scores of devices by the rules about quality. A score is a reading of the time when it was made. @returns whether that could be done */
export async function judgeScores(deps: TurnDeps, scoredAt: EpochMs): Promise<boolean> {
  const done = await alone(deps, async (tx, loading) => {
    const rules = loading.rules.filter((rule): rule is Active => rule.spec.kind === "quality");
    if (rules.length === 0) return true;
    const wanted = (await findCandidates(tx, rules)).filter(
      (one) => one.version !== null || rules.find(({ id }) => id === one.rule)!.selects(one),
    );
    const byDevice = new Map<number, Candidate[]>();
    for (const one of wanted) byDevice.set(one.id, [...(byDevice.get(one.id) ?? []), one]);
    const ids = [...byDevice.keys()];
    for (let i = 0; i < ids.length; i += DEVICES)
      await onDevices(tx, ids.slice(i, i + DEVICES), loading, (held, changed) => {
        for (const { watched } of held)
          for (const instance of watched.instances) {
            const { rule, judged } = instance;
            const own = byDevice.get(watched.id)!.find((one) => one.rule === rule.id);
            if (rule.spec.kind !== "quality" || !own || own.score === null) continue;
            const reading = {
              kind: "reading",
              time: scoredAt,
              ...readingOf(judged.conditions[0]!.metric, own.score),
            } as const;
            const state = instance.state ?? restState(judged);
            const isChanged = own.version !== null && own.version < rule.version;
            // How long it is so under a changed rule nobody knows: as long as it has to.
            const [next, events] = isChanged
              ? goOn(state, step(restState(judged), reading, { ...judged, forMs: 0 })[0], scoredAt)
              : step(state, reading, judged);
            instance.events.push(...events);
            settle(watched, instance, next, changed);
            if (events.length > 0 || isChanged) changed.set(instance, watched);
          }
      });
    return true;
  });
  return done === true;
}

function readingOf(metric: number, score: number) {
  return { metrics: [metric], values: [score] };
}

/** Devices whose worst series is below what a rule asks for, and those of which a rule knows something, on the latest day that is scored. */
async function findCandidates(tx: PoolClient, rules: readonly Active[]): Promise<Candidate[]> {
  const { rows } = await tx.query<Candidate>(
    `WITH scored AS (
       SELECT q.device_id, min(q.score)::float8 AS score FROM quality_day q
       WHERE q.bucket = (SELECT max(bucket) FROM quality_day) GROUP BY 1)
     SELECT d.id, d.name, s.name AS site, d.type, q.score, r.id AS rule, a.version,
       coalesce((SELECT json_object_agg(l.key, l.value) FROM device_label l WHERE l.device_id = d.id), '{}') AS labels
     FROM unnest($1::integer[], $2::float8[]) AS r (id, below)
     CROSS JOIN scored q JOIN device d ON d.id = q.device_id LEFT JOIN site s ON s.id = d.site_id
     LEFT JOIN alert_state a ON a.device_id = d.id AND a.rule_id = r.id AND a.metric_id = 0
     WHERE q.score < r.below OR a.version IS NOT NULL ORDER BY d.id, r.id`,
    [rules.map(({ id }) => id), rules.map(({ spec }) => spec.below)],
  );
  return rows;
}
