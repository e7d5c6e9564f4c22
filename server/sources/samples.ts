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

/** Keeps the last deliveries of each source, and the last of which something was refused. Best effort, and nothing waits for it. */
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
/** What samples of all sources may hold while they wait, in bytes: beyond, no more are kept. */
const MOST_WAITING_BYTES = 16 * 1024 * 1024;

interface Waiting {
  readonly sourceId: number;
  readonly at: EpochMs;
  readonly beside: Beside;
  /** The beginning of the body. */
  readonly start: Uint8Array;
  /** Of the whole body. */
  readonly bytes: number;
  readonly outcome: SampleOutcome;
}

/** @param onError is told when samples could not be written; they are given up. */
export function createSampling(pool: Pool, onError: (error: unknown) => void): Sampling {
  const waiting = new Map<string, Waiting[]>();
  let heldBytes = 0;
  let writing = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  async function write(): Promise<void> {
    const samples = [...waiting.values()].flat();
    waiting.clear();
    heldBytes = 0;
    if (samples.length > 0) await writeSamples(pool, samples).catch(onError);
  }

  return {
    add({ id: sourceId, mappingVersion }, { arrived, beside, body }, { accepted, ignored, refused }) {
      const kind = `${sourceId} ${refused.length > 0}`;
      let held = waiting.get(kind);
      if (held === undefined) waiting.set(kind, (held = []));
      // The newest stay: among them is that of the last error, which points at it.
      if (held.length >= MOST_SAMPLES) heldBytes -= held.shift()!.start.byteLength;
      // Copied, so that a large body goes with its answer.
      const start = body.byteLength <= MOST_SAMPLE_BYTES ? body : Buffer.from(body.subarray(0, MOST_SAMPLE_BYTES));
      if (heldBytes + start.byteLength > MOST_WAITING_BYTES) return;
      heldBytes += start.byteLength;
      const outcome = { accepted, ignored, refused, version: mappingVersion };
      held.push({ sourceId, at: arrived, beside, start, bytes: body.byteLength, outcome });
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
      samples.map(({ at }) => at),
      samples.map(({ beside }) => JSON.stringify(beside)),
      samples.map(({ start }) => redacted(start)),
      samples.map(({ bytes }) => bytes),
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

/** What a member of JSON is called that holds what nobody else should know: anywhere in its name, or as a word of it. */
const SECRET_PART =
  "pass(?:word|wd|phrase|code)|secret|token|authorization|credential|psk|pwd|(?:api|app|nwk|access|private|shared|encryption|network|device)[_-]?s?[_-]?key";
const SECRET_WORD = "pin|puk|otp|cvv|pass";
const SECRET = new RegExp(
  String.raw`("(?:[^"\\]{0,60}(?:${SECRET_PART})[^"\\]{0,60}|(?:[^"\\]{0,60}[_. -])?(?:${SECRET_WORD})(?:[_. -][^"\\]{0,60})?)"\s*:\s*)("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*)`,
  "gi",
);

/** What is kept of the beginning of a body, without what looks like a secret. */
function redacted(body: Uint8Array): Buffer {
  const start = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const text = start.toString("utf8");
  const told = text.replace(SECRET, '$1"…"');
  // Bytes that are no text stay as they are.
  return told === text ? start : Buffer.from(told);
}
