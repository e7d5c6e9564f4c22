import type { Pool } from "pg";
import type { DeadLetterReason } from "@/server/domain/reasons";
import { nameFinder } from "@/server/domain/erased";
import type { RefusedDelivery } from "@/server/domain/source-mark";
import {
  countsByJob,
  countsOf,
  DEAD_LETTER_STATUSES,
  type DeadLetterEvent,
  type DeadLetterFilter,
  type DeadLetters,
  type DeadLetterStatus,
  type KeptDeadLetter,
  MOST_EVENTS,
} from "@/server/ports/dead-letters";
import { findGroups } from "./dead-letters/groups";
import { insertLetters } from "./dead-letters/insert";
import { dropDeadLetterMonth, eachMonth, monthOf, readMonths, lockMonths } from "@/server/postgres/months";
import { withTransaction } from "@/server/postgres/transaction";
import { originalText, storableText } from "@/server/postgres/text";

/** A condition that is always true; with it, all letters can be counted in the index that begins with the status. */
const ANY_STATUS = `status = ANY ('{${DEAD_LETTER_STATUSES.join()}}')`;

/** Dead letters in a table of PostgreSQL. Words from outside are stored with NULs and lone surrogates escaped. */
export function createPostgresDeadLetters(pool: Pool): DeadLetters {
  return {
    store: (letters) => insertLetters(pool, letters),

    async find({ limit, ids, after, ...filter }) {
      const parameters: unknown[] = [limit];
      const parameter = (value: unknown) => `$${parameters.push(value)}`;
      const conditions = conditionsOf(filter, parameter);
      if (ids !== undefined) conditions.push(`id = ANY (${parameter(ids)}::text[])`);
      if (after !== undefined)
        conditions.push(
          `(ingest_time, id) < (${moment(parameter(after.ingestTime))}, ${parameter(after.id)} COLLATE "C")`,
        );
      const { rows } = await pool.query<Row>(
        `SELECT id, log, partition, "offset", reason, detail, device, field, ingest_time, processed_time, raw,
                status, sender_site, resend_of, resent_as, resends, history, changed_at, source, delivery
         FROM dead_letter ${where(conditions)} ORDER BY ingest_time DESC, id DESC LIMIT $1`,
        parameters,
      );
      return rows.map(letterOf);
    },

    async count(filter) {
      const parameters: unknown[] = [];
      const conditions = conditionsOf(filter, (value) => `$${parameters.push(value)}`);
      if (filter.job === undefined && filter.status === undefined) conditions.push(ANY_STATUS);
      // Whether a resend was refused is in the table only, so that is asked where it can be.
      const refused = filter.job === undefined ? "false" : "resent_as IS NOT NULL AND status = 'resent'";
      const { rows } = await pool.query<{ status: DeadLetterStatus; refused: boolean; count: number }>(
        `SELECT status, ${refused} AS refused, count(*)::integer AS count FROM dead_letter ${where(conditions)} GROUP BY 1, 2`,
        parameters,
      );
      return countsOf(rows);
    },

    async countByJob(jobs) {
      const { rows } = await pool.query<{ job: string; status: DeadLetterStatus; refused: boolean; count: number }>(
        `SELECT job, status, resent_as IS NOT NULL AND status = 'resent' AS refused, count(*)::integer AS count
         FROM dead_letter WHERE job = ANY ($1::text[]) GROUP BY 1, 2, 3`,
        [jobs],
      );
      return countsByJob(rows);
    },

    groups({ limit, trendFrom, ...filter }) {
      const parameters: unknown[] = [];
      const conditions = conditionsOf(filter, (value) => `$${parameters.push(value)}`);
      if (filter.status === undefined) conditions.push(ANY_STATUS);
      return findGroups(pool, { where: where(conditions), parameters, limit, trendFrom });
    },

    async change(changes) {
      if (changes.length === 0) return new Set();
      const { rows } = await pool.query<{ id: string }>(
        `UPDATE dead_letter d
         SET status = c.status, resends = d.resends + c.sends, resent_as = coalesce(c.resent_as, d.resent_as),
             job = coalesce(c.job, d.job), changed_at = to_timestamp(c.time / 1000),
             history = (d.history || c.event)[greatest(1, cardinality(d.history) + ${2 - MOST_EVENTS}):]
         FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::int[], $6::text[], $7::text[], $8::float8[], $9::text[])
           AS c (id, sources, resends, status, sends, resent_as, job, time, event)
         WHERE d.id = c.id AND d.status = ANY (string_to_array(c.sources, ',')) AND d.resends = c.resends
         RETURNING d.id`,
        [
          changes.map(({ id }) => id),
          changes.map(({ from }) => from.join(",")),
          changes.map(({ resends }) => resends),
          changes.map(({ to }) => to),
          changes.map(({ sends }) => (sends === true ? 1 : 0)),
          changes.map(({ resentAs }) => resentAs ?? null),
          changes.map(({ job }) => job ?? null),
          changes.map(({ event }) => event.time),
          changes.map(({ event }) => JSON.stringify(event)),
        ],
      );
      return new Set(rows.map(({ id }) => id));
    },

    async removeBefore(before, limit) {
      const { rowCount } = await pool.query(
        `DELETE FROM dead_letter_other WHERE status <> 'resending' AND id = ANY (ARRAY (
           SELECT id FROM dead_letter_other WHERE ingest_time < ${moment("$1")} AND status <> 'resending'
           ORDER BY ingest_time, id LIMIT $2))`,
        [before, limit],
      );
      let removed = rowCount ?? 0;
      if (removed >= limit) return removed;
      const months = (await readMonths(pool, ["dead_letter"])).filter(({ month }) => month < monthOf(before));
      await eachMonth(months, async ({ month }) => {
        removed += await withTransaction(pool, async (tx) => {
          await lockMonths(tx);
          return dropDeadLetterMonth(tx, month);
        });
      });
      return removed;
    },

    async erase(device) {
      const ids = await idsOf(pool, device);
      for (let at = 0; at < ids.length; at += ERASED_AT_ONCE)
        await pool.query("DELETE FROM dead_letter WHERE id = ANY ($1::text[])", [ids.slice(at, at + ERASED_AT_ONCE)]);
      return ids.length;
    },

    countOf: async (device) => (await idsOf(pool, device)).length,
  };
}

