import type { Pool, PoolClient } from "pg";
import { type DeviceState, newDevice } from "@/server/domain/quality/device-checks";
import { SERIES_SIZE, type SeriesState } from "@/server/domain/quality/series-checks";
import type { EpochMs } from "@/server/domain/terms";

/** Grows with each change of what the numbers mean: states of another layout are lost, and made again from readings. */
const LAYOUT = 3;
const OF_DEVICE = newDevice().length;
/** The layout before, whose devices have two numbers less, at the end: what was learned is kept. */
const BEFORE = { layout: 2, ofDevice: 11 } as const;

/** What the checks remember of a device and its series. */
interface States {
  readonly device: DeviceState;
  readonly series: ReadonlyMap<number, SeriesState>;
}

/** States as they are stored. */
export interface StoredStates extends States {
  /** The event time up to which readings made them. */
  readonly until: EpochMs;
  /** Processed time at which they were stored. */
  readonly writtenAt: EpochMs;
}

/** Reads the stored states of devices; one that has none, or one of another layout, is missing. */
export async function readStates(tx: Pool | PoolClient, ids: readonly number[]): Promise<Map<number, StoredStates>> {
  const { rows } = await tx.query<{ id: number; until: number; writtenAt: number; layout: number; state: Buffer }>(
    `SELECT device_id AS id, layout, (extract(epoch FROM until) * 1000)::float8 AS until, (extract(epoch FROM written_at) * 1000)::float8 AS "writtenAt", state
     FROM quality_state WHERE device_id = ANY ($1::integer[]) AND layout IN (${BEFORE.layout}, ${LAYOUT})`,
    [ids],
  );
  return new Map(
    rows.map(({ id, state, layout, ...times }) => [
      id,
      { ...times, ...unpack(state, layout === BEFORE.layout ? BEFORE.ofDevice : OF_DEVICE) },
    ]),
  );
}

/** Stores the states of devices whose rows are locked. */
export async function writeStates(
  tx: PoolClient,
  states: readonly (StoredStates & { readonly id: number })[],
): Promise<void> {
  if (states.length === 0) return;
  await tx.query(
    `INSERT INTO quality_state (device_id, layout, until, state, written_at)
     SELECT id, ${LAYOUT}, to_timestamp(until / 1000), state, to_timestamp(written / 1000)
     FROM unnest($1::integer[], $2::float8[], $3::bytea[], $4::float8[]) AS n (id, until, state, written) ORDER BY id
     ON CONFLICT (device_id) DO UPDATE SET layout = excluded.layout, until = excluded.until, state = excluded.state, written_at = excluded.written_at`,
    [
      states.map(({ id }) => id),
      states.map(({ until }) => until),
      states.map(pack),
      states.map(({ writtenAt }) => writtenAt),
    ],
  );
}

/** The device's numbers, then the id and the numbers of each series. */
function pack({ device, series }: States): Buffer {
  const all = new Float64Array(OF_DEVICE + series.size * (1 + SERIES_SIZE));
  all.set(device);
  let at = OF_DEVICE;
  for (const [metric, state] of series) {
    all[at] = metric;
    all.set(state, at + 1);
    at += 1 + SERIES_SIZE;
  }
  return Buffer.from(all.buffer);
}

function unpack(bytes: Buffer, ofDevice: number): States {
  const all = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const series = new Map<number, SeriesState>();
  for (let at = ofDevice; at < all.length; at += 1 + SERIES_SIZE)
    series.set(all[at]!, all.subarray(at + 1, at + 1 + SERIES_SIZE));
  const device = newDevice();
  device.set(all.subarray(0, ofDevice));
  return { device, series };
}
