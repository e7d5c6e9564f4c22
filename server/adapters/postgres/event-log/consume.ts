import type { ConnectionString } from "@/server/postgres/client";
import { createBackoff } from "@/server/async/backoff";
import { setImmediate } from "node:timers/promises";
import type { Pool } from "pg";
import { type Consumption, LogUnavailableError, type Subscription } from "@/server/ports/event-log";
import { logError } from "../errors";
import { type PartitionRun, startPartitionRun } from "./partition-run";
import { openSession, type Session } from "./session";
import { createSemaphore } from "@/server/async/semaphore";
import { inBatches } from "@/server/async/in-batches";
import { ENOUGH_RECORDS } from "../../pace";
import { commitOffsets, fetchRecords, type Wanted } from "./records";
import type { Topic } from "./topics";

/** Interval of looking at ownership while others have partitions, in milliseconds. */
const POLL_MS = 1000;
/** Interval of asking the log where it ends though no notification came, in milliseconds: while the connection lives none is lost. */
const ASK_MS = 5000;
const BACKOFF = { firstMs: 250, maxMs: 5000 };
/** The time batches get after the abort at the end of a stop, before they are left behind, in milliseconds. */
const ABANDON_MS = 2000;

/** The most partitions whose records are read, or offsets written, by one statement. */
const MOST_TOGETHER = 64;

/** How partitions read and commit. */
type Together = Pick<Parameters<typeof startPartitionRun>[0], "fetch" | "commit">;

interface ConsumeDeps {
  readonly pool: Pool;
  readonly connectionString: ConnectionString;
  readonly applicationName: string;
}

