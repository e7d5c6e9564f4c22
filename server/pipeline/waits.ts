import type { Pool } from "pg";
import type { PartitionWait } from "@/server/domain/pipeline-state";
import { ColdUnavailableError } from "@/server/ports/cold-store";
import { classOf } from "@/server/postgres/error-classes";
import type { PipelinePosition } from "./positions";

const MOST_CHARACTERS = 300;

/** Why a batch waits, for people. Only what engines say is quoted: other errors may hold words of a message. */
export function waitOf(error: unknown): Pick<PartitionWait, "reason" | "fix"> {
  if (classOf(error) === "retryable" && error instanceof Error && error.message !== "")
    return {
      reason: error.message.slice(0, MOST_CHARACTERS),
      fix: error instanceof ColdUnavailableError ? error.fix : null,
    };
  const name = error instanceof Error ? error.name : "An error";
  return { reason: `${name}, which is no outage; the worker's log has it whole`, fix: null };
}

/** Notes why the batch after a position failed; harmless when the position has moved meanwhile. */
export async function noteWait(pool: Pool, position: PipelinePosition, error: unknown): Promise<void> {
  const { cluster, topic, epoch, partition, next } = position;
  const { reason, fix } = waitOf(error);
  await pool.query(
    `UPDATE pipeline_position SET wait_next = next, wait_reason = $6, wait_fix = $7,
       wait_since = CASE WHEN wait_next = next THEN wait_since ELSE now() END
     WHERE cluster = $1 AND topic = $2 AND epoch = $3 AND partition = $4 AND next = $5
       AND (wait_next, wait_reason) IS DISTINCT FROM (next, $6)`,
    [cluster, topic, epoch, partition, next, reason, fix],
  );
}
