import type { Pool, PoolClient } from "pg";
import { GIVE_UP_MS, waitAfter } from "@/server/domain/notifications/retry";
import type { EpochMs } from "@/server/domain/terms";
import type { SendOutcome } from "@/server/ports/alert-channel";
import { withTransaction } from "@/server/postgres/transaction";

/** A message that this process has taken to send. */
export interface Taken {
  readonly id: string;
  readonly channelId: number;
  readonly body: string;
  /** The number of this attempt. */
  readonly attempt: number;
  readonly madeAt: EpochMs;
}

/** Longer than an attempt takes, in milliseconds: whoever has a message for longer has lost it. */
export const LEASE_MS = 20_000;

/** The channels that have something to send now, and may. */
export async function dueChannels(pool: Pool, now: EpochMs): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>(
    `SELECT id FROM channel c WHERE enabled AND (rests_until IS NULL OR rests_until <= to_timestamp($1 / 1000.0)) AND EXISTS (
       SELECT FROM notification n WHERE n.channel_id = c.id AND n.status IN ('waiting', 'sending')
         AND coalesce(n.lease_until, n.next_at) <= to_timestamp($1 / 1000.0))
     ORDER BY id`,
    [now],
  );
  return rows.map(({ id }) => id);
}

/**
 * Takes the message of a channel whose turn it is, those of one group in their order, and notes the attempt: should this process end, it is
 * seen that it was made, and the message is sent again once the lease is over. Null when there is none.
 */
export async function takeMessage(pool: Pool, channelId: number, now: EpochMs, leaseMs: number): Promise<Taken | null> {
  const { rows } = await pool.query<Taken>(
    `WITH next AS (
       SELECT id FROM notification n WHERE channel_id = $1 AND status IN ('waiting', 'sending')
         AND coalesce(lease_until, next_at) <= to_timestamp($2 / 1000.0)
         AND NOT EXISTS (SELECT FROM notification o WHERE o.channel_id = $1 AND o.group_id = n.group_id AND o.place < n.place
           AND o.status IN ('waiting', 'sending'))
         AND EXISTS (SELECT FROM channel c WHERE c.id = $1 AND c.enabled
           AND (c.rests_until IS NULL OR c.rests_until <= to_timestamp($2 / 1000.0)))
       ORDER BY next_at, place LIMIT 1 FOR UPDATE SKIP LOCKED
     ), taken AS (
       UPDATE notification n SET status = 'sending', attempts = attempts + 1, lease_until = to_timestamp(($2 + $3::float8) / 1000.0)
       FROM next WHERE n.id = next.id
       RETURNING n.id, n.channel_id, n.body, n.attempts, n.made_at
     ), noted AS (
       INSERT INTO notification_attempt (notification_id, number, at) SELECT id, attempts, to_timestamp($2 / 1000.0) FROM taken
     )
     SELECT id, channel_id AS "channelId", body, attempts AS attempt, (extract(epoch FROM made_at) * 1000)::float8 AS "madeAt" FROM taken`,
    [channelId, now, leaseMs],
  );
  return rows[0] ?? null;
}

/** Gives a message back that could not be sent for no reason of its channel's; it is taken again at once. */
export async function giveBack(pool: Pool, { id, attempt }: Taken, why: string): Promise<void> {
  await pool.query(
    `WITH back AS (
       UPDATE notification SET status = 'waiting', lease_until = NULL WHERE id = $1 AND attempts = $2 AND status = 'sending' RETURNING id
     )
     UPDATE notification_attempt a SET outcome = 'retry', answer = $3 FROM back WHERE a.notification_id = back.id AND a.number = $2`,
    [id, attempt, why],
  );
}

export interface Settled {
  readonly taken: Taken;
  readonly outcome: SendOutcome;
  readonly tookMs: number;
  readonly now: EpochMs;
  readonly random: () => number;
}

/**
 * Notes what came of an attempt, for the message and for its channel, at once.
 * @param onChannel called in the same transaction when the channel has come back or won't take a message.
 * @returns whether the channel takes more now.
 */
export async function settleMessage(
  pool: Pool,
  { taken, outcome: { outcome, answer, ...more }, tookMs, now, random }: Settled,
  onChannel: (tx: PoolClient, what: "back" | "lost") => Promise<void>,
): Promise<boolean> {
  return withTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ failures: number; failing: boolean }>(
      `SELECT failures, failing_since IS NOT NULL AS failing FROM channel WHERE id = $1 FOR UPDATE`,
      [taken.channelId],
    );
    const [channel] = rows;
    if (channel === undefined) return false;
    const text = answer.status === null ? answer.text : `${answer.status} ${answer.text}`.trim();
    const wait =
      outcome === "retry"
        ? waitAfter(channel.failures + 1, (more as { afterMs?: number | null }).afterMs ?? null, random)
        : 0;
    const isLost = outcome === "failed" || (outcome === "retry" && now + wait > taken.madeAt + GIVE_UP_MS);
    const status = outcome === "retry" ? (isLost ? "given-up" : "waiting") : outcome;
    // Somebody else has it by now if the lease was over: what they note counts.
    const { rowCount } = await tx.query(
      `UPDATE notification SET status = $3, answer = $4, lease_until = NULL, next_at = CASE WHEN $3 = 'waiting' THEN to_timestamp($5 / 1000.0) END,
         sent_at = CASE WHEN $3 = 'sent' THEN to_timestamp($6 / 1000.0) END
       WHERE id = $1 AND attempts = $2 AND status = 'sending'`,
      [taken.id, taken.attempt, status, text, now + wait, now],
    );
    if (rowCount === 0) return false;
    await tx.query(
      `UPDATE notification_attempt SET outcome = $3, status = $4, answer = $5, took_ms = $6 WHERE notification_id = $1 AND number = $2`,
      [taken.id, taken.attempt, outcome, answer.status, answer.text, Math.round(tookMs)],
    );
    if (outcome === "sent") {
      if (channel.failing) await onChannel(tx, "back");
      await tx.query(
        `UPDATE channel SET failing_since = NULL, failures = 0, trouble = NULL, rests_until = NULL, told_at = NULL, last_ok_at = to_timestamp($2 / 1000.0)
         WHERE id = $1`,
        [taken.channelId, now],
      );
      return true;
    }
    await tx.query(
      `UPDATE channel SET failing_since = coalesce(failing_since, to_timestamp($2 / 1000.0)), trouble = $3,
         failures = failures + $4, rests_until = CASE WHEN $5 THEN to_timestamp($6 / 1000.0) END WHERE id = $1`,
      [taken.channelId, now, text, outcome === "retry" ? 1 : 0, outcome === "retry", now + wait],
    );
    if (isLost) await onChannel(tx, "lost");
    // One that is refused says nothing of the next.
    return outcome === "failed";
  });
}

/** Gives up what has waited for too long, such as where a channel was off. @returns the channels of it. */
export async function giveUpOld(tx: PoolClient, now: EpochMs): Promise<number[]> {
  const { rows } = await tx.query<{ id: number }>(
    `UPDATE notification SET status = 'given-up', next_at = NULL WHERE status = 'waiting' AND made_at < to_timestamp($1 / 1000.0) RETURNING channel_id AS id`,
    [now - GIVE_UP_MS],
  );
  return [...new Set(rows.map(({ id }) => id))];
}
