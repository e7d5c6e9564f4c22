import pg from "pg";
import { faultsOfReadings } from "@/server/testing/kept-readings";

/** Totals of what lies in the tables, and how many rollups differ from a recount of the readings. */
export interface Recount {
  readonly readings: number;
  readonly minuteCounts: number;
  readonly hourCounts: number;
  readonly wrongMinutes: number;
  readonly wrongHours: number;
  /** What else isn't as it must be of blocks, rollups and the counts of sources, in words. */
  readonly faults: readonly string[];
}

// Sums are added in another order here than in the pipeline, so they may differ in the last digits.
const differing = (view: string, unit: string) => `
  WITH recount AS (
    SELECT device, metric, date_trunc('${unit}', time, 'UTC') AS bucket, count(*) AS count, sum(value) AS sum, sum(abs(value)) AS size, min(value) AS min, max(value) AS max,
      (array_agg(value ORDER BY time))[1] AS first, (array_agg(value ORDER BY time DESC))[1] AS last
    FROM reading GROUP BY 1, 2, 3)
  SELECT count(*)::int AS n FROM recount a FULL JOIN ${view} b USING (device, metric, bucket)
  WHERE a.count IS DISTINCT FROM b.count OR a.min IS DISTINCT FROM b.min OR a.max IS DISTINCT FROM b.max
     OR a.first IS DISTINCT FROM b.first OR a.last IS DISTINCT FROM b.last
     OR (abs(a.sum - b.sum) <= 1e-9 * greatest(a.size, 1e-300)) IS NOT TRUE`;

const COUNTED = ["messages", "readings", "duplicates", "conflicts", "dead_letters"]
  .map((name) => `coalesce(sum(${name}), 0)`)
  .join(", ");
const SOURCES_DIFFER = `SELECT count(*) AS n FROM (SELECT ${COUNTED} FROM pipeline_position EXCEPT SELECT ${COUNTED} FROM source_commit) AS d`;

export const SOURCES_APART = "the counts of sources don't add up to those of the positions";

/** Counts again from the readings, in SQL, past the product's own code. */
export async function recount(connectionString: string): Promise<Recount> {
  const client = new pg.Client({ connectionString });
  client.on("error", () => {});
  await client.connect();
  const number = async (sql: string) => Number((await client.query<{ n: string }>(sql)).rows[0]?.n ?? NaN);
  try {
    return {
      readings: await number("SELECT count(*) AS n FROM reading"),
      minuteCounts: await number("SELECT coalesce(sum(count), 0) AS n FROM reading_minute"),
      hourCounts: await number("SELECT coalesce(sum(count), 0) AS n FROM reading_hour"),
      wrongMinutes: await number(differing("reading_minute", "minute")),
      wrongHours: await number(differing("reading_hour", "hour")),
      faults: [...(await faultsOfReadings(client)), ...((await number(SOURCES_DIFFER)) === 0 ? [] : [SOURCES_APART])],
    };
  } finally {
    await client.end();
  }
}
