import type { PoolClient } from "pg";
import { merge, type Message, METRICS, type Rollup, rollUp } from "./layout-data";

/** One way readings and rollups can lie on disk. Query parameters: device, metric, from, to. */
export interface Layout {
  readonly name: string;
  readonly readingTable: string;
  readonly rollupTable: string;
  readonly create: string;
  readonly drop: string;
  readonly clear: string;
  readonly vacuum: string;
  readonly countRollups: string;
  readonly raw: string;
  readonly byMinute: string;
  readonly rollups: string;
  readonly device: string;
  readonly mean: string;
  insert(client: PoolClient, batch: readonly Message[]): Promise<unknown>;
  roll(client: PoolClient, batch: readonly Message[]): Promise<unknown>;
}

const WIDTHS = [
  ["minute", 60_000],
  ["hour", 3_600_000],
] as const;

const ROLLUP_COLUMNS =
  "count integer, sum double precision, min double precision, max double precision, first double precision, first_at integer, last double precision, last_at integer";

/** A row per reading; the series is numbered, so that its key is as narrow as it can be. */
export const ROWS: Layout = {
  name: "row per reading",
  readingTable: "l_row",
  rollupTable: "l_row_minute",
  create: `
    CREATE TABLE l_row (series_id integer, time timestamptz, value double precision NOT NULL, PRIMARY KEY (series_id, time));
    CREATE TABLE l_row_minute (series_id integer, bucket timestamptz, ${ROLLUP_COLUMNS}, PRIMARY KEY (series_id, bucket)) WITH (fillfactor = 80);
    CREATE TABLE l_row_hour (series_id integer, bucket timestamptz, ${ROLLUP_COLUMNS}, PRIMARY KEY (series_id, bucket)) WITH (fillfactor = 80);`,
  drop: "DROP TABLE IF EXISTS l_row, l_row_minute, l_row_hour",
  clear: "TRUNCATE l_row",
  vacuum: "VACUUM (ANALYZE) l_row, l_row_minute, l_row_hour",
  countRollups: "SELECT count(*)::int AS n FROM l_row_minute",
  raw: "SELECT time, value FROM l_row WHERE series_id = $1::int * 7 + $2::int AND time >= $3 AND time < $4 ORDER BY time",
  byMinute:
    "SELECT date_bin('1 minute', time, 'epoch') AS b, count(*), avg(value), min(value), max(value) FROM l_row WHERE series_id = $1::int * 7 + $2::int AND time >= $3 AND time < $4 GROUP BY b ORDER BY b",
  rollups:
    "SELECT bucket, count, sum, min, max, last FROM l_row_minute WHERE series_id = $1::int * 7 + $2::int AND bucket >= $3 AND bucket < $4 ORDER BY bucket",
  device:
    "SELECT series_id, time, value FROM l_row WHERE series_id BETWEEN $1::int * 7 + 1 AND $1::int * 7 + 7 AND time >= $2 AND time < $3",
  mean: "SELECT avg(value) FROM l_row WHERE (series_id - 1) % 7 + 1 = $1::int",
  insert(client, batch) {
    const series: number[] = [];
    const times: string[] = [];
    const values: number[] = [];
    // The batch is sorted by device and time; all of a series goes together.
    for (const run of byDevice(batch)) {
      METRICS.forEach((metric, m) => {
        for (const one of run) {
          series.push(one.device * 7 + metric);
          times.push(iso(one.time));
          values.push(one.values[m]!);
        }
      });
    }
    return client.query({
      name: "row-insert",
      text: "INSERT INTO l_row SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::float8[]) ON CONFLICT DO NOTHING",
      values: [`{${series}}`, `{${times}}`, `{${values}}`],
    });
  },
  async roll(client, batch) {
    for (const [name, width] of WIDTHS) {
      const rows = rollUp(batch, width).flatMap(({ device, bucket, series }) =>
        series.map((one, m) => [device * 7 + METRICS[m]!, iso(bucket), ...numbers(one)]),
      );
      rows.sort((a, b) => Number(a[0]) - Number(b[0]));
      await client.query({
        name: `row-roll-${name}`,
        text: `INSERT INTO l_row_${name} AS t
          SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::int[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::int[], $9::float8[], $10::int[])
          ON CONFLICT (series_id, bucket) DO UPDATE SET count = t.count + excluded.count, sum = t.sum + excluded.sum,
            min = least(t.min, excluded.min), max = greatest(t.max, excluded.max),
            first = CASE WHEN excluded.first_at < t.first_at THEN excluded.first ELSE t.first END, first_at = least(t.first_at, excluded.first_at),
            last = CASE WHEN excluded.last_at >= t.last_at THEN excluded.last ELSE t.last END, last_at = greatest(t.last_at, excluded.last_at)`,
        values: Array.from({ length: 10 }, (_, column) => `{${rows.map((row) => row[column])}}`),
      });
    }
  },
};

const ARRAY_COLUMNS =
  "metrics integer[], counts integer[], sums double precision[], mins double precision[], maxs double precision[], firsts double precision[], first_at integer[], lasts double precision[], last_at integer[]";

