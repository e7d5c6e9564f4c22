import { randomUUID } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { type LineageNames, type LineageRun, openLineageEvent } from "@/server/domain/open-lineage";
import type { EpochMs } from "@/server/domain/terms";

/** Events that may wait, at most: some days of them. Beyond it the oldest are let go, and counted. */
export const MOST_WAITING = 50_000;

/** The time that one event of the stream is about, in milliseconds, at least. */
const INTERVAL_MS = 60_000;

/** Puts events into the outbox, in the transaction of what they tell of. */
export async function addEvents(
  tx: Pool | PoolClient,
  runs: readonly LineageRun[],
  names: LineageNames,
): Promise<void> {
  if (runs.length === 0) return;
  await tx.query(
    "INSERT INTO lineage_event (event) SELECT e FROM json_array_elements($1::json) WITH ORDINALITY AS n (e, i) ORDER BY i",
    [JSON.stringify(runs.map((run) => openLineageEvent(run, names)))],
  );
}

/** Totals as they were told. */
interface Told {
  readonly messages?: number;
  readonly readings?: number;
  readonly deadLetters?: number;
  readonly sources?: Readonly<Record<string, number>>;
}

/**
 * Tells of the stream since it was told of last, if a minute has passed and something came: what the doors took by source, and what the pipeline made of
 * it. The totals are moved on in the same transaction, so all events together tell of every message once; the first tells of all that came before it.
 */
export async function tellStream(tx: PoolClient, now: EpochMs, names: LineageNames): Promise<void> {
  const { rows } = await tx.query<{ until: number | null; told: Told }>(
    "SELECT (extract(epoch FROM told_until) * 1000)::float8 AS until, told FROM lineage_state FOR UPDATE",
  );
  const { until, told } = rows[0]!;
  if (until !== null && now - until < INTERVAL_MS) return;
  const { rows: totals } = await tx.query<{ total: Required<Told> }>(
    `SELECT json_build_object('messages', coalesce(sum(messages), 0)::float8, 'readings', coalesce(sum(readings), 0)::float8,
       'deadLetters', coalesce(sum(dead_letters), 0)::float8, 'sources', (SELECT coalesce(json_object_agg(s.name, c.accepted), '{}')
         FROM source_count c JOIN source s ON s.id = c.source_id WHERE c.accepted > 0)) AS total FROM pipeline_position`,
  );
  const { total } = totals[0]!;
  const began = until ?? now - INTERVAL_MS;
  const since = (part: "messages" | "readings" | "deadLetters") => Math.max(0, total[part] - (told[part] ?? 0));
  const [messages, readings, letters] = [since("messages"), since("readings"), since("deadLetters")];
  const sent = Object.entries(total.sources).flatMap(([source, accepted]) => {
    // A source that was removed and made anew counts from zero.
    const before = told.sources?.[source] ?? 0;
    const rows = accepted < before ? accepted : accepted - before;
    return rows > 0 ? [{ kind: "source", source, rows } as const] : [];
  });
  const taken = sent.reduce((sum, one) => sum + one.rows, 0);
  await addEvents(
    tx,
    [
      ...(taken > 0 ? both(DOORS, began, now, sent, [{ kind: "log", rows: taken }]) : []),
      ...(messages > 0
        ? both(
            PIPELINE,
            began,
            now,
            [{ kind: "log", rows: messages, values: { readings } }],
            [
              { kind: "messages", rows: messages },
              { kind: "latest" },
              { kind: "readings", rows: readings },
              { kind: "deadLetters", rows: letters },
            ],
          )
        : []),
    ],
    names,
  );
  await tx.query("UPDATE lineage_state SET told_until = $1, told = $2", [new Date(now), JSON.stringify(total)]);
}

const DOORS = { name: "doors", about: "Takes messages of sources into the event log", isStream: true } as const;
const PIPELINE = {
  ...{ name: "pipeline", isStream: true },
  about: "Makes archived messages, latest values, readings and dead letters of what the event log holds",
} as const;

/** A stretch of a stream: a run of its own, from its beginning to its end. */
function both(
  job: LineageRun["job"],
  began: EpochMs,
  ended: EpochMs,
  inputs: LineageRun["inputs"],
  outputs: LineageRun["outputs"],
): LineageRun[] {
  const runId = randomUUID();
  return [
    { type: "START", at: began, runId, job, inputs: inputs.map(bare), outputs: outputs.map(bare) },
    { type: "COMPLETE", at: ended, runId, job, inputs, outputs },
  ];
}

const bare = ({ kind, source }: LineageRun["inputs"][number]) => ({ kind, ...(source !== undefined && { source }) });

/** Lets the oldest go beyond `most`. */
export async function dropBeyond(tx: PoolClient, most: number): Promise<number> {
  const { rows } = await tx.query<{ dropped: number }>(
    `WITH gone AS (DELETE FROM lineage_event WHERE id <= (SELECT id FROM lineage_event ORDER BY id DESC OFFSET $1 LIMIT 1) RETURNING 1),
       n AS (SELECT count(*)::integer AS dropped FROM gone)
     UPDATE lineage_state SET dropped = lineage_state.dropped + n.dropped FROM n RETURNING n.dropped`,
    [most],
  );
  return rows[0]!.dropped;
}

/** An event that waits, as it is sent. */
export interface WaitingEvent {
  readonly id: string;
  readonly body: string;
}

/** The next events, the oldest first. */
export async function nextEvents(pool: Pool, limit: number): Promise<readonly WaitingEvent[]> {
  const { rows } = await pool.query<WaitingEvent>(
    "SELECT id::text, event::text AS body FROM lineage_event ORDER BY lineage_event.id LIMIT $1",
    [limit],
  );
  return rows;
}

/** Takes out what the receiver has answered. */
export async function settleEvents(
  tx: PoolClient,
  { ids, refused }: { readonly ids: readonly string[]; readonly refused: number },
): Promise<void> {
  await tx.query("DELETE FROM lineage_event WHERE id = ANY ($1::bigint[])", [ids]);
  await tx.query(
    `UPDATE lineage_state SET sent = sent + $1, refused = refused + $2, trouble = NULL, last_sent = CASE WHEN $1 > 0 THEN now() ELSE last_sent END`,
    [ids.length - refused, refused],
  );
}

/** Notes why events wait. */
export async function noteTrouble(pool: Pool, trouble: string): Promise<void> {
  await pool.query("UPDATE lineage_state SET trouble = $1", [trouble.slice(0, 300)]);
}

/** What became of events. Times in epoch milliseconds. */
export interface Outbox {
  readonly waiting: number;
  readonly sent: number;
  readonly dropped: number;
  readonly refused: number;
  readonly lastSent: EpochMs | null;
  readonly trouble: string | null;
}

export async function readOutbox(pool: Pool): Promise<Outbox> {
  const { rows } = await pool.query<Outbox>(
    `SELECT (SELECT count(*)::integer FROM lineage_event) AS waiting, sent::float8 AS sent, dropped::float8 AS dropped, refused::float8 AS refused,
       (extract(epoch FROM last_sent) * 1000)::float8 AS "lastSent", trouble FROM lineage_state`,
  );
  return rows[0]!;
}
