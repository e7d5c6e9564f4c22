import type { PoolClient } from "pg";
import { addTexts, dayOf, mostRuns, TEXT_RUNS, type TextRun } from "@/server/domain/text-runs";
import type { EpochMs } from "@/server/domain/terms";
import type { CommitBatch } from "@/server/ports/commit-batch";
import { prepared } from "@/server/postgres/prepared";
import { storableText } from "@/server/postgres/text";
import { timeText } from "@/server/postgres/time-text";
import { fieldsOf, RUN, runOf, type RunRow } from "./text-history";

/** One text field of a device, with what came of it. */
interface TextSeries {
  readonly device: number;
  readonly field: string;
  readonly texts: (readonly [time: EpochMs, value: string])[];
  first: EpochMs;
  last: EpochMs;
}

interface Changed extends TextSeries {
  readonly before: readonly TextRun[];
  readonly after: readonly TextRun[];
}

/**
 * Adds what messages say in words to the runs of their fields. The devices' rows are locked, so that nobody else does at once; messages that come
 * again change nothing. A batch without texts asks for nothing.
 */
export async function addTextRuns(tx: PoolClient, { messages }: CommitBatch): Promise<void> {
  const series = seriesOf(messages);
  if (series.length === 0) return;
  const stored = await readAround(tx, series);
  const changed = series.map((one, i): Changed => {
    const before = stored[i]!;
    return { ...one, before, after: addTexts(before, one.texts) };
  });
  await write(tx, await withinRoom(tx, changed));
}

function seriesOf(messages: CommitBatch["messages"]): TextSeries[] {
  const byName = new Map<string, TextSeries>();
  for (const { deviceId: device, message, texts } of messages) {
    const time = message.eventTime;
    for (const [field, text] of texts) {
      const name = `${device} ${field}`;
      let one = byName.get(name);
      if (!one) byName.set(name, (one = { device, field, texts: [], first: time, last: time }));
      one.texts.push([time, text]);
      one.first = Math.min(one.first, time);
      one.last = Math.max(one.last, time);
    }
  }
  return [...byName.values()];
}

const DAY = 86_400_000;
const OWN = "device_id = s.device AND field = s.field";
const READ_AROUND = prepared(
  `SELECT s.n::integer - 1 AS place, r.*
   FROM unnest($1::integer[], $2::text[], $3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY AS s (device, field, first, last, n)
   CROSS JOIN LATERAL (
     (SELECT ${RUN} FROM text_run WHERE ${OWN} AND from_time <= s.first ORDER BY from_time DESC LIMIT 2)
     UNION ALL
     (SELECT ${RUN} FROM text_run WHERE ${OWN} AND from_time > s.first AND from_time <= s.last)
     UNION ALL
     (SELECT ${RUN} FROM text_run WHERE ${OWN} AND from_time > s.last ORDER BY from_time LIMIT 1)) AS r`,
);

/** The runs of each series that its messages may change, with those beside them, in order of time. */
async function readAround(tx: PoolClient, series: readonly TextSeries[]): Promise<readonly TextRun[][]> {
  const { rows } = await tx.query<RunRow & { readonly place: number }>(
    READ_AROUND([
      series.map(({ device }) => device),
      series.map(({ field }) => field),
      series.map(({ first }) => timeText(first)),
      series.map(({ last }) => timeText(last)),
    ]),
  );
  const found = series.map((): TextRun[] => []);
  for (const { place, ...row } of rows) found[place]!.push(runOf(row));
  for (const runs of found) runs.sort((a, b) => a.from - b.from);
  return found;
}

const COUNT_FIELDS = prepared(
  `SELECT s.device, (SELECT count(*)::integer FROM (${fieldsOf("s.device")}) AS f) AS fields FROM unnest($1::integer[]) AS s (device)`,
);
const COUNT_RUNS = prepared(
  `SELECT (SELECT count(*)::integer FROM text_run WHERE ${OWN} AND from_time >= s.first AND from_time < s.last) AS runs
   FROM unnest($1::integer[], $2::text[], $3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY AS s (device, field, first, last, n)
   ORDER BY n`,
);

