import type { Pool, PoolClient } from "pg";
import type { ReplayRun } from "@/server/contracts/replays";
import type { DeadLetterReason } from "@/server/domain/reasons";
import { readRun } from "@/server/domain/replay-run";
import type { EpochMs } from "@/server/domain/terms";
import type { PipelineCommit } from "./batch";
import { outcomesOf } from "./outcomes";
import { printable } from "./printable";

type Counts = Record<"messages" | "faulty" | "readings" | "repeats" | "conflicts" | "texts", number>;

interface RunCounts extends Counts {
  readonly refused: Map<DeadLetterReason, { count: number; example: string }>;
}

const COUNTED = { new: "readings", repeat: "repeats", conflict: "conflicts" } as const;
const COLUMNS = ["messages", "faulty", "readings", "repeats", "conflicts", "texts"] as const;

/**
 * Adds what became of the messages of replays to their runs. Costs a look at each record's headers when there are none.
 * Contributes after the readings are written.
 */
export async function addReplayRuns(client: PoolClient, batches: readonly PipelineCommit[]): Promise<void> {
  for (const batch of batches) await addRuns(client, batch);
}

async function addRuns(client: PoolClient, batch: PipelineCommit): Promise<void> {
  const runs = countRuns(batch);
  if (runs.size === 0) return;
  const { partition } = batch.position;
  const rows = [...runs].map(([run, counts]) => ({ ...counts, run, partition, refused: undefined }));
  await client.query(
    `INSERT INTO replay_run AS r (run, partition, ${COLUMNS.join(", ")}, updated_at)
     SELECT run, partition, ${COLUMNS.join(", ")}, $2::timestamptz
     FROM json_to_recordset($1) AS n (run text, partition integer, ${COLUMNS.map((name) => `${name} bigint`).join(", ")})
     ON CONFLICT (run, partition) DO UPDATE
     SET ${COLUMNS.map((name) => `${name} = r.${name} + excluded.${name}`).join(", ")}, updated_at = excluded.updated_at`,
    [JSON.stringify(rows), new Date().toISOString()],
  );
  const refused = [...runs].flatMap(([run, counts]) =>
    [...counts.refused].map(([reason, { count, example }]) => ({ run, partition, reason, count, example })),
  );
  if (refused.length === 0) return;
  await client.query(
    `INSERT INTO replay_refused AS r (run, partition, reason, count, example)
     SELECT run, partition, reason, count, example
     FROM json_to_recordset($1) AS n (run text, partition integer, reason text, count bigint, example text)
     ON CONFLICT (run, partition, reason) DO UPDATE SET count = r.count + excluded.count`,
    [JSON.stringify(refused)],
  );
}

function countRuns(batch: PipelineCommit): Map<string, RunCounts> {
  const runs = new Map<string, RunCounts>();
  const byOffset = new Map<number, RunCounts>();
  for (const { headers, offset } of batch.records) {
    const run = readRun(headers);
    if (run === null) continue;
    let counts = runs.get(run);
    if (!counts) {
      counts = { messages: 0, faulty: 0, readings: 0, repeats: 0, conflicts: 0, texts: 0, refused: new Map() };
      runs.set(run, counts);
    }
    counts.messages++;
    byOffset.set(offset, counts);
  }
  if (runs.size === 0) return runs;

  const faulty = new Set<number>();
  for (const { position, reason, field, device, detail } of batch.letters) {
    const counts = byOffset.get(position.offset);
    if (!counts) continue;
    faulty.add(position.offset);
    const before = counts.refused.get(reason);
    if (before) before.count++;
    else counts.refused.set(reason, { count: 1, example: exampleOf(device, field, detail) });
  }
  for (const { record, texts } of batch.messages) {
    const counts = byOffset.get(record.offset);
    if (counts) counts.texts += texts.length;
  }
  for (const { message, became } of outcomesOf(batch.messages, batch.written)) {
    const { offset } = message.record;
    const counts = byOffset.get(offset);
    if (!counts) continue;
    if (became === "conflict") faulty.add(offset);
    counts[COUNTED[became]]++;
  }
  for (const offset of faulty) byOffset.get(offset)!.faulty++;
  return runs;
}

function exampleOf(device: string | null, field: string | null, detail: string): string {
  return printable([device, field, detail].filter((part) => part !== null && part !== "").join(": "), 300);
}

/** Reads the outcome of a run's messages so far; all 0 for a run that nothing is known of. */
export async function readReplayRun(client: Pool | PoolClient, run: string): Promise<Omit<ReplayRun, "workers">> {
  const sums = COLUMNS.map((name) => `coalesce(sum(${name}), 0)::float8 AS ${name}`).join(", ");
  const [totals, refused] = await Promise.all([
    client.query<Counts>(`SELECT ${sums} FROM replay_run WHERE run = $1`, [run]),
    client.query<{ reason: DeadLetterReason; count: number; example: string }>(
      `SELECT reason, sum(count)::float8 AS count, (array_agg(example ORDER BY partition))[1] AS example
       FROM replay_refused WHERE run = $1 GROUP BY reason ORDER BY 2 DESC, 1`,
      [run],
    ),
  ]);
  return { run, ...totals.rows[0]!, refused: refused.rows };
}

/** Removes runs without a handled message since `before`, at most `limit` rows; returns how many. */
export async function removeReplayRunsBefore(tx: Pool | PoolClient, before: EpochMs, limit: number): Promise<number> {
  const { rowCount } = await tx.query(
    `DELETE FROM replay_run WHERE (run, partition) IN (SELECT run, partition FROM replay_run WHERE updated_at < $1 LIMIT $2)`,
    [new Date(before).toISOString(), limit],
  );
  return rowCount ?? 0;
}
