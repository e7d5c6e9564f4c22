import type { PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { Job, JobContext } from "@/server/postgres/job";
import { counted } from "@/server/domain/counted";
import { ColdFileMissingError, ColdUnavailableError } from "@/server/ports/cold-store";
import { HOUR, type Stretch, type DeviceHour } from "./blocks";
import { readColdBlocks } from "./cold/hot-and-cold";
import { findColdRows } from "./cold/manifest";
import { type ColdReader, createColdReader } from "./cold/reader";
import { rewriteHours } from "./hours";
import { KEYED_ACCESS } from "@/server/postgres/keyed-access";
import { timeText } from "@/server/postgres/time-text";

const MINUTE = 60_000;
/** Hours done in one step at most, and the readings after which it ends: it holds devices' rows for a tenth of a second or so. */
const HOURS = 100;
const READINGS = 50_000;
/** Hours read at first, before it is known how much they hold. */
const FIRST = 4;
/** Rows from which an hour under way is merged before it is complete, and devices done in one step then. */
const MANY = 200;
const DEVICES = 10;
/** A device silent for so long gets its last hour merged too. */
const SILENT_MS = HOUR;

/** The job that merges what came, and the one that merges what an earlier version wrote. */
export function mergeJobs(cold: ColdReader = createColdReader(null)): Job[] {
  return [
    {
      name: "readings-merge",
      title: "Merging of readings",
      about: "Merges the readings of each device and complete hour, and makes their rollups.",
      counts: { one: "hour merged", many: "hours merged" },
      everyMs: MINUTE,
      limitMs: null,
      run: (ctx) => mergeHours(ctx, cold),
    },
    {
      name: "readings-upgrade",
      title: "Upgrade of readings",
      about: "Merges the hours that an earlier version wrote as a row a moment. Asked for by the upgrade itself.",
      counts: { one: "hour merged", many: "hours merged" },
      everyMs: null,
      limitMs: null,
      run: (ctx) => mergeEarlier(ctx, cold),
    },
  ];
}

/**
 * Each step does some hours of some devices, whose rows it locks. A run goes once through the devices with complete hours, and once
 * through the hours that got late readings; then those under way with many rows.
 */
async function mergeHours(ctx: JobContext, cold: ColdReader): Promise<void> {
  const state = { done: ctx.run.done, cold };
  const waiting: Waiting = { hours: new Set(), why: null, isAway: false };
  const mergeLate: Step<DeviceHour> = (tx, after) =>
    rewriteNext(tx, cold, "late_hour", "hour", after, (hours) => withoutAway(tx, cold, hours, waiting));
  for (let after: number | null = 0; after !== null;) after = await stepOver(ctx, state, rollDevices, after);
  for (let after: DeviceHour | null = { device: 0, hour: 0 }; after !== null;)
    after = await stepOver(ctx, state, mergeLate, after);
  for (let after: number | null = 0; after !== null;) after = await stepOver(ctx, state, mergeUnderWay, after);
  const { why, hours } = waiting;
  if (why !== null)
    throw new ColdUnavailableError(
      `All else is merged. Waiting for cold storage: late readings of ${counted(hours.size, "hour")}. ${why.message}`,
      why.fix,
      { cause: why },
    );
}

/** Hours with late readings whose others are in cold storage and can't be read. */
interface Waiting {
  readonly hours: Set<string>;
  why: ColdUnavailableError | null;
  /** All of cold storage is away: it isn't asked again in this run. */
  isAway: boolean;
}

/** The hours that can be merged now; the others are left for the next run, and noted. */
async function withoutAway(
  tx: PoolClient,
  cold: ColdReader,
  hours: readonly DeviceHour[],
  waiting: Waiting,
): Promise<DeviceHour[]> {
  const stretches = hours.map(({ device, hour }) => ({ device, from: hour, to: hour + HOUR }));
  const found = hours.some(({ hour }) => hour < cold.noneFrom()) ? await findColdRows(tx, stretches) : [];
  const ready: DeviceHour[] = [];
  for (const [i, hour] of hours.entries()) {
    if (!found[i]?.length || (!waiting.isAway && (await isReadable(stretches[i]!)))) ready.push(hour);
    else waiting.hours.add(`${hour.device} ${hour.hour}`);
  }
  return ready;

  async function isReadable(stretch: Stretch): Promise<boolean> {
    try {
      await readColdBlocks(tx, cold, [stretch]);
      return true;
    } catch (error) {
      if (!(error instanceof ColdUnavailableError)) throw error;
      waiting.why ??= error;
      // Where one file is missing, others can be read.
      waiting.isAway = !(error.cause instanceof ColdFileMissingError);
      return false;
    }
  }
}

/** Goes through all hours that have rollups, in order of device and hour, from where an earlier worker was. */
async function mergeEarlier(ctx: JobContext, cold: ColdReader): Promise<void> {
  const state = { done: ctx.run.done, cold };
  const { device = 0, hour = 0 } = (ctx.run.cursor ?? {}) as Partial<DeviceHour>;
  for (let after: DeviceHour | null = { device, hour }; after !== null;)
    after = await stepOver(ctx, state, mergeRolled, after);
}

type Step<Place> = (
  tx: PoolClient,
  after: Place,
  cold: ColdReader,
  now: EpochMs,
) => Promise<{ merged: number; next: Place | null }>;

async function stepOver<Place>(
  ctx: JobContext,
  state: { done: number; readonly cold: ColdReader },
  step: Step<Place>,
  after: Place,
): Promise<Place | null> {
  ctx.signal.throwIfAborted();
  let next: Place | null = null;
  let merged = 0;
  await ctx.step(async (tx) => {
    await tx.query(KEYED_ACCESS.join("; "));
    ({ merged, next } = await step(tx, after, state.cold, ctx.now));
    return { done: state.done + merged, cursor: next ?? after };
  });
  state.done += merged;
  return next;
}

/** The hours under way of the next devices that have many rows in theirs: they have no rollups yet, so what shows the last hour reads them all. */
const mergeUnderWay: Step<number> = async (tx, after, cold, now) => {
  const { rows } = await tx.query<DeviceHour>(
    `SELECT id AS device, (extract(epoch FROM rolled_until) * 1000)::float8 AS hour FROM device d
     WHERE id > $1 AND last_seen >= $2 AND rolled_until = date_trunc('hour', last_event_time, 'UTC') AND ${MANY} = (
       SELECT count(*) FROM (
         SELECT FROM sample s WHERE s.device_id = d.id AND s.time >= d.rolled_until AND s.time < d.rolled_until + interval '1 hour'
         LIMIT ${MANY}) AS first)
     ORDER BY id LIMIT ${DEVICES} FOR NO KEY UPDATE OF d`,
    [after, timeText(now - SILENT_MS)],
  );
  await rewriteHours(
    tx,
    rows.map((hour) => ({ ...hour, isRolled: false })),
    undefined,
    cold,
  );
  return { merged: rows.length, next: rows.length === DEVICES ? rows.at(-1)!.device : null };
};

/** The hours that are complete of the next devices that have any. */
const rollDevices: Step<number> = async (tx, after, cold, now) => {
  const { rows: devices } = await tx.query<{ id: number; from: number; to: number }>(
    `SELECT id, coalesce(extract(epoch FROM rolled_until) * 1000, 0)::float8 AS from, (extract(epoch FROM until) * 1000)::float8 AS to
     FROM device, LATERAL (
       SELECT date_trunc('hour', last_event_time, 'UTC') + CASE WHEN last_seen < $2 THEN interval '1 hour' ELSE interval '0' END AS until) AS complete
     WHERE id > $1 AND last_event_time IS NOT NULL AND (rolled_until IS NULL OR rolled_until < until)
     ORDER BY id LIMIT ${HOURS} FOR NO KEY UPDATE OF device`,
    [after, timeText(now - SILENT_MS)],
  );
  if (devices.length === 0) return { merged: 0, next: null };
  const each = Math.ceil(HOURS / devices.length);
  const hours = await hoursWithReadings(tx, devices, each);
  const merged = await rewriteSome(tx, cold, hours);
  const rolled: { id: number; until: EpochMs }[] = [];
  let next = after;
  let isAllThrough = true;
  for (const { id, to } of devices) {
    const found = hours.filter(({ device }) => device === id).length;
    const own = hours.slice(0, merged).filter(({ device }) => device === id);
    const end = own.length > 0 ? own.at(-1)!.hour + HOUR : 0;
    const isThrough = own.length === found && (found < each || end >= to);
    if (isThrough || own.length > 0) rolled.push({ id, until: isThrough ? to : end });
    isAllThrough &&= isThrough;
    if (isAllThrough) next = id;
  }
  await tx.query(
    `UPDATE device d SET rolled_until = k.until FROM unnest($1::integer[], $2::timestamptz[]) AS k (id, until) WHERE d.id = k.id`,
    [rolled.map(({ id }) => id), rolled.map(({ until }) => timeText(until))],
  );
  return { merged, next };
};

/** The first `each` hours with readings of each device within its stretch, by device and hour: each is found by a look into the key. */
async function hoursWithReadings(
  tx: PoolClient,
  devices: readonly { readonly id: number; readonly from: EpochMs; readonly to: EpochMs }[],
  each: number,
): Promise<DeviceHour[]> {
  const next = (device: string, from: string, until: string) =>
    `SELECT date_trunc('hour', s.time, 'UTC') AS hour FROM sample s
     WHERE s.device_id = ${device} AND s.time >= ${from} AND s.time < ${until} ORDER BY s.time LIMIT 1`;
  const { rows } = await tx.query<DeviceHour>(
    `WITH RECURSIVE found (device, until, hour, n) AS (
       SELECT k.device, k.until, f.hour, 1 FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS k (device, first, until)
       CROSS JOIN LATERAL (${next("k.device", "k.first", "k.until")}) AS f
       UNION ALL
       SELECT p.device, p.until, f.hour, p.n + 1 FROM found p
       CROSS JOIN LATERAL (${next("p.device", "p.hour + interval '1 hour'", "p.until")}) AS f WHERE p.n < $4)
     SELECT device, (extract(epoch FROM hour) * 1000)::float8 AS hour FROM found ORDER BY device, hour`,
    [
      devices.map(({ id }) => id),
      devices.map(({ from }) => timeText(from)),
      devices.map(({ to }) => timeText(to)),
      each,
    ],
  );
  return rows;
}

/** The next hours with rollups, of devices that are in the catalog. */
const mergeRolled: Step<DeviceHour> = (tx, after, cold) => rewriteNext(tx, cold, "rollup_hour", "bucket", after);

async function rewriteNext(
  tx: PoolClient,
  cold: ColdReader,
  table: "late_hour" | "rollup_hour",
  column: string,
  { device, hour }: DeviceHour,
  choose = async (hours: DeviceHour[]) => hours,
): Promise<{ merged: number; next: DeviceHour | null }> {
  const next = async () => {
    const { rows } = await tx.query<DeviceHour>(
      `SELECT device_id AS device, (extract(epoch FROM ${column}) * 1000)::float8 AS hour FROM ${table}
       WHERE (device_id, ${column}) > ($1, $2) ORDER BY device_id, ${column} LIMIT ${HOURS}`,
      [device, timeText(hour)],
    );
    return rows;
  };
  const devices = [...new Set((await next()).map((one) => one.device))];
  if (devices.length === 0) return { merged: 0, next: null };
  const { rows: locked } = await tx.query<{ id: number }>(
    `SELECT id FROM device WHERE id = ANY ($1::integer[]) ORDER BY id FOR NO KEY UPDATE`,
    [devices],
  );
  // Looked for again, now that nobody else writes them.
  const there = new Set(locked.map(({ id }) => id));
  const found = await next();
  const hours = await choose(found.filter((one) => there.has(one.device)));
  const merged = await rewriteSome(tx, cold, hours);
  return { merged, next: (merged < hours.length ? hours[merged - 1] : found.at(-1)) ?? null };
}

/** Merges hours with their rollups, until it was enough for one step. @returns how many. */
async function rewriteSome(tx: PoolClient, cold: ColdReader, hours: readonly DeviceHour[]): Promise<number> {
  let readings = 0;
  let done = 0;
  while (done < Math.min(hours.length, HOURS) && readings < READINGS) {
    // As many as fill the step, judged by those before.
    const size = done === 0 ? FIRST : Math.max(1, Math.floor(((READINGS - readings) * done) / Math.max(1, readings)));
    const some = hours.slice(done, Math.min(done + size, HOURS)).map((hour) => ({ ...hour, isRolled: true }));
    for (const count of await rewriteHours(tx, some, undefined, cold)) readings += count;
    done += some.length;
  }
  return done;
}
