import type { Pool } from "pg";
import type { Beside, Delivery } from "@/server/domain/mapping/delivery";
import type { DeliveryRefusal } from "@/server/domain/source";
import type { EpochMs } from "@/server/domain/terms";

/** A delivery that is kept for people who write mappings, and what came of it. */
export interface SourceSampleRow {
  readonly id: number;
  readonly at: EpochMs;
  readonly beside: Beside;
  readonly body: Buffer;
  /** Of the whole body. */
  readonly bytes: number;
  readonly outcome: SampleOutcome;
}

interface SampleOutcome {
  readonly accepted: number;
  readonly ignored: boolean;
  readonly refused: readonly DeliveryRefusal[];
  /** Of the mapping. */
  readonly version: number;
}

/** Keeps the last deliveries of each source, some of every second and of what is refused. Best effort, and nothing waits for it. */
export interface Sampling {
  add(
    source: { readonly id: number; readonly mappingVersion: number },
    delivery: Delivery,
    taken: Omit<SampleOutcome, "version">,
  ): void;
  stop(): Promise<void>;
}

/** The last deliveries that are kept of a source, and the last of which something was refused. */
const MOST_SAMPLES = 20;
const MOST_REFUSED = 5;
/** The most that is kept of a body, in bytes. */
export const MOST_SAMPLE_BYTES = 64 * 1024;
const WRITE_MS = 1000;
/** Samples that a source may have waiting, of either kind. */
const MOST_WAITING = 3;

interface Waiting {
  readonly sourceId: number;
  readonly delivery: Delivery;
  readonly outcome: SampleOutcome;
}

/** @param onError is told when samples could not be written; they are given up. */
export function createSampling(pool: Pool, onError: (error: unknown) => void): Sampling {
  const waiting = new Map<string, Waiting[]>();
  let writing = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  async function write(): Promise<void> {
    const samples = [...waiting.values()].flat();
    waiting.clear();
    if (samples.length > 0) await writeSamples(pool, samples).catch(onError);
  }

  return {
    add({ id: sourceId, mappingVersion }, delivery, { accepted, ignored, refused }) {
      const kind = `${sourceId} ${refused.length > 0}`;
      let held = waiting.get(kind);
      if (held === undefined) waiting.set(kind, (held = []));
      if (held.length >= MOST_WAITING) {
        if (refused.length === 0) return;
        // The last one is that of the last error, which points at it.
        held.pop();
      }
      held.push({ sourceId, delivery, outcome: { accepted, ignored, refused, version: mappingVersion } });
      timer ??= setTimeout(() => {
        timer = undefined;
        writing = writing.then(write);
      }, WRITE_MS).unref();
    },
    async stop() {
      clearTimeout(timer);
      await (writing = writing.then(write));
    },
  };
}

async function writeSamples(pool: Pool, samples: readonly Waiting[]): Promise<void> {
  await pool.query(
    `INSERT INTO source_sample (source_id, at, beside, body, bytes, outcome, is_refused)
     SELECT s.id, to_timestamp(n.at / 1000), n.beside, n.body, n.bytes, n.outcome, n.refused
     FROM unnest($1::integer[], $2::float8[], $3::json[], $4::bytea[], $5::integer[], $6::json[], $7::boolean[])
       AS n (id, at, beside, body, bytes, outcome, refused) JOIN source s ON s.id = n.id
     ORDER BY n.at`,
    [
      samples.map(({ sourceId }) => sourceId),
      samples.map(({ delivery }) => delivery.arrived),
      samples.map(({ delivery }) => JSON.stringify(delivery.beside)),
      samples.map(({ delivery }) => redacted(delivery.body)),
      samples.map(({ delivery }) => delivery.body.byteLength),
      samples.map(({ outcome }) => JSON.stringify(outcome)),
      samples.map(({ outcome }) => outcome.refused.length > 0),
    ],
  );
  await pool.query(
    `DELETE FROM source_sample WHERE source_id = ANY ($1::integer[]) AND id IN (
       SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY source_id ORDER BY id DESC) AS place,
           row_number() OVER (PARTITION BY source_id, is_refused ORDER BY id DESC) AS of_its_kind, is_refused
         FROM source_sample WHERE source_id = ANY ($1::integer[])) AS ranked
       WHERE CASE WHEN is_refused THEN place > ${MOST_SAMPLES} AND of_its_kind > ${MOST_REFUSED}
             ELSE place > ${MOST_SAMPLES} END)`,
    [[...new Set(samples.map(({ sourceId }) => sourceId))]],
  );
}

/** The last samples of a source, newest first. */
export async function readSamples(pool: Pool, sourceId: number): Promise<SourceSampleRow[]> {
  const { rows } = await pool.query<SourceSampleRow>(
    `SELECT id::float8 AS id, (extract(epoch FROM at) * 1000)::float8 AS at, beside, body, bytes, outcome FROM source_sample
     WHERE source_id = $1 ORDER BY id DESC LIMIT ${MOST_SAMPLES + MOST_REFUSED}`,
    [sourceId],
  );
  return rows;
}

/** What a member of JSON is called that holds what nobody else should know. */
const SECRET =
  /("(?:[^"\\]{0,60}(?:password|passwd|secret|token|api_?key|apikey|authorization|credential)[^"\\]{0,60})"\s*:\s*)"(?:[^"\\]|\\.)*"/gi;

/** What is kept of a body: the beginning, without what looks like a secret. */
function redacted(body: Uint8Array): Buffer {
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, MOST_SAMPLE_BYTES));
  const text = start.toString("utf8");
  const told = text.replace(SECRET, '$1"…"');
  // Bytes that are no text stay as they are.
  return told === text ? start : Buffer.from(told);
}