/** Consumes a topic. Resolves after the first attempt to connect: what fails is told to `onError` and retried. */
export async function startConsumption(deps: ConsumeDeps, subscription: Subscription): Promise<Consumption> {
  const { group } = subscription;
  const runs = new Map<number, PartitionRun>();
  /** Offsets to go on at without a group. It begins with what was the end when the partition was first seen. */
  const positions = new Map<number, number>();
  const semaphore = createSemaphore(subscription.concurrency * subscription.maxRecords);
  const { paceMs = 0 } = subscription;
  /** Where partitions ended at the last look. */
  const ends = new Map<number, number>();
  /** What notifications told since then. */
  const told = new Map<number, number>();
  const alarm = createAlarm();
  let stopping = false;
  let abandoned = false;
  let down = false;
  let groupChanged = true;
  /** A notification told that there is more, and not where. */
  let asks = false;
  let underWay = () => {};
  const firstAttempt = new Promise<void>((resolve) => (underWay = resolve));

  /** An outage shows in many places; it is told once, until the log has answered again. */
  function tell(error: unknown): void {
    if (error instanceof LogUnavailableError) {
      if (down) return;
      down = true;
    }
    subscription.onError(error);
  }

  async function keepConnected(): Promise<void> {
    const backoff = createBackoff(BACKOFF);
    while (!stopping) {
      let session: Session | null = null;
      try {
        session = await openSession({
          ...deps,
          topic: subscription.topic,
          group,
          onRecords: (changed) => {
            for (const [partition, end] of changed) told.set(partition, end);
            asks ||= changed.length === 0;
            alarm.ring();
          },
          onGroup: () => {
            groupChanged = true;
            alarm.ring();
          },
          onLost: alarm.ring,
        });
        groupChanged = true;
        await keepOwning(session, () => backoff.reset());
      } catch (error) {
        tell(logError(error));
      }
      // The locks went with the connection: whatever still runs here may be somebody else's by now.
      for (const run of runs.values()) run.lose();
      await session?.close();
      underWay();
      if (!stopping) await alarm.wait(backoff.next(), () => stopping);
    }
  }

  async function keepOwning(session: Session, onSuccess: () => void): Promise<void> {
    const together = togetherOf(session.topic);
    let sharedAt = -Infinity;
    let lookedAt = -Infinity;
    let bounds: Awaited<ReturnType<Session["bounds"]>> = new Map();
    let askAt = 0;
    let isMuch = false;
    let left = group === null;
    for (;;) {
      const rest = isMuch ? 0 : lookedAt + paceMs - performance.now();
      if (rest > 0 && !stopping && !groupChanged) await alarm.wait(rest, () => stopping || groupChanged);
      lookedAt = performance.now();
      alarm.clear();
      session.check();
      await letGo(session);
      if (stopping && !left) {
        await session.leave();
        left = true;
      }
      if (stopping && (abandoned || runs.size === 0)) return;
      // Notifications say where partitions end; nobody need be asked as long as they come.
      if (asks || groupChanged || stopping || performance.now() >= askAt) {
        asks = false;
        askAt = performance.now() + ASK_MS;
        told.clear();
        bounds = await session.bounds();
      }
      bounds = withEnds(bounds, told);
      told.clear();
      isMuch = newIn(bounds) >= ENOUGH_RECORDS;
      for (const [partition, { end }] of bounds) if (!positions.has(partition)) positions.set(partition, end);
      // One that has them all hears of others that want some; that the owner of one was killed, nobody says.
      const hasAll = [...bounds.keys()].every((partition) => runs.get(partition)?.state === "running");
      if (!stopping && (groupChanged || performance.now() >= sharedAt + (hasAll ? ASK_MS : POLL_MS))) {
        groupChanged = false;
        sharedAt = performance.now();
        await share([...bounds.keys()], session, together);
      }
      for (const run of runs.values()) {
        const seen = bounds.get(run.partition);
        if (seen !== undefined) run.see(seen);
      }
      down = false;
      onSuccess();
      underWay();
      await alarm.wait(POLL_MS);
    }
  }

  /** Forgets runs that have ended, and gives their partitions back. */
  async function letGo(session: Session): Promise<void> {
    const ended = [...runs.values()].filter((run) => run.ended);
    const owned = ended.filter((run) => run.state !== "lost").map((run) => run.partition);
    if (group !== null && owned.length > 0) await session.release(owned);
    for (const run of ended) runs.delete(run.partition);
  }

  /** Takes or gives up partitions until this member has its fair share. */
  async function share(partitions: readonly number[], session: Session, together: Together): Promise<void> {
    if (group === null) {
      for (const partition of partitions) if (!runs.has(partition)) start(session, partition, together);
      return;
    }
    const { rank, members, held } = await session.group();
    const quota = Math.floor(partitions.length / members) + (rank < partitions.length % members ? 1 : 0);
    const owned = [...runs.values()].filter((run) => run.state === "running");
    for (const run of owned.slice(quota)) run.finish();
    const free = partitions.filter((partition) => !runs.has(partition) && !held.has(partition));
    const wanted = free.slice(0, Math.max(0, quota - owned.length));
    if (wanted.length === 0) return;
    for (const partition of await session.acquire(wanted)) start(session, partition, together);
  }

  /** Records that came since the last look. */
  function newIn(bounds: ReadonlyMap<number, { readonly end: number }>): number {
    let sum = 0;
    for (const [partition, { end }] of bounds) {
      const before = ends.get(partition);
      if (before !== undefined) sum += Math.max(0, end - before);
      ends.set(partition, end);
    }
    return sum;
  }

  /** The partitions' statements, of which those of one moment are one. */
  function togetherOf(topic: Topic) {
    const { pool } = deps;
    const fetch = inBatches(
      MOST_TOGETHER,
      (wanted: readonly Wanted[]) => fetchRecords(pool, topic, wanted, subscription.maxBytes),
      setImmediate,
    );
    const commit = inBatches(
      MOST_TOGETHER,
      async (places: readonly { partition: number; next: number }[]) => {
        await commitOffsets(pool, topic, group ?? "", places);
        return places;
      },
      setImmediate,
    );
    return { fetch, commit };
  }

  function start({ topic }: Session, partition: number, together: Together): void {
    const { pool } = deps;
    runs.set(
      partition,
      startPartitionRun({
        pool,
        topic,
        partition,
        subscription,
        semaphore,
        ...together,
        positions,
        onError: tell,
        onEnd: alarm.ring,
      }),
    );
  }

  const connected = keepConnected();
  await firstAttempt;

  return {
    assigned: () => [...runs.values()].filter((run) => run.state !== "lost").map((run) => run.partition),

    async stop(timeoutMs) {
      stopping = true;
      const each = (act: (run: PartitionRun) => void) => {
        for (const run of runs.values()) act(run);
        alarm.ring();
      };
      each((run) => run.finish());
      const abort = setTimeout(() => each((run) => run.abort()), timeoutMs);
      const abandon = setTimeout(() => {
        abandoned = true;
        alarm.ring();
      }, timeoutMs + ABANDON_MS);
      await connected;
      // Without a connection there is nothing left to give up, but batches may still be running.
      while (!abandoned && [...runs.values()].some((run) => !run.ended)) await alarm.wait(POLL_MS);
      clearTimeout(abort);
      clearTimeout(abandon);
    },
  };
}

/** The bounds with those ends that are further. */
function withEnds(
  bounds: ReadonlyMap<number, { readonly end: number }>,
  told: ReadonlyMap<number, number>,
): ReadonlyMap<number, { readonly end: number }> {
  const further = [...told].filter(([partition, end]) => end > (bounds.get(partition)?.end ?? -1));
  return further.length === 0
    ? bounds
    : new Map([...bounds, ...further.map(([partition, end]) => [partition, { end }] as const)]);
}

/** Something to sleep on: `wait` resolves when somebody rings, or rang since the last wait, or the time is up. */
function createAlarm() {
  let rung = false;
  let wake: (() => void) | null = null;
  const ring = () => {
    rung = true;
    wake?.();
  };
  /** Waits for a ring or `ms`; with `unless`, rings are ignored until it is true. */
  async function wait(ms: number, unless?: () => boolean): Promise<void> {
    if (unless === undefined ? rung : unless()) {
      rung = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        if (unless !== undefined && !unless()) return;
        clearTimeout(timer);
        resolve();
      };
    });
    wake = null;
    rung = false;
  }
  /** Forgets rings so far: what they told of is looked at now. */
  const clear = () => (rung = false);
  return { ring, wait, clear };
}
