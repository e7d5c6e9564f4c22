import type { EpochMs } from "./terms";

/** The log's extent and what waited in it at one moment. */
export interface Look {
  readonly time: EpochMs;
  readonly cluster: string;
  readonly partitions: readonly PartitionLook[];
}

interface PartitionLook {
  readonly partition: number;
  /** Offset the next record will get. */
  readonly end: number;
  /** The number of messages that wait. */
  readonly lag: number;
  /** Age of the oldest that waits; null when unknown. */
  readonly lagSeconds: number | null;
}

/** The speed at which messages come and waiting ones become fewer; null is unknown. */
export interface Pace {
  readonly incomingPerSecond: number | null;
  /** Seconds until nothing waits; 0 when nothing does, null when it does not shrink or isn't known. */
  readonly clearSeconds: number | null;
  /** The same of each partition. */
  readonly clearSecondsOf: ReadonlyMap<number, number | null>;
}

/** The time over which looks are compared: long enough for batches that take seconds, short enough to follow a change. */
const WINDOW_MS = 15_000;
const APART_MS = 1000;
/** The least time between two looks, in milliseconds: closer ones say nothing about a pace. */
const LEAST_MS = 2000;
/** The wait below which a message is on its way and not piling up, in milliseconds. */
const UNDER_WAY_SECONDS = 2;

/** Keeps the looks of the last 15 seconds, at most one a second. @returns a function that takes a look and tells the pace. */
export function createPaceMeter(): (look: Look) => Pace {
  let kept: readonly Look[] = [];
  return (look) => {
    const before = kept.at(-1);
    // After a clock was set back, or in another cluster, earlier looks can't be compared.
    if (before && (look.time < before.time || look.cluster !== before.cluster)) kept = [];
    kept = kept.filter(({ time }) => time >= look.time - WINDOW_MS);
    const looks = [...kept, look];
    if (!kept.length || look.time - kept.at(-1)!.time >= APART_MS) kept = looks;
    return paceOf(looks);
  };
}

/** Computes the pace over these looks at one cluster, oldest first. The newest tells what waits. */
export function paceOf(looks: readonly Look[]): Pace {
  const newest = looks.at(-1)!;
  const came = new Map(newest.partitions.map(({ partition }) => [partition, 0]));
  /** Start of the topic's present epoch: lags of an earlier one don't compare. */
  let life = 0;
  for (let i = 1; i < looks.length; i++) {
    const ends = new Map(looks[i - 1]!.partitions.map(({ partition, end }) => [partition, end]));
    for (const { partition, end } of looks[i]!.partitions) {
      const before = ends.get(partition) ?? 0;
      // An end that went down belongs to a recreated topic: everything in it has come since.
      if (end < before) life = i;
      came.set(partition, (came.get(partition) ?? 0) + (end < before ? end : end - before));
    }
  }
  const seconds = (newest.time - looks[0]!.time) / 1000;
  const isLongEnough = seconds * 1000 >= LEAST_MS;
  const since = life === 0 ? looks[0]! : looks[life]!;
  return {
    incomingPerSecond: isLongEnough ? sum(came.values()) / seconds : null,
    clearSeconds: clearSeconds(total(since), total(newest), newest.time - since.time),
    clearSecondsOf: new Map(
      newest.partitions.map((now) => {
        const then = since.partitions.find(({ partition }) => partition === now.partition);
        return [now.partition, then ? clearSeconds(then, now, newest.time - since.time) : now.lag === 0 ? 0 : null];
      }),
    ),
  };
}

type Waiting = Omit<PartitionLook, "partition">;

/** Two looks at the same partition, or at all of them together. */
function clearSeconds(then: Waiting, now: Waiting, elapsedMs: number): number | null {
  if (now.lag === 0) return 0;
  if (elapsedMs < LEAST_MS) return null;
  const shrunkPerSecond = ((then.lag - now.lag) * 1000) / elapsedMs;
  if (now.lagSeconds !== null && now.lagSeconds < UNDER_WAY_SECONDS) {
    const handledPerSecond = shrunkPerSecond + ((now.end - then.end) * 1000) / elapsedMs;
    if (handledPerSecond > 0) return now.lag / handledPerSecond;
  }
  return shrunkPerSecond > 0 ? now.lag / shrunkPerSecond : null;
}

function total({ partitions }: Look): Waiting {
  const ages = partitions.map(({ lagSeconds }) => lagSeconds);
  return {
    end: sum(partitions.map(({ end }) => end)),
    lag: sum(partitions.map(({ lag }) => lag)),
    lagSeconds: ages.includes(null) ? null : Math.max(0, ...(ages as number[])),
  };
}

function sum(values: Iterable<number>): number {
  let result = 0;
  for (const value of values) result += value;
  return result;
}
