import type { PoolClient } from "pg";
import type { Channel, Oddness } from "@/server/domain/oddness/detector";
import { ODD_FROM } from "@/server/domain/oddness/detector";
import type { EpochMs } from "@/server/domain/terms";
import { timeText } from "@/server/postgres/time-text";

/** A step of a stretch. */
interface StretchStep {
  readonly at: EpochMs;
  readonly end: EpochMs;
  readonly odd: Oddness;
}

/** What has come to a stretch of a series. */
export interface StretchChange {
  readonly device: number;
  readonly metric: number;
  /** Start of its first step. */
  readonly from: EpochMs;
  readonly knownSince: EpochMs;
  readonly steps: StretchStep[];
}

interface Row {
  readonly device: number;
  readonly metric: number;
  readonly from: EpochMs;
  to: EpochMs;
  goesOn: boolean;
  score: number;
  peak: number;
  peakAt: EpochMs;
  channel: Channel;
  now: number;
  usual: number;
  farthest: number;
  readonly knownSince: EpochMs;
  stepEnds: number[];
  stepScores: number[];
  readonly said: string | null;
}

/** What people said of a stretch. */
export interface Label {
  readonly device: number;
  readonly metric: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly said: "normal" | "real";
}

const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;

/** What was said of these devices' stretches that reach beyond `after`. */
export async function readLabels(
  db: Pick<PoolClient, "query">,
  devices: readonly number[],
  after: EpochMs,
): Promise<readonly Label[]> {
  const { rows } = await db.query<Label>(
    `SELECT device_id AS device, metric_id AS metric, ${ms("from_time")} AS from, ${ms("to_time")} AS to, said
     FROM odd_stretch WHERE said IS NOT NULL AND device_id = ANY ($1::integer[]) AND to_time > $2::timestamptz - interval '1 day'`,
    [devices, timeText(after)],
  );
  return rows;
}

/**
 * Writes what has come to stretches. The same steps may come again after a worker was killed: they are taken once. A stretch that is found to begin
 * elsewhere, as the state was made again, goes on with the row there is.
 */
export async function writeStretches(tx: PoolClient, changes: readonly StretchChange[]): Promise<void> {
  if (changes.length === 0) return;
  const rows = await readRows(tx, changes);
  const written = new Map<string, Row>();
  for (const change of changes) {
    const { device, metric, from, steps } = change;
    const own = rows.filter((row) => row.device === device && row.metric === metric);
    const row =
      own.find((one) => one.from <= from && from < one.to) ?? own.find((one) => one.from === from) ?? newRow(change);
    // What people called normal is over.
    if (row.said === "normal") continue;
    let last = row.stepEnds.length === 0 ? -Infinity : row.from + row.stepEnds.at(-1)! * 1000;
    let isNew = false;
    for (const step of steps) {
      if (step.end <= last) continue;
      last = step.end;
      isNew = true;
      take(row, step);
    }
    if (!isNew) continue;
    if (!own.includes(row)) rows.push(row);
    written.set(`${device} ${metric} ${row.from}`, row);
  }
  await upsert(tx, [...written.values()]);
}

function newRow({ device, metric, from, knownSince, steps }: StretchChange): Row {
  const { channel, now, usual, farthest } = steps[0]!.odd;
  return {
    ...{ device, metric, from, to: from, goesOn: false, score: 0, peak: -1, peakAt: from },
    ...{ channel, now, usual, farthest, knownSince, stepEnds: [], stepScores: [], said: null },
  };
}

function take(row: Row, { at, end, odd }: StretchStep): void {
  row.score = odd.score;
  row.goesOn = odd.since !== null && odd.score >= ODD_FROM;
  row.stepEnds.push(Math.round((end - row.from) / 1000));
  row.stepScores.push(odd.score);
  if (row.goesOn) row.to = end;
  if (odd.score <= row.peak) return;
  row.peak = odd.score;
  row.peakAt = at;
  row.channel = odd.channel;
  [row.now, row.usual, row.farthest] = [odd.now, odd.usual, odd.farthest];
}

async function readRows(tx: PoolClient, changes: readonly StretchChange[]): Promise<Row[]> {
  const { rows } = await tx.query<Row>(
    `SELECT s.device_id AS device, s.metric_id AS metric, ${ms("s.from_time")} AS from, ${ms("s.to_time")} AS to, goes_on AS "goesOn", score, peak,
       ${ms("peak_at")} AS "peakAt", channel, now_value AS now, usual, farthest, ${ms("known_since")} AS "knownSince",
       step_ends AS "stepEnds", step_scores AS "stepScores", said
     FROM odd_stretch s JOIN unnest($1::integer[], $2::integer[], $3::timestamptz[]) AS n (device, metric, since)
       ON s.device_id = n.device AND s.metric_id = n.metric AND s.to_time >= n.since AND s.from_time <= n.since
     ORDER BY s.from_time FOR UPDATE OF s`,
    [
      changes.map(({ device }) => device),
      changes.map(({ metric }) => metric),
      changes.map(({ from }) => timeText(from)),
    ],
  );
  return rows;
}

async function upsert(tx: PoolClient, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const made = rows.map(({ from, to, peakAt, knownSince, goesOn, stepEnds, stepScores, now, ...row }) => ({
    ...{
      ...row,
      from_time: timeText(from),
      to_time: timeText(to),
      peak_at: timeText(peakAt),
      known_since: timeText(knownSince),
    },
    ...{ goes_on: goesOn, step_ends: stepEnds, step_scores: stepScores, now_value: now },
  }));
  const columns = [
    ...["from_time", "to_time", "goes_on", "score", "peak", "peak_at", "channel", "now_value", "usual", "farthest"],
    ...["known_since", "step_ends", "step_scores"],
  ];
  await tx.query(
    `INSERT INTO odd_stretch (device_id, metric_id, ${columns.join(", ")})
     SELECT n.device, n.metric, ${columns.map((column) => `n.${column}`).join(", ")}
     FROM json_to_recordset($1::json) AS n (device integer, metric integer, from_time timestamptz, to_time timestamptz, goes_on boolean, score real, peak real,
       peak_at timestamptz, channel text, now_value float8, usual float8, farthest float8, known_since timestamptz, step_ends integer[], step_scores real[])
     JOIN device d ON d.id = n.device JOIN metric m ON m.id = n.metric
     ON CONFLICT (device_id, metric_id, from_time) DO UPDATE SET
       ${columns
         .slice(1)
         .map((column) => `${column} = excluded.${column}`)
         .join(", ")}`,
    [JSON.stringify(made)],
  );
}
