import type { Pool, PoolClient } from "pg";
import type { TextRun } from "@/server/domain/text-runs";
import type { EpochMs } from "@/server/domain/terms";
import { originalText } from "@/server/postgres/text";
import { timeText } from "@/server/postgres/time-text";

const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;
/** The columns of a run, as {@link runOf} takes them. */
export const RUN = `${ms("from_time")} AS "from", ${ms("to_time")} AS "to", value, ${ms("quiet_after")} AS after, ${ms("quiet_before")} AS before`;

/** A row of those columns. */
export interface RunRow {
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly value: string | null;
  readonly after: EpochMs | null;
  readonly before: EpochMs | null;
}

/** A run as it was before it was stored. */
export function runOf({ from, to, value, after, before }: RunRow): TextRun {
  return {
    ...{ from, to, value: value === null ? null : originalText(value) },
    quiet: after === null || before === null ? null : [after, before],
  };
}

/** SQL of the text fields of a device that have a history, one step in the index each. */
export const fieldsOf = (device: string) => `WITH RECURSIVE own (field) AS (
    (SELECT field FROM text_run WHERE device_id = ${device} ORDER BY field LIMIT 1)
    UNION ALL
    SELECT (SELECT t.field FROM text_run t WHERE t.device_id = ${device} AND t.field > own.field ORDER BY t.field LIMIT 1)
    FROM own WHERE own.field IS NOT NULL)
  SELECT field FROM own WHERE field IS NOT NULL`;

/** Runs of a field that are read at most: the newest. */
const MOST_READ = 500;

/** One text field of a device over a stretch. */
export interface TextHistory {
  readonly field: string;
  /** In order of time: those that begin within the stretch, and the last that began before it. */
  readonly runs: readonly TextRun[];
  /** True if there are more, of before the first of these. */
  readonly more: boolean;
}

/** Reads what a device said in words from `from` to before `to`, field by field. */
export async function readTextRuns(
  tx: PoolClient,
  { device, from, to }: { readonly device: number; readonly from: EpochMs; readonly to: EpochMs },
): Promise<readonly TextHistory[]> {
  const { rows } = await tx.query<RunRow & { readonly field: string }>(
    `SELECT s.field, r.* FROM (${fieldsOf("$1")}) AS s CROSS JOIN LATERAL (
       (SELECT ${RUN} FROM text_run WHERE device_id = $1 AND field = s.field AND from_time > $2 AND from_time < $3
        ORDER BY from_time DESC LIMIT ${MOST_READ + 1})
       UNION ALL
       (SELECT ${RUN} FROM text_run WHERE device_id = $1 AND field = s.field AND from_time <= $2 ORDER BY from_time DESC LIMIT 1)) AS r
     ORDER BY s.field, r.from DESC`,
    [device, timeText(from), timeText(to)],
  );
  const byField = new Map<string, TextRun[]>();
  for (const { field, ...row } of rows) {
    const runs = byField.get(field);
    if (runs) runs.push(runOf(row));
    else byField.set(field, [runOf(row)]);
  }
  return [...byField].map(([field, runs]) => ({
    ...{ field, runs: runs.slice(0, MOST_READ).reverse(), more: runs.length > MOST_READ },
  }));
}

/** Rows of a download that are read at a time. */
const PAGE = 5000;

/** What a download of words is of; left out: all fields, and all that is kept. */
interface TextExport {
  readonly fields?: readonly string[] | undefined;
  /** Runs that touch [from, to). */
  readonly from?: EpochMs | undefined;
  readonly to?: EpochMs | undefined;
}

/** What is kept of what a device said in words, field by field in order of time, however much it is. */
export async function* exportTextRuns(
  pool: Pool,
  device: number,
  { fields, from, to }: TextExport = {},
): AsyncGenerator<Pick<TextRun, "from" | "to" | "value"> & { readonly field: string }> {
  for (let after: readonly [field: string, from: EpochMs] = ["", 0]; ;) {
    const { rows } = await pool.query<RunRow & { readonly field: string }>(
      `SELECT field, ${RUN} FROM text_run WHERE device_id = $1 AND (field, from_time) > ($2, $3) AND ($4::text[] IS NULL OR field = ANY ($4))
         AND ($5::timestamptz IS NULL OR to_time >= $5) AND ($6::timestamptz IS NULL OR from_time < $6)
       ORDER BY field, from_time LIMIT ${PAGE}`,
      [
        device,
        after[0],
        timeText(after[1]),
        fields ?? null,
        ...[from, to].map((time) => (time === undefined ? null : timeText(time))),
      ],
    );
    for (const { field, ...row } of rows) yield { field, ...runOf(row) };
    if (rows.length < PAGE) return;
    after = [rows.at(-1)!.field, rows.at(-1)!.from];
  }
}
