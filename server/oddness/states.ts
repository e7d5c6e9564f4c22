import type { Pool, PoolClient } from "pg";
import {
  bytesOf,
  detectorOf,
  type DetectorState,
  knownSince,
  STATE_BYTES,
  stepsOf,
} from "@/server/domain/oddness/detector";
import type { EpochMs } from "@/server/domain/terms";
import { timeText } from "@/server/postgres/time-text";

/** Grows with each change of what the numbers mean: states of another layout are made again from readings. */
export const LAYOUT = 2;
const HEAD = 4;
const SERIES_BYTES = HEAD + STATE_BYTES;

/** What the detector knows of a device: packed, as so many are remembered. */
export interface KnownDevice {
  readonly version: number;
  /** End of the last step that was taken. */
  readonly until: EpochMs;
  readonly packed: Buffer;
}

/** The states of a device's series, by metric. They are copies: what they become is {@link pack packed} again. */
export function unpack(packed: Buffer): Map<number, DetectorState> {
  const series = new Map<number, DetectorState>();
  for (let at = 0; at < packed.length; at += SERIES_BYTES)
    series.set(packed.readInt32LE(at), detectorOf(packed.subarray(at + HEAD, at + SERIES_BYTES)));
  return series;
}

/** The id and the bytes of each series. */
export function pack(series: ReadonlyMap<number, DetectorState>): Buffer {
  const packed = Buffer.alloc(series.size * SERIES_BYTES);
  let at = 0;
  for (const [metric, state] of series) {
    packed.writeInt32LE(metric, at);
    packed.set(bytesOf(state), at + HEAD);
    at += SERIES_BYTES;
  }
  return packed;
}

/** Reads what is stored of devices; those that are to be made again are missing. */
export async function readKnown(db: Pool | PoolClient, ids: readonly number[]): Promise<Map<number, KnownDevice>> {
  if (ids.length === 0) return new Map();
  const { rows } = await db.query<{ id: number; version: number; until: number; packed: Buffer }>(
    `SELECT device_id AS id, version, (extract(epoch FROM until) * 1000)::float8 AS until, state AS packed
     FROM odd_state WHERE device_id = ANY ($1::integer[]) AND layout = ${LAYOUT} AND state IS NOT NULL`,
    [ids],
  );
  return new Map(rows.map(({ id, ...known }) => [id, known]));
}

/** Stores what is known of devices, unless somebody has said something of them meanwhile. */
export async function writeKnown(tx: PoolClient, known: ReadonlyMap<number, KnownDevice>): Promise<void> {
  if (known.size === 0) return;
  const devices = [...known.values()];
  const facts = devices.map(({ packed }) => {
    let since: EpochMs | null = null;
    let steps = 0;
    for (const state of unpack(packed).values()) {
      const first = knownSince(state);
      if (first !== null && (since === null || first < since)) since = first;
      steps = Math.max(steps, stepsOf(state));
    }
    return { since, steps };
  });
  await tx.query(
    `INSERT INTO odd_state (device_id, layout, version, until, since, steps, state)
     SELECT n.id, ${LAYOUT}, n.version, n.until, n.since, n.steps, n.state
     FROM unnest($1::integer[], $2::integer[], $3::timestamptz[], $4::timestamptz[], $5::integer[], $6::bytea[]) AS n (id, version, until, since, steps, state)
     JOIN device d ON d.id = n.id ORDER BY 1
     ON CONFLICT (device_id) DO UPDATE SET layout = excluded.layout, until = excluded.until, since = excluded.since, steps = excluded.steps, state = excluded.state
       WHERE odd_state.version = excluded.version`,
    [
      [...known.keys()],
      devices.map(({ version }) => version),
      devices.map(({ until }) => timeText(until)),
      facts.map(({ since }) => (since === null ? null : timeText(since))),
      facts.map(({ steps }) => steps),
      devices.map(({ packed }) => packed),
    ],
  );
}
