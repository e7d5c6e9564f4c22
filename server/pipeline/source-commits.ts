import type { PoolClient } from "pg";
import { histogramClass } from "@/server/domain/histogram";
import { isStateOnly } from "@/server/domain/message";
import { OWN_SOURCE } from "@/server/domain/source";
import { readSource } from "@/server/domain/source-mark";
import { prepared } from "@/server/postgres/prepared";
import type { PipelineCommit } from "./batch";
import { outcomesOf } from "./outcomes";

/** What a batch holds of one source. */
interface SourceCounts {
  messages: number;
  /** All readings: new ones, repeats and conflicts. */
  sent: number;
  readings: number;
  conflicts: number;
  deadLetters: number;
  /** Messages by the class of how far their event time is behind the log's, and ahead of it; as long as the highest class needs. */
  readonly behind: number[];
  readonly ahead: number[];
}

/** Classes of milliseconds; the last, from 2^40 ms (35 years) on, has no upper end. */
const SKEW_CLASSES = 42;

// Sources are locked before their counts, as whoever removes one does it. A name that no source has is counted nowhere.
const ADD_SOURCES = prepared(
  `INSERT INTO source_commit AS c (source_id, partition, messages, readings, duplicates, conflicts, dead_letters, behind, ahead)
     SELECT s.id, n.partition, n.messages, n.readings, n.sent - n.readings - n.conflicts, n.conflicts, n.dead_letters,
       n.behind::bigint[], n.ahead::bigint[]
     FROM (SELECT id, name FROM source WHERE name = ANY ($1::text[]) ORDER BY id FOR KEY SHARE) AS s
     JOIN unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::text[])
       AS n (name, partition, messages, sent, readings, conflicts, dead_letters, behind, ahead) USING (name)
     ORDER BY s.id, n.partition
     ON CONFLICT (source_id, partition) DO UPDATE
     SET messages = c.messages + excluded.messages, readings = c.readings + excluded.readings,
         duplicates = c.duplicates + excluded.duplicates, conflicts = c.conflicts + excluded.conflicts,
         dead_letters = c.dead_letters + excluded.dead_letters,
         behind = ${sumOf("behind")}, ahead = ${sumOf("ahead")}`,
);

/** SQL for the sum of two histograms, of which one may be shorter. */
function sumOf(column: string): string {
  return `(SELECT coalesce(array_agg(coalesce(a, 0) + coalesce(b, 0) ORDER BY i), '{}')
    FROM unnest(c.${column}, excluded.${column}) WITH ORDINALITY AS both_of (a, b, i))`;
}

/** Adds what the batches hold to the totals of their sources. Contributes after the readings are written. */
export async function addSources(tx: PoolClient, batches: readonly PipelineCommit[]): Promise<void> {
  const rows = batches.flatMap((batch) =>
    [...countSources(batch)].map(([name, counts]) => ({ name, partition: batch.position.partition, ...counts })),
  );
  if (rows.length === 0) return;
  const each = (name: "messages" | "sent" | "readings" | "conflicts" | "deadLetters") => rows.map((row) => row[name]);
  await tx.query(
    ADD_SOURCES([
      rows.map(({ name }) => name),
      rows.map(({ partition }) => partition),
      ...(["messages", "sent", "readings", "conflicts", "deadLetters"] as const).map(each),
      rows.map(({ behind }) => `{${behind.join(",")}}`),
      rows.map(({ ahead }) => `{${ahead.join(",")}}`),
    ]),
  );
}

function countSources({ records, messages, letters, written }: PipelineCommit): Map<string, SourceCounts> {
  const all = new Map<string, SourceCounts>();
  const countsOf = (source: string) => {
    let counts = all.get(source);
    if (counts === undefined)
      all.set(
        source,
        (counts = { messages: 0, sent: 0, readings: 0, conflicts: 0, deadLetters: 0, behind: [], ahead: [] }),
      );
    return counts;
  };
  for (const { headers } of records) countsOf(readSource(headers)).messages++;
  for (const { source } of letters) countsOf(source ?? OWN_SOURCE).deadLetters++;

  /** The one source that a device's messages come from; null for one of several. */
  const senders = new Map<number, SourceCounts | null>();
  let areShared = false;
  for (const { record, deviceId, message, metrics } of messages) {
    const counts = countsOf(readSource(record.headers));
    counts.sent += metrics.length;
    if (!isStateOnly(message)) addSkew(counts, record.ingestTime - message.eventTime);
    const before = senders.get(deviceId);
    if (before === undefined) senders.set(deviceId, counts);
    else if (before !== counts) {
      senders.set(deviceId, null);
      areShared = true;
    }
  }
  for (const { deviceId, metrics } of written.added) {
    const sender = senders.get(deviceId);
    if (sender) sender.readings += metrics.length;
  }
  for (const { deviceId } of written.conflicts) {
    const sender = senders.get(deviceId);
    if (sender) sender.conflicts++;
  }
  if (!areShared) return all;

  const isShared = ({ deviceId }: { readonly deviceId: number }) => senders.get(deviceId) === null;
  const shared = { added: written.added.filter(isShared), conflicts: written.conflicts.filter(isShared) };
  for (const { message, became } of outcomesOf(messages.filter(isShared), shared)) {
    const counts = countsOf(readSource(message.record.headers));
    if (became === "new") counts.readings++;
    else if (became === "conflict") counts.conflicts++;
  }
  return all;
}

function addSkew({ behind, ahead }: SourceCounts, skewMs: number): void {
  const histogram = skewMs < 0 ? ahead : behind;
  const at = histogramClass(Math.abs(skewMs), SKEW_CLASSES);
  while (histogram.length <= at) histogram.push(0);
  histogram[at]! += 1;
}
