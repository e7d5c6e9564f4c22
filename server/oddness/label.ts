import type { PoolClient } from "pg";
import type { OddStretch } from "./list";

type Said = "normal" | "real";

/**
 * Keeps what somebody says of a stretch; null takes it back. Normal ends it, and what it reached is usual from the next step on. Of a real one nothing is
 * to be learned: what is known of the device is made again without it.
 */
export async function labelOdd(
  tx: PoolClient,
  { id, deviceId, said: before }: OddStretch,
  said: Said | null,
  by: string,
): Promise<void> {
  await tx.query(
    `UPDATE odd_stretch SET said = $2, said_by = CASE WHEN $2::text IS NOT NULL THEN $3 END, said_at = CASE WHEN $2::text IS NOT NULL THEN now() END,
       goes_on = goes_on AND $2::text IS DISTINCT FROM 'normal' WHERE id = $1`,
    [id, said, by],
  );
  // An alert of a rule is over, too.
  if (said === "normal")
    await tx.query(
      `UPDATE odd_stretch SET step_ends = step_ends || step_ends[cardinality(step_ends)] + 1, step_scores = step_scores || 0::real WHERE id = $1`,
      [id],
    );
  // Nothing has been learned yet from what goes on that "normal" would have to undo.
  if (said === "normal" && before === null) return;
  await tx.query(`UPDATE odd_state SET version = version + 1, state = NULL WHERE device_id = $1`, [deviceId]);
}
