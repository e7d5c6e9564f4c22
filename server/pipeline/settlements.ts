import type { Pool, PoolClient } from "pg";
import type { DeadLetterChange, DeadLetters } from "@/server/ports/dead-letters";
import type { PipelineCommit } from "./batch";

/** The number of settlements done at once. */
const CHUNK = 200;

/** Writes the outcomes of the batches' resent dead letters, to be passed on to them once all is committed. */
export async function addSettlements(tx: PoolClient, batches: readonly PipelineCommit[]): Promise<void> {
  const settlements = batches.flatMap((batch) => batch.settlements);
  if (settlements.length === 0) return;
  await tx.query(
    `INSERT INTO resend_settlement (letter, attempt, change)
     SELECT letter, attempt, change FROM unnest($1::text[], $2::integer[], $3::json[]) AS n (letter, attempt, change)
     ON CONFLICT DO NOTHING`,
    [...keysOf(settlements), settlements.map((settlement) => JSON.stringify(settlement))],
  );
}

/** Records on dead letters what came of them. May be repeated: a letter that has its outcome stays as it is. */
export async function settle(
  pool: Pool,
  deadLetters: Pick<DeadLetters, "change">,
  settlements: readonly DeadLetterChange[],
): Promise<void> {
  await deadLetters.change(settlements);
  await pool.query(
    `DELETE FROM resend_settlement WHERE (letter, attempt) IN (SELECT * FROM unnest($1::text[], $2::integer[]))`,
    keysOf(settlements),
  );
}

/** Settles what was left by a worker that was killed or could not reach the dead letters. */
export async function settleLeft(pool: Pool, deadLetters: Pick<DeadLetters, "change">): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ change: DeadLetterChange }>(
      `SELECT change FROM resend_settlement ORDER BY letter, attempt LIMIT ${CHUNK}`,
    );
    if (rows.length === 0) return;
    await settle(
      pool,
      deadLetters,
      rows.map(({ change }) => change),
    );
  }
}

function keysOf(settlements: readonly DeadLetterChange[]): [letters: string[], attempts: number[]] {
  return [settlements.map(({ id }) => id), settlements.map(({ resends }) => resends)];
}
