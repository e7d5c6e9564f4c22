import type { Pool } from "pg";
import type { DeliveryRefusal } from "@/server/domain/source";
import type { EpochMs } from "@/server/domain/terms";

/** What doors have counted of one source since it was written last. */
interface DoorCounts {
  received: number;
  bytes: number;
  accepted: number;
  ignored: number;
  kept: number;
  readonly ignoredBy: Map<string, number>;
  readonly refused: Map<string, number>;
  firstSeen: EpochMs;
  lastSeen: EpochMs;
  lastError: LastError | null;
}

/** The latest thing that was refused. */
interface LastError extends DeliveryRefusal {
  /** When its delivery came, which its sample tells too. */
  readonly at: EpochMs;
}

/** What came of one delivery, as it is counted. */
export interface Counted {
  readonly at: EpochMs;
  readonly bytes: number;
  readonly accepted: number;
  readonly isIgnored: boolean;
  readonly isKept: boolean;
  /** How many values were left out by each rule. */
  readonly ignoredBy: ReadonlyMap<string, number>;
  readonly refused: Iterable<DeliveryRefusal>;
}

/** Counts what doors take, and writes it about once a second: a crash costs what was not written yet. */
export interface DoorCounting {
  /** @param source its name. */
  add(source: string, one: Counted): void;
  /** Writes what is left. */
  stop(): Promise<void>;
}

const WRITE_MS = 1000;
/** Different words that are counted apart; what a sender makes up beyond is counted as "other". */
const MOST_WORDS = 64;

/** @param onError is told when counts could not be written; they are written with the next. */
export function createDoorCounting(pool: Pool, onError: (error: unknown) => void): DoorCounting {
  let waiting = new Map<string, DoorCounts>();
  let writing = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  async function write(): Promise<void> {
    const counts = waiting;
    if (counts.size === 0) return;
    waiting = new Map();
    try {
      await writeCounts(pool, counts);
    } catch (error) {
      onError(error);
      for (const [name, one] of counts) {
        const since = waiting.get(name);
        waiting.set(name, since === undefined ? one : sumOf(one, since));
      }
      arm();
    }
  }

  function arm(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      writing = writing.then(write);
    }, WRITE_MS).unref();
  }

  return {
    add(source, one) {
      let counts = waiting.get(source);
      if (counts === undefined) waiting.set(source, (counts = nothing(one.at)));
      counts.received += 1;
      counts.bytes += one.bytes;
      counts.accepted += one.accepted;
      counts.ignored += one.isIgnored ? 1 : 0;
      counts.kept += one.isKept ? 1 : 0;
      counts.lastSeen = Math.max(counts.lastSeen, one.at);
      for (const [rule, count] of one.ignoredBy) addWord(counts.ignoredBy, rule, count);
      for (const { path, reason, detail } of one.refused) {
        addWord(counts.refused, reason, 1);
        counts.lastError = { at: one.at, path, reason, detail };
      }
      arm();
    },
    async stop() {
      clearTimeout(timer);
      await (writing = writing.then(write));
      clearTimeout(timer);
    },
  };
}

function nothing(at: EpochMs): DoorCounts {
  return {
    ...{ received: 0, bytes: 0, accepted: 0, ignored: 0, kept: 0, firstSeen: at, lastSeen: at, lastError: null },
    ...{ ignoredBy: new Map(), refused: new Map() },
  };
}

function addWord(counts: Map<string, number>, word: string, count: number): void {
  const name = counts.has(word) || counts.size < MOST_WORDS ? word : "other";
  counts.set(name, (counts.get(name) ?? 0) + count);
}

function sumOf(one: DoorCounts, since: DoorCounts): DoorCounts {
  for (const name of ["received", "bytes", "accepted", "ignored", "kept"] as const) since[name] += one[name];
  for (const name of ["ignoredBy", "refused"] as const)
    for (const [word, count] of one[name]) addWord(since[name], word, count);
  since.firstSeen = Math.min(since.firstSeen, one.firstSeen);
  since.lastError ??= one.lastError;
  return since;
}

