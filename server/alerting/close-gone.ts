import type { AlertState } from "@/server/domain/alerts/state";
import { step } from "@/server/domain/alerts/step";
import type { DeviceFacts } from "@/server/domain/alerts/judged";
import type { ActiveRule } from "./active-rules";
import { alone, type TurnDeps } from "./turn";
import type { Instance, Owner } from "./watched";
import { writeDecisions } from "./write";

const AT_ONCE = 1000;
const NO_FACTS: DeviceFacts = { name: "", site: null, type: null, labels: {} };
const NO_RULE = { match: "all", conditions: [], forMs: 0, keepMs: 0, least: "warning" } as const;

interface GoneRow {
  readonly device: number;
  readonly rule: number;
  readonly version: number;
  readonly metric: number;
  readonly state: AlertState;
  readonly reason: string;
}

/** FROM and WHERE of states that nobody judges any more. */
export const GONE = `FROM alert_state s LEFT JOIN device d ON d.id = s.device_id LEFT JOIN alert_rule r ON r.id = s.rule_id
  WHERE s.device_id <> 0 AND (d.id IS NULL OR d.retired_at IS NOT NULL OR r.id IS NULL OR NOT r.enabled)`;

/** Closes what rules that are off or removed, and devices that were removed or retired, have left: told as closed, never as over. @returns whether there was any */
export async function closeGone(deps: TurnDeps): Promise<boolean> {
  const closed = await alone(deps, async (tx) => {
    const { rows } = await tx.query<GoneRow>(
      `SELECT s.device_id AS device, s.rule_id AS rule, s.version, s.metric_id AS metric, s.state,
         CASE WHEN d.id IS NULL THEN 'device removed' WHEN r.id IS NULL THEN 'rule removed' WHEN d.retired_at IS NOT NULL THEN 'device retired' ELSE 'rule off' END AS reason
       ${GONE} ORDER BY s.device_id LIMIT ${AT_ONCE}`,
    );
    // Nobody judges by these rules any more; the devices' rows are locked all the same, before what hangs on them.
    await tx.query(`SELECT FROM device WHERE id = ANY ($1::integer[]) ORDER BY id FOR NO KEY UPDATE`, [
      rows.map(({ device }) => device),
    ]);
    const changed = new Map<Instance, Owner>();
    for (const { device: id, rule: ruleId, version, metric, state: kept, reason } of rows) {
      const rule: ActiveRule = {
        id: ruleId,
        version,
        spec: { kind: "silence", of: {}, afterMs: null, severity: "warning" },
        selects: () => false,
      };
      const [state, events] = step(kept, { kind: "close", time: kept.at ?? 0, reason }, NO_RULE);
      const instance: Instance = { rule, judged: NO_RULE, metric, state, kept, events: [...events] };
      changed.set(instance, { id, facts: NO_FACTS, siteId: null, metricNames: new Map() });
    }
    await writeDecisions(tx, changed);
    return rows.length > 0;
  });
  return closed === true;
}
