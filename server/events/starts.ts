import { randomUUID } from "node:crypto";
import type { Pool } from "pg";
import { createBackoff, pause } from "@/server/async/backoff";
import { within } from "@/server/async/timeout";
import type { Death } from "@/server/config/launch";
import type { Logger } from "@/server/observability/logger";
import { timeText } from "@/server/postgres/time-text";
import { withTransaction } from "@/server/postgres/transaction";
import { ALONE } from "./write";

/** A stop longer ago has nothing to do with a start. */
const LONGEST_MS = 24 * 3_600_000;
/** How long a process that stops waits for its stop to be noted, in milliseconds. */
const STOP_MS = 2000;

/**
 * Remembers that a process was started, as soon as the database takes it, once: with how the one before it ended, or since when that one was stopped.
 * @param death how the process ended that this one replaces; null: it replaces none that is known to have ended by itself
 */
export function noteStart(
  pool: Pool,
  role: "web" | "worker",
  death: Death | null,
  logger: Logger,
): { stop(): Promise<void> } {
  const leaving = new AbortController();
  const instance = randomUUID();
  const at = Date.now();
  const write = async () => {
    const backoff = createBackoff({ firstMs: 500, maxMs: 30_000 });
    while (!leaving.signal.aborted) {
      try {
        return await writeStart(pool, { role, death, instance, at });
      } catch (error) {
        logger.debug({ err: error }, "a start could not be noted; it will be");
        await pause(backoff.next(), leaving.signal);
      }
    }
  };
  const written = write();
  return {
    async stop() {
      leaving.abort();
      const note = written.then(() => noteStop(pool, role, instance));
      await within(STOP_MS, note, () => new Error("the stop could not be noted in time")).catch((error: unknown) =>
        logger.debug({ err: error }, "that this process stops could not be noted"),
      );
    },
  };
}

interface Start {
  readonly role: string;
  readonly death: Death | null;
  readonly instance: string;
  readonly at: number;
}

/** Writes a start, unless it is written: an answer may have been lost. The stop that it follows is followed by no other start. */
async function writeStart(pool: Pool, { role, death, instance, at }: Start): Promise<void> {
  await withTransaction(
    pool,
    async (tx) => {
      const written = await tx.query(
        `SELECT FROM event WHERE kind = 'process' AND key = $1 AND data->>'instance' = $2`,
        [role, instance],
      );
      if (written.rowCount !== 0) return;
      const { rows } = await tx.query<{ at: number }>(
        `UPDATE event SET data = data || '{"followed": true}' WHERE $3 AND id = (
           SELECT id FROM event WHERE kind = 'process' AND key = $1 AND (data->>'stoppedAt')::float8 BETWEEN $2::float8 - ${LONGEST_MS} AND $2 AND NOT data ? 'followed'
           ORDER BY (data->>'stoppedAt')::float8 DESC LIMIT 1)
         RETURNING (data->>'stoppedAt')::float8 AS at`,
        [role, at, death === null],
      );
      const stoppedAt = rows[0]?.at;
      await tx.query(
        `INSERT INTO event (kind, key, severity, started_at, ended_at, data) VALUES ('process', $1, $2, $3, $4, $5)`,
        [
          ...[role, death === null ? "info" : "warning"],
          ...[timeText(Math.min(at, death?.at ?? stoppedAt ?? at)), timeText(at)],
          JSON.stringify({
            instance,
            ...(death && { how: death.how }),
            ...(stoppedAt !== undefined && { stopped: true }),
          }),
        ],
      );
    },
    [ALONE],
  );
}

/** Notes with the start of a process when it was stopped: the next one says how long there was none. */
async function noteStop(pool: Pool, role: string, instance: string): Promise<void> {
  await pool.query(
    `UPDATE event SET data = data || jsonb_build_object('stoppedAt', $3::float8) WHERE kind = 'process' AND key = $1 AND data->>'instance' = $2`,
    [role, instance, Date.now()],
  );
}