async function writeCounts(pool: Pool, counts: ReadonlyMap<string, DoorCounts>): Promise<void> {
  const rows = [...counts].map(([name, { ignoredBy, refused, firstSeen, lastSeen, ...rest }]) => ({
    ...rest,
    name,
    ignoredBy: Object.fromEntries(ignoredBy),
    refused: Object.fromEntries(refused),
    firstSeen: new Date(firstSeen),
    lastSeen: new Date(lastSeen),
  }));
  await pool.query(
    `INSERT INTO source_count AS c (source_id, received, bytes, accepted, ignored, kept, ignored_by, refused, first_seen, last_seen, last_error)
     SELECT s.id, n.received, n.bytes, n.accepted, n.ignored, n.kept, n."ignoredBy", n.refused, n."firstSeen", n."lastSeen", n."lastError"
     FROM json_to_recordset($1) AS n (name text, received bigint, bytes bigint, accepted bigint, ignored bigint, kept bigint, "ignoredBy" jsonb,
       refused jsonb, "firstSeen" timestamptz, "lastSeen" timestamptz, "lastError" json)
     -- In one order and locked before their counts, as other processes write the same rows and a source may be removed meanwhile.
     JOIN (SELECT id, name FROM source WHERE name = ANY ($2::text[]) ORDER BY id FOR KEY SHARE) AS s USING (name) ORDER BY s.id
     ON CONFLICT (source_id) DO UPDATE SET
       received = c.received + excluded.received, bytes = c.bytes + excluded.bytes, accepted = c.accepted + excluded.accepted,
       ignored = c.ignored + excluded.ignored, kept = c.kept + excluded.kept,
       ignored_by = ${sumOfWords("ignored_by")}, refused = ${sumOfWords("refused")},
       first_seen = least(c.first_seen, excluded.first_seen), last_seen = greatest(c.last_seen, excluded.last_seen),
       last_error = coalesce(excluded.last_error, c.last_error)`,
    [JSON.stringify(rows), [...counts.keys()]],
  );
}

/** SQL for the sum of two objects of numbers, of as many words as there were and {@link MOST_WORDS} at most. */
function sumOfWords(column: string): string {
  return `(SELECT coalesce(jsonb_object_agg(word, count), '{}') FROM (
    SELECT CASE WHEN c.${column} ? word OR (SELECT count(*) FROM jsonb_object_keys(c.${column})) < ${MOST_WORDS} THEN word ELSE 'other' END AS word,
      sum(count::bigint) AS count
    FROM (SELECT * FROM jsonb_each_text(c.${column}) UNION ALL SELECT * FROM jsonb_each_text(excluded.${column})) AS each (word, count) GROUP BY 1) AS sums)`;
}

/** What doors and worker have counted of a source. */
export interface SourceTotals {
  readonly received: number;
  readonly bytes: number;
  readonly accepted: number;
  readonly ignored: number;
  readonly kept: number;
  readonly ignoredBy: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly firstSeen: EpochMs | null;
  readonly lastSeen: EpochMs | null;
  /** With the id of the sample of its delivery; null if none was kept, or is no more. */
  readonly lastError: (LastError & { readonly sample: number | null }) | null;
  readonly messages: number;
  readonly readings: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly deadLetters: number;
  /** Histograms of milliseconds, as server/domain/histogram.ts has them. */
  readonly behind: readonly number[];
  readonly ahead: readonly number[];
  /** Connected now; null where no process tells. */
  readonly clients: number | null;
  /** Longest pause between its last deliveries that are kept; null where those are too few. */
  readonly longestPauseMs: number | null;
}

/** What a process told of its clients counts for so long. */
const CLIENTS_SECONDS = 30;
/** The deliveries whose pauses are a rhythm: the last so many, and no fewer than these. */
const RHYTHM = { most: 20, fewest: 6 } as const;

/** SQL for the longest of a source's last pauses. */
const LONGEST_PAUSE = `(SELECT CASE WHEN count(*) >= ${RHYTHM.fewest} THEN (extract(epoch FROM max(pause)) * 1000)::float8 END FROM (
         SELECT at - lag(at) OVER (ORDER BY at) AS pause FROM (
           SELECT at FROM source_sample p WHERE p.source_id = s.id ORDER BY id DESC LIMIT ${RHYTHM.most}) AS last) AS pauses)`;