/** A row per device and time; element i of every array belongs to metrics[i]. */
export const ARRAYS: Layout = {
  name: "row per device and time, arrays",
  readingTable: "l_array",
  rollupTable: "l_array_minute",
  create: `
    CREATE TABLE l_array (device_id integer, time timestamptz, metrics integer[] NOT NULL, values double precision[] NOT NULL, PRIMARY KEY (device_id, time));
    CREATE TABLE l_array_minute (device_id integer, bucket timestamptz, ${ARRAY_COLUMNS}, PRIMARY KEY (device_id, bucket)) WITH (fillfactor = 80);
    CREATE TABLE l_array_hour (device_id integer, bucket timestamptz, ${ARRAY_COLUMNS}, PRIMARY KEY (device_id, bucket)) WITH (fillfactor = 80);`,
  drop: "DROP TABLE IF EXISTS l_array, l_array_minute, l_array_hour",
  clear: "TRUNCATE l_array",
  vacuum: "VACUUM (ANALYZE) l_array, l_array_minute, l_array_hour",
  countRollups: "SELECT sum(cardinality(metrics))::int AS n FROM l_array_minute",
  raw: "SELECT time, values[array_position(metrics, $2::int)] AS value FROM l_array WHERE device_id = $1 AND $2::int = ANY (metrics) AND time >= $3 AND time < $4 ORDER BY time",
  byMinute:
    "SELECT date_bin('1 minute', time, 'epoch') AS b, count(value), avg(value), min(value), max(value) FROM (SELECT time, values[array_position(metrics, $2::int)] AS value FROM l_array WHERE device_id = $1 AND time >= $3 AND time < $4 OFFSET 0) x GROUP BY b ORDER BY b",
  rollups:
    "SELECT bucket, counts[i], sums[i], mins[i], maxs[i], lasts[i] FROM l_array_minute, LATERAL (SELECT array_position(metrics, $2::int)) p (i) WHERE device_id = $1 AND i IS NOT NULL AND bucket >= $3 AND bucket < $4 ORDER BY bucket",
  device: "SELECT time, metrics, values FROM l_array WHERE device_id = $1 AND time >= $2 AND time < $3",
  mean: "SELECT avg(values[array_position(metrics, $1::int)]) FROM l_array",
  insert(client, batch) {
    return client.query({
      name: "array-insert",
      text: "INSERT INTO l_array SELECT d, t, m::int[], v::float8[] FROM unnest($1::int[], $2::timestamptz[], $3::text[], $4::text[]) x (d, t, m, v) ON CONFLICT DO NOTHING",
      values: [
        `{${batch.map((one) => one.device)}}`,
        `{${batch.map((one) => iso(one.time))}}`,
        `{${batch.map(() => `"{${METRICS}}"`)}}`,
        `{${batch.map((one) => `"{${one.values}}"`)}}`,
      ],
    });
  },
  // A partition has one fenced writer, so what is there can be read, merged here and written back in the transaction.
  async roll(client, batch) {
    for (const [name, width] of WIDTHS) {
      const fresh = rollUp(batch, width);
      const keys = [`{${fresh.map((one) => one.device)}}`, `{${fresh.map((one) => iso(one.bucket))}}`];
      const found = await client.query<Record<string, number[]> & { device_id: number; bucket: Date }>({
        name: `array-roll-read-${name}`,
        text: `SELECT t.* FROM unnest($1::int[], $2::timestamptz[]) k (d, b) JOIN l_array_${name} t ON t.device_id = k.d AND t.bucket = k.b`,
        values: keys,
      });
      const byKey = new Map(fresh.map((one) => [`${one.device}/${one.bucket}`, one]));
      for (const row of found.rows) {
        byKey.get(`${row.device_id}/${row.bucket.getTime()}`)?.series.forEach((one, i) => merge(one, stored(row, i)));
      }
      const column = (of: (one: Rollup) => number) => `{${fresh.map((one) => `"{${one.series.map(of)}}"`)}}`;
      await client.query({
        name: `array-roll-${name}`,
        text: `INSERT INTO l_array_${name}
          SELECT d, b, m::int[], c::int[], s::float8[], lo::float8[], hi::float8[], f::float8[], fa::int[], l::float8[], la::int[]
          FROM unnest($1::int[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
            x (d, b, m, c, s, lo, hi, f, fa, l, la)
          ON CONFLICT (device_id, bucket) DO UPDATE SET metrics = excluded.metrics, counts = excluded.counts, sums = excluded.sums, mins = excluded.mins,
            maxs = excluded.maxs, firsts = excluded.firsts, first_at = excluded.first_at, lasts = excluded.lasts, last_at = excluded.last_at`,
        values: [
          ...keys,
          `{${fresh.map(() => `"{${METRICS}}"`)}}`,
          ...[column((r) => r.count), column((r) => r.sum), column((r) => r.min), column((r) => r.max)],
          ...[column((r) => r.first), column((r) => r.firstAt), column((r) => r.last), column((r) => r.lastAt)],
        ],
      });
    }
  },
};

function stored(row: Record<string, unknown>, i: number): Rollup {
  const at = (column: string) => (row[column] as number[])[i]!;
  return {
    ...{ count: at("counts"), sum: at("sums"), min: at("mins"), max: at("maxs") },
    ...{ first: at("firsts"), firstAt: at("first_at"), last: at("lasts"), lastAt: at("last_at") },
  };
}

function numbers(one: Rollup): number[] {
  return [one.count, one.sum, one.min, one.max, one.first, one.firstAt, one.last, one.lastAt];
}

function* byDevice(batch: readonly Message[]): Generator<readonly Message[]> {
  for (let start = 0, end = 0; start < batch.length; start = end) {
    while (end < batch.length && batch[end]!.device === batch[start]!.device) end++;
    yield batch.slice(start, end);
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
