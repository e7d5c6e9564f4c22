import type { Pool, PoolClient } from "pg";
import { dueAt } from "@/server/domain/alerts/deadlines";
import { isRest } from "@/server/domain/alerts/state";
import { step } from "@/server/domain/alerts/step";
import type { EpochMs } from "@/server/domain/terms";
import { KEYED_ACCESS } from "@/server/postgres/keyed-access";
import { prepared } from "@/server/postgres/prepared";
import { timeText } from "@/server/postgres/time-text";
import { withTransaction } from "@/server/postgres/transaction";
import { readActiveRules, type ReadRules } from "./active-rules";
import { HOLD_RULES, RULES_EPOCH } from "./epoch";
import { settle } from "./judge-sample";
import type { Loading, ReadBlocks } from "./load";
import { seedOddness } from "./odd-steps";
import { onDevices } from "./on-devices";

/** Decisions without a reading wait so long for readings that are on their way. */
const GRACE_MS = 2000;
/** Devices taken in one transaction. */
const DEVICES = 500;

export interface TurnDeps {
  readonly pool: Pool;
  readonly readBlocks: ReadBlocks;
  /** Left out: rules are read each time. */
  readonly readRules?: ReadRules;
  /** The silence of a device of which nothing better is known, in milliseconds. */
  readonly staleMs: number;
}

/** Runs `work`, which isn't decided by readings, unless another worker does what is about the same right now. @returns what it answers; null: it didn't run */
export async function alone<T>(
  { pool, readBlocks, readRules = (tx) => readActiveRules(tx) }: Pick<TurnDeps, "pool" | "readBlocks" | "readRules">,
  work: (tx: PoolClient, loading: Loading) => Promise<T>,
  about: "devices" | "pipeline" = "devices",
): Promise<T | null> {
  return withTransaction(
    pool,
    async (tx) => {
      const { rows } = await tx.query<{ alone: boolean; epoch: number }>(
        `SELECT pg_try_advisory_xact_lock(hashtextextended('fieldwatch.alert-turn ' || $1, 0)) AS alone, ${RULES_EPOCH} AS epoch`,
        [about],
      );
      if (!rows[0]!.alone) return null;
      return work(tx, { rules: await readRules(tx, rows[0]!.epoch), readBlocks });
    },
    ["SET LOCAL lock_timeout = '5s'", ...KEYED_ACCESS, HOLD_RULES],
  );
}

/** Puts a changed rule in force for some of what is there already. @returns whether there may be more to do */
export async function seedRules(deps: TurnDeps): Promise<boolean> {
  const more = await alone(deps, async (tx, loading) => {
    const { rows } = await tx.query<{ id: number; cursor: number; enabled: boolean }>(
      `SELECT id, seed_cursor AS cursor, enabled FROM alert_rule WHERE seeded < version ORDER BY id LIMIT 1 FOR NO KEY UPDATE`,
    );
    const rule = rows[0];
    if (!rule) return false;
    const rules = loading.rules.filter(({ id }) => id === rule.id);
    const devices = rule.enabled ? await nextDevices(tx, rule.cursor) : [];
    await onDevices(tx, devices, { ...loading, rules, seeded: new Set([rule.id]) }, (held, changed) =>
      seedOddness(tx, held, changed),
    );
    const isDone = devices.length < DEVICES;
    await tx.query(
      `UPDATE alert_rule SET seeded = CASE WHEN $2 THEN version ELSE seeded END, seed_cursor = $3 WHERE id = $1`,
      [rule.id, isDone, isDone ? 0 : devices.at(-1)!],
    );
    return true;
  });
  return more === true;
}

async function nextDevices(tx: PoolClient, after: number): Promise<number[]> {
  const { rows } = await tx.query<{ id: number }>(`SELECT id FROM device WHERE id > $1 ORDER BY id LIMIT ${DEVICES}`, [
    after,
  ]);
  return rows.map(({ id }) => id);
}

/** SQL, to stand after SELECT: states that time decides by `$1`. */
export const DUE = `FROM alert_state s JOIN device d ON d.id = s.device_id
  WHERE s.due_at <= d.last_event_time + greatest($1::timestamptz - d.last_seen, interval '0') - interval '${GRACE_MS} ms'`;
const ANY_DUE = prepared(`SELECT ${DUE} LIMIT 1`);

/**
 * Decides what time alone decides: that something has lasted long enough, or been over long enough. Time goes on as the device's own would: from its
 * last event time on, for as long as everything it sent up to `watermark` was handled.
 */
export async function decideDue(deps: TurnDeps, watermark: EpochMs): Promise<void> {
  if ((await deps.pool.query(ANY_DUE([timeText(watermark)]))).rowCount === 0) return;
  await alone(deps, async (tx, loading) => {
    const { rows } = await tx.query<{ id: number }>(`SELECT DISTINCT d.id ${DUE} ORDER BY 1 LIMIT ${DEVICES}`, [
      timeText(watermark),
    ]);
    const later: { device: number; rule: number; metric: number; due: string | null }[] = [];
    const ids = rows.map(({ id }) => id);
    await onDevices(tx, ids, loading, (held, changed) => {
      for (const { watched, latest, lastSeen } of held) {
        if (latest === null || lastSeen === null) continue;
        const time = latest + Math.max(0, watermark - lastSeen) - GRACE_MS;
        for (const instance of watched.remembered) {
          const { state, judged, rule, metric } = instance;
          if (state === null) continue;
          if (judged.conditions.length === 0) {
            // Whether a device is silent again isn't a matter of its own time.
            later.push({ device: watched.id, rule: rule.id, metric, due: null });
            continue;
          }
          const [next, events] = step(state, { kind: "tick", time }, judged);
          instance.events.push(...events);
          if (next !== state || isRest(state, time)) {
            settle(watched, instance, next !== state ? next : { ...state, fires: [] }, changed);
            changed.set(instance, watched);
            continue;
          }
          const due = dueAt(state, judged, time);
          later.push({ device: watched.id, rule: rule.id, metric, due: due === null ? null : timeText(due) });
        }
      }
    });
    if (later.length === 0) return;
    await tx.query(
      `UPDATE alert_state s SET due_at = n.due
       FROM json_to_recordset($1::json) AS n (device integer, rule integer, metric integer, due timestamptz)
       WHERE s.device_id = n.device AND s.rule_id = n.rule AND s.metric_id = n.metric`,
      [JSON.stringify(later)],
    );
  });
}
