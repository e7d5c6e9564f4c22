import type { Pool } from "pg";
import { readFrom, type RecordFrom } from "@/server/domain/from-mark";
import { readSource } from "@/server/domain/source-mark";
import type { StoredRecord } from "@/server/ports/event-log";
import { prepared } from "@/server/postgres/prepared";
import type { SourceBatch, TakenFrom } from "../batch";

const READ = prepared(
  `SELECT t.partition, s.name AS source, t.lane, t.run, t."offset"::float8 AS "offset", t.place
   FROM taken_from t JOIN source s ON s.id = t.source_id
   WHERE t.cluster = $1 AND t.partition = ANY ($2::integer[]) AND s.name = ANY ($3::text[])`,
);

/**
 * Leaves out records that a source took over from a log of others once more, because it was stopped before it could note that it had them: a partition
 * gets those of one lane in their order, whole from where they begin again. So what isn't beyond the latest one taken is a repeat.
 */
export function createLeaveOutRepeats({ pool }: { readonly pool: Pool }) {
  return async (batches: readonly SourceBatch[]): Promise<readonly SourceBatch[]> => {
    const marked = batches.map(({ records }) => markedOf(records));
    const sources = [...new Set(marked.flatMap((one) => [...one.values()].map(({ source }) => source)))];
    if (sources.length === 0) return batches;
    const { cluster } = batches[0]!.position;
    const partitions = batches.map(({ position }) => position.partition);
    const { rows } = await pool.query<Omit<TakenFrom, "repeats"> & { readonly partition: number }>(
      READ([cluster, partitions, sources]),
    );
    return batches.map((batch, i) => {
      const own = rows.filter(({ partition }) => partition === batch.position.partition);
      return marked[i]!.size === 0 ? batch : withoutRepeats(batch, marked[i]!, own);
    });
  };
}

type Marked = RecordFrom & { readonly source: string };

function markedOf(records: readonly StoredRecord[]): ReadonlyMap<StoredRecord, Marked> {
  const marked = new Map<StoredRecord, Marked>();
  for (const record of records) {
    const from = readFrom(record.headers);
    if (from !== null) marked.set(record, { ...from, source: readSource(record.headers) });
  }
  return marked;
}

function withoutRepeats(
  batch: SourceBatch,
  marked: ReadonlyMap<StoredRecord, Marked>,
  before: readonly Omit<TakenFrom, "repeats">[],
): SourceBatch {
  const taken = new Map(before.map((one) => [keyOf(one), one]));
  const changed = new Map<string, TakenFrom>();
  const records = batch.records.filter((record) => {
    const from = marked.get(record);
    if (from === undefined) return true;
    const key = keyOf(from);
    const latest = changed.get(key) ?? taken.get(key);
    const repeats = changed.get(key)?.repeats ?? 0;
    if (latest !== undefined && latest.run === from.run && !isBeyond(from, latest)) {
      const { source, lane, run, offset, place } = latest;
      changed.set(key, { source, lane, run, offset, place, repeats: repeats + 1 });
      return false;
    }
    changed.set(key, { ...from, repeats });
    return true;
  });
  return { ...batch, records, takenFrom: [...changed.values()] };
}

function isBeyond(one: RecordFrom, latest: Pick<RecordFrom, "offset" | "place">): boolean {
  return one.offset > latest.offset || (one.offset === latest.offset && one.place > latest.place);
}

function keyOf({ source, lane }: Pick<TakenFrom, "source" | "lane">): string {
  return `${source} ${lane}`;
}