const ERASED_AT_ONCE = 1000;

/** The dead letters of a device, and of those whose device could not be read the ones that hold its name. */
async function idsOf(pool: Pool, device: string): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>("SELECT id FROM dead_letter WHERE device = $1", [
    storableText(device),
  ]);
  const ids = rows.map(({ id }) => id);
  const holds = nameFinder(device);
  for (let after: string | null = null; ;) {
    const { rows: unread }: { rows: { id: string; raw: Buffer; words: string }[] } = await pool.query(
      `SELECT id, raw, concat_ws(' ', detail, delivery::text, array_to_string(history, ' ')) AS words FROM dead_letter
       WHERE device IS NULL AND ($1::text IS NULL OR id > $1 COLLATE "C") ORDER BY id COLLATE "C" LIMIT ${ERASED_AT_ONCE}`,
      [after],
    );
    for (const { id, raw, words } of unread) if (holds(raw) || holds(Buffer.from(words))) ids.push(id);
    if (unread.length < ERASED_AT_ONCE) return ids;
    after = unread.at(-1)!.id;
  }
}

/** Writes SQL for a moment given in epoch milliseconds. */
function moment(parameter: string): string {
  return `to_timestamp(${parameter}::float8 / 1000)::timestamptz(3)`;
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
}

function conditionsOf(
  { sites, status, reason, device, field, source, until, job }: DeadLetterFilter,
  parameter: (value: unknown) => string,
): string[] {
  const words = (column: string, value: string | null | undefined) => {
    if (value === undefined) return [];
    return [value === null ? `${column} IS NULL` : `${column} = ${parameter(storableText(value))}`];
  };
  return [
    ...(sites === "all" ? [] : [atSites(parameter(sites))]),
    ...(status === undefined ? [] : [`status = ${parameter(status)}`]),
    ...(reason === undefined ? [] : [`reason = ${parameter(reason)}`]),
    ...words("device", device),
    ...words("field", field),
    ...(source === undefined ? [] : [`source = ${parameter(source)}`]),
    ...(until === undefined ? [] : [`ingest_time <= ${moment(parameter(until))}`]),
    ...(job === undefined ? [] : [`job = ${parameter(job)}`]),
  ];
}

function atSites(parameter: string): string {
  const names = (table: string) => `(SELECT name FROM ${table} WHERE site_id = ANY (${parameter}::integer[]))`;
  return `(device IN ${names("device")} OR (device IS NULL AND source IN ${names("source")}))`;
}

interface Row {
  readonly id: string;
  readonly log: string;
  readonly partition: number;
  readonly offset: string;
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly device: string | null;
  readonly field: string | null;
  readonly ingest_time: Date;
  readonly processed_time: Date;
  readonly raw: Buffer;
  readonly status: DeadLetterStatus;
  readonly sender_site: string | null;
  readonly resend_of: string | null;
  readonly resent_as: string | null;
  readonly resends: number;
  readonly history: readonly string[];
  readonly changed_at: Date | null;
  readonly source: string | null;
  readonly delivery: RefusedDelivery | null;
}

function letterOf(row: Row): KeptDeadLetter {
  return {
    id: row.id,
    position: { log: row.log, partition: row.partition, offset: Number(row.offset) },
    reason: row.reason,
    detail: originalText(row.detail),
    device: row.device === null ? null : originalText(row.device),
    field: row.field === null ? null : originalText(row.field),
    ingestTime: row.ingest_time.getTime(),
    processedTime: row.processed_time.getTime(),
    raw: row.raw,
    status: row.status,
    senderSite: row.sender_site,
    resendOf: row.resend_of,
    resentAs: row.resent_as,
    resends: row.resends,
    history: row.history.map((event) => JSON.parse(event) as DeadLetterEvent),
    changedAt: row.changed_at?.getTime() ?? null,
    source: row.source,
    delivery: row.delivery,
  };
}
