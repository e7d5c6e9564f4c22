import type { Pool, PoolClient } from "pg";
import type { DeviceTwins, Twin, TwinUpdate, TwinValue } from "@/server/ports/device-twins";
import { bringIn, latestEventTime, type TwinState } from "../twin-state";
import { joinedJson, joinedJsonArray } from "@/server/postgres/text";
import { withTransaction } from "@/server/postgres/transaction";
import { prepared } from "@/server/postgres/prepared";

/** The most twins remembered, each some hundred bytes a field. */
const MOST_REMEMBERED = 5000;

/**
 * Twins in a table of PostgreSQL, each a document of its newest values. Those written last are remembered with the version of
 * their row: where that is still the version there, one statement writes what is newer, without reading or locking first.
 */
export function createPostgresDeviceTwins(pool: Pool): DeviceTwins {
  const remembered = new Map<string, Remembered>();

  function remember(device: string, twin: Remembered): void {
    remembered.delete(device);
    if (remembered.size >= MOST_REMEMBERED) remembered.delete(remembered.keys().next().value!);
    remembered.set(device, twin);
  }

  /** @returns the updates that were not brought in: of twins that aren't remembered, or are no more as they were. */
  async function mergeRemembered(updates: readonly TwinUpdate[]): Promise<readonly TwinUpdate[]> {
    const known = updates.flatMap((update) => {
      const { version, state } = remembered.get(update.device) ?? {};
      if (version === undefined || state === undefined) return [];
      const next = new Map(state);
      // What brings nothing new says nothing of whether the row is still as it was.
      return bringIn(next, update.values) ? [{ update, version, twin: twinOf(update.device, next) }] : [];
    });
    if (known.length === 0) return updates;
    known.sort((a, b) => (a.update.device < b.update.device ? -1 : 1));
    const versions = await writeVersions(pool, known);
    const brought = new Set<TwinUpdate>();
    for (const { update, twin } of known) {
      const version = versions.get(update.device);
      if (version === undefined) continue;
      brought.add(update);
      remember(update.device, { version, state: twin.values });
    }
    return updates.filter((update) => !brought.has(update));
  }

  return {
    async merge(updates) {
      const left = await mergeRemembered(updates.filter(({ values }) => values.size > 0));
      if (left.length === 0) return;
      const twins = await withTransaction(pool, (client) => mergeLocked(client, left));
      for (const [device, twin] of twins) remember(device, twin);
    },

    async forget(devices, field) {
      if (devices.length > 0) await withTransaction(pool, (client) => forgetLocked(client, devices, field));
    },

    async get(devices) {
      if (devices.length === 0) return new Map();
      const { rows } = await pool.query<Row>(
        "SELECT device, state::text AS state FROM device_twin WHERE device = ANY ($1::text[])",
        [devices],
      );
      return new Map(rows.map(({ device, state }) => [device, twinOf(device, readState(state))]));
    },

    async latest(field) {
      // As writeState writes it: quotes within texts are escaped, so that this is found nowhere but at the field itself.
      const { rows } = await pool.query<[devices: string | null, values: string | null]>({
        rowMode: "array",
        text: LATEST,
        values: [`${JSON.stringify(field)}:[`],
      });
      const [devices, values] = rows[0]!;
      const numbers = JSON.parse(`[${values ?? ""}]`) as (number | boolean)[];
      // No name has a comma.
      return new Map((devices?.split(",") ?? []).map((device, i) => [device, Number(numbers[i])]));
    },
  };
}

/**
 * Looks for a field in the text of every twin: parsing each took five times as long, and an index would cost every write (docs/decisions/064).
 * Text is split, for places within it are counted by characters, which takes longer. Two texts of all of them are read far faster than as many rows.
 */
const LATEST = `SELECT string_agg(device, ','), string_agg(value, ',')
  FROM (SELECT device, split_part(split_part(state::text, $1, 2), ',', 1) AS value FROM device_twin OFFSET 0) AS t WHERE value <> '' AND value NOT LIKE '"%'`;

interface Row {
  readonly device: string;
  readonly state: string;
}

/** A twin as it was written. */
interface Remembered {
  /** Identifies the row's version: the transaction that wrote it. */
  readonly version: string;
  readonly state: ReadonlyMap<string, TwinValue>;
}

