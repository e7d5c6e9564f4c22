import type { PoolClient } from "pg";
import { timeText } from "@/server/postgres/time-text";
import type { Recheck } from "./judge-sample";

/** Notes stretches that have to be judged again; those of one series become one. */
export async function noteRechecks(tx: PoolClient, rechecks: readonly Recheck[]): Promise<void> {
  if (rechecks.length === 0) return;
  await tx.query(
    `INSERT INTO alert_recheck (device_id, metric_id, from_time, to_time)
     SELECT * FROM unnest($1::integer[], $2::integer[], $3::timestamptz[], $4::timestamptz[])
     ON CONFLICT (device_id, metric_id) DO UPDATE SET from_time = least(alert_recheck.from_time, excluded.from_time),
       to_time = greatest(alert_recheck.to_time, excluded.to_time)`,
    [
      rechecks.map(({ deviceId }) => deviceId),
      rechecks.map(({ metric }) => metric),
      rechecks.map(({ from }) => timeText(from)),
      rechecks.map(({ to }) => timeText(to)),
    ],
  );
}