/** Keeps those that would have more runs than before within what there may be: see TEXT_RUNS. */
async function withinRoom(tx: PoolClient, changed: readonly Changed[]): Promise<readonly Changed[]> {
  const refused = await withoutRoom(tx, changed);
  const kept = refused.size === 0 ? changed : changed.filter((one) => !refused.has(one));
  const growing = kept.filter(({ before, after }) => after.length > before.length);
  if (growing.length === 0) return kept;
  const { rows } = await tx.query<{ readonly runs: number }>(
    COUNT_RUNS([
      growing.map(({ device }) => device),
      growing.map(({ field }) => field),
      growing.map(({ first }) => timeText(dayOf(first))),
      growing.map(({ last }) => timeText(dayOf(last) + DAY)),
    ]),
  );
  const room = new Map(growing.map((one, i) => [one, mostRuns(one.first, one.last) - rows[i]!.runs]));
  return kept.map((one) => {
    const left = room.get(one) ?? Infinity;
    const { before, after, texts } = one;
    return after.length - before.length <= left ? one : { ...one, after: addTexts(before, texts, left) };
  });
}

/** The new fields of devices that have as many with a history as there may be. */
async function withoutRoom(tx: PoolClient, changed: readonly Changed[]): Promise<ReadonlySet<Changed>> {
  const fresh = changed.filter(({ before }) => before.length === 0);
  if (fresh.length === 0) return new Set();
  const devices = [...new Set(fresh.map(({ device }) => device))];
  const { rows } = await tx.query<{ readonly device: number; readonly fields: number }>(COUNT_FIELDS([devices]));
  const fields = new Map(rows.map((row) => [row.device, row.fields]));
  return new Set(
    fresh.filter(({ device }) => {
      const there = fields.get(device)!;
      fields.set(device, there + 1);
      return there >= TEXT_RUNS.fields;
    }),
  );
}

/** Writes what has changed of the runs, in the order of their key, so that a table's pages are gone through once. */
async function write(tx: PoolClient, changed: readonly Changed[]): Promise<void> {
  const gone: [device: number, field: string, from: EpochMs][] = [];
  const rows: (readonly [device: number, field: string, run: TextRun])[] = [];
  for (const { device, field, before, after } of changed) {
    const same = new Set(before);
    for (const run of after) if (!same.has(run)) rows.push([device, field, run]);
    const left = new Set(after.map(({ from }) => from));
    for (const { from } of before) if (!left.has(from)) gone.push([device, field, from]);
  }
  if (gone.length > 0)
    await tx.query(
      `DELETE FROM text_run r USING unnest($1::integer[], $2::text[], $3::timestamptz[]) AS g (device, field, "from")
       WHERE r.device_id = g.device AND r.field = g.field AND r.from_time = g.from`,
      [gone.map(([device]) => device), gone.map(([, field]) => field), gone.map(([, , from]) => timeText(from))],
    );
  if (rows.length === 0) return;
  rows.sort(([a, x, p], [b, y, q]) => a - b || (x < y ? -1 : x > y ? 1 : p.from - q.from));
  const runs = rows.map(([, , run]) => run);
  await tx.query(
    WRITE([
      rows.map(([device]) => device),
      rows.map(([, field]) => field),
      runs.map(({ from }) => timeText(from)),
      runs.map(({ to }) => timeText(to)),
      runs.map(({ value }) => (value === null ? null : storableText(value))),
      runs.map(({ quiet }) => quiet && timeText(quiet[0])),
      runs.map(({ quiet }) => quiet && timeText(quiet[1])),
    ]),
  );
}

const WRITE = prepared(
  `INSERT INTO text_run (device_id, field, from_time, to_time, value, quiet_after, quiet_before)
   SELECT * FROM unnest($1::integer[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::timestamptz[], $7::timestamptz[])
   ON CONFLICT (device_id, field, from_time) DO UPDATE SET
     to_time = excluded.to_time, value = excluded.value, quiet_after = excluded.quiet_after, quiet_before = excluded.quiet_before`,
);
