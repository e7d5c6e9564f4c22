import type { PoolClient } from "pg";
import { emptyRollup, mergeRollup, type Rollup } from "@/server/domain/rollup";
import type { EpochMs } from "@/server/domain/terms";
import { binaryRows, copyBinary } from "@/server/postgres/copy";
import type { Job, JobContext } from "@/server/postgres/job";
import { addRollup, COLUMNS } from "./rollups";

/** A quarter of a day, in ms: the width of the widest rollups. */
export const QUARTER = 6 * 3_600_000;
const HOUR = 3_600_000;
/** Quarters made in one step: it holds their devices' rows for a tenth of a second or so. */
const TOGETHER = 200;

/**
 * The job that makes quarters from their hours. A quarter is due from the moment one of its hours changes, which the table of hours notes by itself;
 * until it is made, whoever reads takes its hours.
 */
export function quarterJob(): Job {
  return {
    name: "readings-quarters",
    title: "Rollups of six hours",
    about: "Makes rollups of a quarter of a day from the hours, so that months of many devices are read at once.",
    counts: { one: "quarter made", many: "quarters made" },
    everyMs: 10 * 60_000,
    limitMs: null,
    run: makeQuarters,
  };
}

interface Place {
  readonly device: number;
  readonly bucket: EpochMs;
}

/** Goes once through the quarters that are due and have been over for an hour, so that all of theirs are merged, by device and time. */
async function makeQuarters(ctx: JobContext): Promise<void> {
  let { done } = ctx.run;
  for (let after: Place | null = { device: 0, bucket: 0 }; after !== null;) {
    const from: Place = after;
    await ctx.step(async (tx) => {
      const due = await lockDue(tx, from, ctx.now - QUARTER - HOUR);
      await remake(tx, due);
      done += due.length;
      after = due.length < TOGETHER ? null : due.at(-1)!;
      return { done };
    });
  }
}

/** The next quarters that are due and began before `until`. Their devices' rows are locked, and so nothing changes their hours. */
async function lockDue(tx: PoolClient, { device, bucket }: Place, until: EpochMs): Promise<Place[]> {
  const { rows } = await tx.query<Place>(
    `SELECT device_id AS device, (extract(epoch FROM bucket) * 1000)::float8 AS bucket FROM quarter_due
     WHERE (device_id, bucket) > ($1, $2) AND bucket < $3 ORDER BY device_id, bucket LIMIT ${TOGETHER}`,
    [device, new Date(bucket), new Date(until)],
  );
  await tx.query(`SELECT FROM device WHERE id = ANY ($1::integer[]) ORDER BY id FOR NO KEY UPDATE`, [
    [...new Set(rows.map((one) => one.device))],
  ]);
  return rows;
}

async function remake(tx: PoolClient, due: readonly Place[]): Promise<void> {
  if (due.length === 0) return;
  const keys = [due.map(({ device }) => device), due.map(({ bucket }) => new Date(bucket))];
  const these = "unnest($1::integer[], $2::timestamptz[]) AS k (device_id, bucket)";
  for (const table of ["quarter_due", "rollup_quarter"])
    await tx.query(
      `DELETE FROM ${table} AS t USING ${these} WHERE t.device_id = k.device_id AND t.bucket = k.bucket`,
      keys,
    );
  const { rows } = await tx.query<Rollup & { device: number; quarter: EpochMs }>(
    `SELECT k.device_id AS device, (extract(epoch FROM k.bucket) * 1000)::float8 AS quarter, (extract(epoch FROM r.bucket) * 1000)::float8 AS start,
       r.metrics, r.counts, r.sums, r.mins, r.maxs, r.firsts, r.first_at AS "firstAt", r.lasts, r.last_at AS "lastAt"
     FROM ${these} JOIN rollup_hour r ON r.device_id = k.device_id AND r.bucket >= k.bucket AND r.bucket < k.bucket + interval '6 hours'
       AND r.bucket >= (SELECT min(b) FROM unnest($2::timestamptz[]) AS b)
       AND r.bucket < (SELECT max(b) FROM unnest($2::timestamptz[]) AS b) + interval '6 hours'
     ORDER BY 1, r.bucket`,
    keys,
  );
  const made = binaryRows();
  let [device, quarter]: [number, Rollup | null] = [0, null];
  for (const hour of rows) {
    if (quarter === null || hour.device !== device || hour.quarter !== quarter.start) {
      if (quarter) addRollup(made, device, quarter);
      [device, quarter] = [hour.device, emptyRollup(hour.quarter)];
    }
    mergeRollup(quarter, hour);
  }
  if (quarter) addRollup(made, device, quarter);
  if (made.count > 0) await copyBinary(tx, `rollup_quarter (device_id, bucket, ${COLUMNS.join(", ")})`, made);
}

/** Removes the quarters before a time: whole months of hours went. */
export async function removeQuarters(tx: PoolClient, before: EpochMs): Promise<void> {
  await tx.query("DELETE FROM quarter_due WHERE bucket < $1", [new Date(before)]);
  await tx.query("DELETE FROM rollup_quarter WHERE bucket < $1", [new Date(before)]);
}
