import type { Pool } from "pg";
import {
  detectorOf,
  type DetectorState,
  knownSince,
  type Oddness,
  oddSince,
  type Step,
  stepDetector,
  takeAsUsual,
} from "@/server/domain/oddness/detector";
import type { EpochMs } from "@/server/domain/terms";
import type { JobContext } from "@/server/postgres/job";
import { type KnownDevice, pack, readKnown, unpack, writeKnown } from "./states";
import { type Label, readLabels, type StretchChange, writeStretches } from "./stretches";

const MINUTE = 60_000;
/** Width of a step. One without readings is none: a series that reports seldom has a step for each reading. */
export const STEP_MS = 5 * MINUTE;
/** What a series was in that time makes its state. */
export const SEED_MS = 30 * 86_400_000;
/** Devices followed in one transaction, and those whose whole past is read. */
const TOGETHER = 200;
const SEEDED_TOGETHER = 5;
/** Time of one run that goes into reading pasts: the rest is for the next. */
const SEED_FOR_MS = 10_000;
/** Stretches up to this length are read for many devices at once. */
const RECENT_MS = 2 * 3_600_000;
const KEEP_EVERY_MS = 3_600_000;

interface Stretch {
  readonly device: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** A step of a series: start, and what its readings were. */
type Point = Step & { readonly time: EpochMs };

/** How steps are read. */
export interface ReadSteps {
  /** Of many devices over a short time: the points of each stretch by metric. */
  readonly recent: (
    pool: Pool,
    stretches: readonly Stretch[],
    widthMs: number,
  ) => Promise<readonly ReadonlyMap<number, readonly Point[]>[]>;
  /** Of a device's series over any time. */
  readonly device: (
    pool: Pool,
    stretch: Stretch & { readonly metrics: readonly number[] },
    widthMs: number,
  ) => Promise<ReadonlyMap<number, readonly Point[]>>;
}

/** A device whose series may have new steps. */
export interface DueDevice {
  readonly id: number;
  /** Its latest event time, and when its latest message came. */
  readonly latest: EpochMs;
  readonly lastSeen: EpochMs;
  /** What is stored of it: null, nothing yet. */
  readonly version: number | null;
  readonly until: EpochMs | null;
  /** False: it has to be made again. */
  readonly known: boolean;
}

/** A device, and the end of its last step that is over. */
interface Due extends DueDevice {
  readonly to: EpochMs;
}

/** What has become of a device. */
interface Followed {
  readonly known: KnownDevice;
  readonly changes: readonly StretchChange[];
  readonly steps: number;
}

/**
 * Follows series step by step. What it knows of them it remembers from run to run, and stores once an hour; of a device that somebody said something of it
 * begins again with what is stored.
 */
export function createFollow(read: ReadSteps) {
  let remembered = new Map<number, KnownDevice>();

  async function run(ctx: JobContext, devices: readonly DueDevice[]): Promise<void> {
    const pool = ctx.tx;
    const numbers = await readNumbers(pool);
    const kept = new Map<number, KnownDevice>();
    const due: Due[] = [];
    const unknown: Due[] = [];
    for (const device of devices) {
      const mine = remembered.get(device.id);
      const isMine =
        mine !== undefined && device.known && mine.version === device.version && mine.until >= device.until!;
      if (isMine) kept.set(device.id, mine);
      const to = endOfSteps(device, ctx.now);
      const from = isMine ? mine.until : device.until;
      if (!device.known) unknown.push({ ...device, to });
      else if (from! < to) due.push({ ...device, to });
    }
    remembered = kept;
    let { done } = ctx.run;
    const total = due.length;
    const finish = async (
      followed: ReadonlyMap<number, Followed>,
      isDue: (id: number, known: KnownDevice) => boolean,
    ) => {
      const all = [...followed];
      const stored = new Map(all.flatMap(([id, { known }]) => (isDue(id, known) ? [[id, known] as const] : [])));
      await ctx.step(async (tx) => {
        await writeStretches(
          tx,
          all.flatMap(([, { changes }]) => changes),
        );
        await writeKnown(tx, stored);
        return { done: (done += all.reduce((sum, [, { steps }]) => sum + steps, 0)) };
      });
      for (const [id, { known }] of all) remembered.set(id, known);
    };
    for (let i = 0; i < total; i += TOGETHER) {
      ctx.signal.throwIfAborted();
      const part = due.slice(i, i + TOGETHER);
      const before = new Map(part.map(({ id, until }) => [id, remembered.get(id)?.until ?? until!]));
      await finish(
        await follow(pool, part, numbers),
        (id, { until }) => slotOf(id, until) > slotOf(id, before.get(id)!),
      );
    }
    const began = performance.now();
    for (let i = 0; i < unknown.length && performance.now() - began < SEED_FOR_MS; i += SEEDED_TOGETHER) {
      ctx.signal.throwIfAborted();
      const part = unknown.slice(i, i + SEEDED_TOGETHER);
      await finish(await seed(pool, part, numbers), () => true);
    }
  }

  /** Takes the steps since the last one. */
  async function follow(pool: Pool, due: readonly Due[], numbers: ReadonlySet<number>): Promise<Map<number, Followed>> {
    const stored = await readKnown(
      pool,
      due.flatMap(({ id }) => (remembered.has(id) ? [] : [id])),
    );
    const known = due.flatMap((device) => {
      const one = remembered.get(device.id) ?? stored.get(device.id);
      return one
        ? [{ device: device.id, known: one, from: Math.max(one.until, device.to - SEED_MS), to: device.to }]
        : [];
    });
    const short = known.filter(({ from, to }) => to - from <= RECENT_MS);
    const points = await read.recent(pool, short, STEP_MS);
    const pointsOf = new Map(short.map(({ device }, i) => [device, points[i]!]));
    const labels = await readLabels(
      pool,
      known.map(({ device }) => device),
      Math.min(...known.map(({ from }) => from)),
    );
    const long = known.flatMap(({ device }) => (pointsOf.has(device) ? [] : [device]));
    const metrics = await readMetrics(pool, long);
    const followed = new Map<number, Followed>();
    for (const one of known) {
      const { device, known: before, from, to } = one;
      const series = unpack(before.packed);
      const recent =
        pointsOf.get(device) ??
        (await read.device(pool, { device, metrics: metrics.get(device) ?? [], from, to }, STEP_MS));
      followed.set(
        device,
        takeSteps({ device, series, points: recent, numbers, labels, told: from, to, version: before.version }),
      );
    }
    return followed;
  }

  /** Makes states of the past. What was odd before it was followed isn't told. */
  async function seed(
    pool: Pool,
    devices: readonly Due[],
    numbers: ReadonlySet<number>,
  ): Promise<Map<number, Followed>> {
    const metrics = await readMetrics(
      pool,
      devices.map(({ id }) => id),
    );
    const labels = await readLabels(
      pool,
      devices.map(({ id }) => id),
      Math.min(...devices.map(({ to }) => to)) - SEED_MS,
    );
    const followed = new Map<number, Followed>();
    for (const { id: device, to, until, version } of devices) {
      const own = metrics.get(device) ?? [];
      const points = await read.device(pool, { device, metrics: own, from: to - SEED_MS, to }, STEP_MS);
      const told = until ?? to;
      const series = new Map<number, DetectorState>();
      followed.set(device, takeSteps({ device, series, points, numbers, labels, told, to, version: version ?? 1 }));
    }
    return followed;
  }

  return { run };
}

/** The end of the last step that is over: a later reading has come, or none comes any more. */
function endOfSteps({ latest, lastSeen }: DueDevice, now: EpochMs): EpochMs {
  const start = latest - (latest % STEP_MS);
  const end = start + STEP_MS;
  // A device that sends what it measures has sent all of it a minute after; one whose clock is elsewhere, when it has been silent.
  const isLive = Math.abs(lastSeen - latest) < MINUTE && now >= end + MINUTE;
  return isLive || now - lastSeen >= STEP_MS ? end : start;
}

/** Devices are stored once an hour, not all at the same time. */
function slotOf(device: number, until: EpochMs): number {
  return Math.floor((until + (device % (KEEP_EVERY_MS / STEP_MS)) * STEP_MS) / KEEP_EVERY_MS);
}

interface Taking {
  readonly device: number;
  readonly series: Map<number, DetectorState>;
  readonly points: ReadonlyMap<number, readonly Point[]>;
  readonly numbers: ReadonlySet<number>;
  readonly labels: readonly Label[];
  /** Steps from here on are told of. */
  readonly told: EpochMs;
  readonly to: EpochMs;
  readonly version: number;
}

function takeSteps({ device, series, points, numbers, labels, told, to, version }: Taking): Followed {
  const changes: StretchChange[] = [];
  let steps = 0;
  for (const [metric, own] of points) {
    if (!numbers.has(metric) || own.length === 0) continue;
    let state = series.get(metric);
    if (!state) series.set(metric, (state = detectorOf()));
    const said = labels.filter((label) => label.device === device && label.metric === metric);
    takeSeries(state, own, said, (from, at, odd) => {
      if (at < told) return;
      const last = changes.at(-1);
      const step = { at, end: at + STEP_MS, odd };
      if (last?.metric === metric && last.from === from) last.steps.push(step);
      else changes.push({ device, metric, from, knownSince: knownSince(state)!, steps: [step] });
    });
    steps += own.length;
  }
  return { known: { version, until: to, packed: pack(series) }, changes, steps };
}

/**
 * Takes a series' next steps, and what people said of its stretches.
 * @param tell called with each step of a stretch, and with the one after it
 * @returns the last step's verdict
 */
export function takeSeries(
  state: DetectorState,
  points: readonly Point[],
  labels: readonly Pick<Label, "from" | "to" | "said">[],
  tell: (from: EpochMs, at: EpochMs, odd: Oddness) => void,
): Oddness | null {
  let last: Oddness | null = null;
  for (const point of points) {
    const { time } = point;
    const before = oddSince(state);
    let learns = true;
    for (const { from, to, said } of labels) {
      if (said === "normal" && before !== null && before < to && time >= to) takeAsUsual(state);
      if (said === "real" && ((time >= from && time < to) || before === from)) learns = false;
    }
    const odd = stepDetector(state, time, point, { learns });
    const from = odd.since ?? before;
    if (from !== null) tell(from, time, odd);
    last = odd;
  }
  return last;
}

async function readNumbers(pool: Pool): Promise<Set<number>> {
  const { rows } = await pool.query<{ id: number }>(`SELECT id FROM metric WHERE kind = 'number'`);
  return new Set(rows.map(({ id }) => id));
}

async function readMetrics(pool: Pool, devices: readonly number[]): Promise<Map<number, number[]>> {
  const { rows } = await pool.query<{ device: number; metrics: number[] }>(
    `SELECT device_id AS device, array_agg(metric_id) AS metrics FROM device_metric p JOIN metric m ON m.id = p.metric_id
     WHERE device_id = ANY ($1::integer[]) AND m.kind = 'number' GROUP BY 1`,
    [devices],
  );
  return new Map(rows.map(({ device, metrics }) => [device, metrics]));
}
