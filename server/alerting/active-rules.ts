import type { Pool, PoolClient } from "pg";
import { selectorOf } from "@/server/domain/alerts/judged";
import type { DeviceFacts } from "@/server/domain/alerts/judged";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import { readSpec } from "./read-spec";

/** A rule that is in force. */
export interface ActiveRule {
  readonly id: number;
  readonly version: number;
  readonly spec: RuleSpec;
  readonly selects: (device: DeviceFacts) => boolean;
}

/**
 * Reads the rules that are in force. One that can't be read isn't: whatever it was to be, messages of all devices are worth more.
 * @param onUnreadable called with the names of those
 */
export async function readActiveRules(
  db: Pool | PoolClient,
  onUnreadable?: (names: readonly string[]) => void,
): Promise<ActiveRule[]> {
  const { rows } = await db.query<{ id: number; name: string; version: number; spec: unknown }>(
    `SELECT id, name, version, spec FROM alert_rule WHERE enabled ORDER BY id`,
  );
  const unreadable: string[] = [];
  const rules = rows.flatMap(({ id, name, version, spec: kept }) => {
    const spec = readSpec(kept);
    if (spec !== null) return [{ id, version, spec, selects: selectorOf("of" in spec ? spec.of : {}) }];
    unreadable.push(name);
    return [];
  });
  if (unreadable.length > 0) onUnreadable?.(unreadable);
  return rules;
}

/** Reads the rules in force, of which the epoch that holds is known. */
export type ReadRules = (tx: PoolClient, epoch: number) => Promise<readonly ActiveRule[]>;

/** Makes what reads them anew in another epoch only: a thousand take 30 ms. */
export function createReadRules(onUnreadable?: (names: readonly string[]) => void): ReadRules {
  let known: { readonly epoch: number; readonly rules: readonly ActiveRule[] } | null = null;
  return async (tx, epoch) => {
    if (known?.epoch !== epoch) known = { epoch, rules: await readActiveRules(tx, onUnreadable) };
    return known.rules;
  };
}