/** @returns the changed twins as they are now. */
async function mergeLocked(
  client: PoolClient,
  updates: readonly TwinUpdate[],
): Promise<ReadonlyMap<string, Remembered>> {
  const devices = updates.map(({ device }) => device).sort();
  // Missing rows are made first, so that there is something to lock; nobody sees them before the commit. Both
  // statements go in one order each, so that two workers never wait for each other.
  await client.query(
    `INSERT INTO device_twin (device, event_time, state)
     SELECT device, 'epoch', '{}' FROM unnest($1::text[]) AS device ON CONFLICT (device) DO NOTHING`,
    [devices],
  );
  const { rows } = await client.query<Row>(
    "SELECT device, state::text AS state FROM device_twin WHERE device = ANY ($1::text[]) ORDER BY device FOR UPDATE",
    [devices],
  );
  const states = new Map(rows.map(({ device, state }) => [device, readState(state)]));

  const changed = updates.filter(({ device, values }) => bringIn(states.get(device)!, values));
  const versions = await write(
    client,
    changed.map(({ device }) => twinOf(device, states.get(device)!)),
  );
  return new Map([...versions].map(([device, version]) => [device, { version, state: states.get(device)! }]));
}

/** @returns the versions of the rows written, by device. */
async function write(client: PoolClient, twins: readonly Twin[]): Promise<ReadonlyMap<string, string>> {
  if (twins.length === 0) return new Map();
  const { rows } = await client.query<Version>(
    `UPDATE device_twin t SET event_time = to_timestamp(u.event_time / 1000), state = u.state::json
     FROM unnest($1::text[], $2::float8[], ${joinedJsonArray("$3")}) AS u (device, event_time, state)
     WHERE t.device = u.device RETURNING t.device, t.xmin::text AS version`,
    columnsOf(twins),
  );
  return versionsOf(rows);
}

const WRITE_VERSIONS = prepared(
  `WITH soon AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
     UPDATE device_twin t SET event_time = to_timestamp(u.event_time / 1000), state = u.state::json
     FROM soon, unnest($1::text[], $2::float8[], ${joinedJsonArray("$3")}, $4::text[]) AS u (device, event_time, state, version)
     WHERE t.device = u.device AND t.xmin::text = u.version RETURNING t.device, t.xmin::text AS version`,
);

/** Writes those whose row has still the version given. It needn't wait for the disk: the batch's own commit, which follows, does. */
async function writeVersions(
  pool: Pool,
  twins: readonly { readonly version: string; readonly twin: Twin }[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await pool.query<Version>(
    WRITE_VERSIONS([...columnsOf(twins.map(({ twin }) => twin)), twins.map(({ version }) => version)]),
  );
  return versionsOf(rows);
}

interface Version {
  readonly device: string;
  readonly version: string;
}

function versionsOf(rows: readonly Version[]): ReadonlyMap<string, string> {
  return new Map(rows.map(({ device, version }) => [device, version]));
}

function columnsOf(twins: readonly Twin[]): [devices: string[], times: number[], states: string] {
  return [
    twins.map(({ device }) => device),
    twins.map(({ eventTime }) => eventTime),
    joinedJson(twins.map(({ values }) => writeState(values))),
  ];
}

async function forgetLocked(client: PoolClient, devices: readonly string[], field: string | null): Promise<void> {
  const { rows } = await client.query<Row>(
    "SELECT device, state::text AS state FROM device_twin WHERE device = ANY ($1::text[]) ORDER BY device FOR UPDATE",
    [devices],
  );
  const states = rows.map(({ device, state }) => ({ device, state: readState(state) }));
  const changed = states.filter(({ state }) => field === null || state.delete(field));
  const isGone = ({ state }: { state: TwinState }) => field === null || state.size === 0;
  const gone = changed.filter(isGone).map(({ device }) => device);
  if (gone.length > 0) await client.query("DELETE FROM device_twin WHERE device = ANY ($1::text[])", [gone]);
  await write(
    client,
    changed.filter((one) => !isGone(one)).map(({ device, state }) => twinOf(device, state)),
  );
}

function twinOf(device: string, values: ReadonlyMap<string, TwinValue>): Twin {
  return { device, eventTime: latestEventTime(values), values };
}

/** { field: [value, event time in epoch milliseconds, and 1 for a value of unknown age] }; JSON.parse makes even "__proto__" a plain own property. */
function readState(json: string): TwinState {
  const entries = Object.entries(JSON.parse(json) as Record<string, [TwinValue["value"], number, 1?]>);
  return new Map(
    entries.map(([field, [value, eventTime, isState]]) => [
      field,
      { value, eventTime, ...(isState && { isState: true }) },
    ]),
  );
}

function writeState(values: Twin["values"]): string {
  const members = [...values].map(([field, { value, eventTime, isState }]) => {
    const written = Object.is(value, -0) ? "-0" : JSON.stringify(value);
    return `${JSON.stringify(field)}:[${written},${eventTime}${isState ? ",1" : ""}]`;
  });
  return `{${members.join(",")}}`;
}