/** What is counted of these sources, by their numbers. */
export async function readTotals(pool: Pool, ids: readonly number[]): Promise<ReadonlyMap<number, SourceTotals>> {
  const { rows } = await pool.query<SourceTotals & { readonly id: number }>(
    `SELECT s.id, coalesce(c.received, 0)::float8 AS received, coalesce(c.bytes, 0)::float8 AS bytes, coalesce(c.accepted, 0)::float8 AS accepted,
       coalesce(c.ignored, 0)::float8 AS ignored, coalesce(c.kept, 0)::float8 AS kept, coalesce(c.ignored_by, '{}') AS "ignoredBy",
       coalesce(c.refused, '{}') AS refused, (extract(epoch FROM c.first_seen) * 1000)::float8 AS "firstSeen",
       (extract(epoch FROM c.last_seen) * 1000)::float8 AS "lastSeen", c.last_error::jsonb || jsonb_build_object('sample',
         (SELECT max(p.id) FROM source_sample p WHERE p.source_id = s.id AND p.is_refused
            AND p.at = to_timestamp((c.last_error->>'at')::float8 / 1000)::timestamptz(3))) AS "lastError",
       coalesce(w.messages, 0)::float8 AS messages, coalesce(w.readings, 0)::float8 AS readings, coalesce(w.duplicates, 0)::float8 AS duplicates,
       coalesce(w.conflicts, 0)::float8 AS conflicts, coalesce(w.dead_letters, 0)::float8 AS "deadLetters",
       (SELECT coalesce(array_agg(sum::float8 ORDER BY i), '{}') FROM (SELECT i, sum(n) FROM source_commit p, unnest(p.behind) WITH ORDINALITY AS u (n, i)
         WHERE p.source_id = s.id GROUP BY i) AS b) AS behind,
       (SELECT coalesce(array_agg(sum::float8 ORDER BY i), '{}') FROM (SELECT i, sum(n) FROM source_commit p, unnest(p.ahead) WITH ORDINALITY AS u (n, i)
         WHERE p.source_id = s.id GROUP BY i) AS a) AS ahead,
       (SELECT sum(clients)::float8 FROM source_client k WHERE k.source_id = s.id AND k.at > now() - interval '${CLIENTS_SECONDS} s') AS clients,
       ${LONGEST_PAUSE} AS "longestPauseMs"
     FROM source s LEFT JOIN source_count c ON c.source_id = s.id
     LEFT JOIN (SELECT source_id, sum(messages) AS messages, sum(readings) AS readings, sum(duplicates) AS duplicates, sum(conflicts) AS conflicts,
       sum(dead_letters) AS dead_letters FROM source_commit GROUP BY source_id) AS w ON w.source_id = s.id
     WHERE s.id = ANY ($1::integer[])`,
    [ids],
  );
  return new Map(rows.map(({ id, ...totals }) => [id, totals]));
}

/** What health goes by, of all sources that are enabled and have sent something: one question, of bounded work a source. */
export async function readRhythms(pool: Pool): Promise<
  readonly (Pick<SourceTotals, "received" | "accepted" | "longestPauseMs"> & {
    readonly source: string;
    readonly refused: number;
    readonly firstSeen: EpochMs;
    readonly lastSeen: EpochMs;
    readonly lastError: LastError | null;
    readonly updatedAt: EpochMs;
  })[]
> {
  const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;
  const { rows } = await pool.query(
    `SELECT s.name AS source, c.received::float8 AS received, c.accepted::float8 AS accepted, c.last_error AS "lastError",
       (SELECT coalesce(sum(n::bigint), 0)::float8 FROM jsonb_each_text(c.refused) AS r (word, n)) AS refused,
       ${ms("c.first_seen")} AS "firstSeen", ${ms("c.last_seen")} AS "lastSeen", ${ms("s.updated_at")} AS "updatedAt",
       ${LONGEST_PAUSE} AS "longestPauseMs"
     FROM source s JOIN source_count c ON c.source_id = s.id WHERE s.enabled AND c.received > 0 AND c.last_seen IS NOT NULL`,
  );
  return rows;
}

/** Tells how many clients this process holds of each source; what it told before is replaced. */
export async function writeClients(pool: Pool, process: string, clients: ReadonlyMap<number, number>): Promise<void> {
  await pool.query(
    `WITH gone AS (DELETE FROM source_client WHERE process = $1 AND NOT source_id = ANY ($2::integer[]) OR at < now() - interval '1 hour')
     INSERT INTO source_client (source_id, process, clients, at)
     SELECT s.id, $1, n.clients, now() FROM unnest($2::integer[], $3::integer[]) AS n (id, clients) JOIN source s ON s.id = n.id
     ON CONFLICT (source_id, process) DO UPDATE SET clients = excluded.clients, at = excluded.at`,
    [process, [...clients.keys()], [...clients.values()]],
  );
}

/** Counts of the sources that delivered most, at most `limit`; and how many sources and clients there are. */
export async function readSourceCounts(
  pool: Pool,
  limit: number,
): Promise<{
  readonly sources: readonly {
    readonly source: string;
    readonly received: number;
    readonly accepted: number;
    readonly refused: number;
  }[];
  readonly enabled: number;
  readonly disabled: number;
  readonly clients: number;
}> {
  const { rows } = await pool.query(
    `SELECT (SELECT count(*)::integer FROM source WHERE enabled) AS enabled, (SELECT count(*)::integer FROM source WHERE NOT enabled) AS disabled,
       (SELECT coalesce(sum(clients), 0)::integer FROM source_client WHERE at > now() - interval '${CLIENTS_SECONDS} s') AS clients,
       coalesce((SELECT json_agg(m) FROM (SELECT s.name AS source, c.received, c.accepted,
         (SELECT coalesce(sum(n::bigint), 0) FROM jsonb_each_text(c.refused) AS r (word, n)) AS refused
         FROM source_count c JOIN source s ON s.id = c.source_id ORDER BY c.received DESC, s.id LIMIT $1) AS m), '[]') AS sources`,
    [limit],
  );
  return rows[0];
}
