import type { Pool } from "pg";
import type { ProbeResult } from "@/server/contracts/health";
import type { EpochMs } from "@/server/domain/terms";
import { writeLag } from "./lag";
import { closeStretch, type Stretch, writeStretch } from "./write";

/** Messages that wait longer are an episode, in seconds. */
const LAG_SECONDS = 10;
const MINUTE = 60_000;
/** Changes kept while the database is away; the oldest are lost. */
const MOST_WAITING = 5000;

/** Remembers what this process sees of Fieldwatch itself. */
export interface Follower {
  /** Takes what the probes say now. */
  sawProbes(
    results: readonly Pick<ProbeResult, "name" | "title" | "group" | "status" | "since" | "summary" | "cause">[],
  ): void;
  /** Takes what waits now; null: nobody knows. */
  sawLag(at: EpochMs, seconds: number | null, messages: number | null): void;
  /** Writes a stretch as soon as the database takes it. */
  saw(stretch: Stretch): void;
  /** Resolves when what was seen is written, or can't be for now. */
  settled(): Promise<void>;
}

/** Follows probes and lag by what is asked for anyway. What can't be written while the database is away is, with its times, when it is back. */
export function followOwn(pool: Pool, onError: (error: unknown) => void): Follower {
  const waiting: (() => Promise<void>)[] = [];
  const bad = new Map<string, string>();
  let isFirst = true;
  let isFirstLag = true;
  let lagging: { readonly from: EpochMs; seconds: number } | null = null;
  let minute: { readonly at: EpochMs; seconds: number; messages: number } | null = null;
  let writing: Promise<void> | null = null;

  const flush = () => (writing ??= drain().finally(() => (writing = null)));
  async function drain(): Promise<void> {
    try {
      for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
        await next();
        waiting.shift();
      }
    } catch (error) {
      onError(error);
    }
  }
  function later(write: () => Promise<void>): void {
    waiting.push(write);
    if (waiting.length > MOST_WAITING) waiting.splice(1, 1);
    void flush();
  }

  return {
    sawProbes(results) {
      for (const { name, title, group, status, since, summary, cause } of results) {
        if (status === "unknown") continue;
        const from = Date.parse(since);
        const was = bad.get(name) ?? "pass";
        if (status === "pass") {
          bad.delete(name);
          // What the process before left open is over, too.
          if (was !== "pass" || isFirst) later(() => closeStretch(pool, "probe", name, from));
        } else if (was !== status) {
          bad.set(name, status);
          const severity = status === "fail" ? "critical" : "warning";
          later(() =>
            writeStretch(pool, {
              ...{ kind: "probe", key: name, severity, from, to: null },
              data: { title, group, summary, cause },
            }),
          );
        }
      }
      isFirst = false;
      if (waiting.length > 0) void flush();
    },
    sawLag(at, seconds, messages) {
      if (waiting.length > 0) void flush();
      if (seconds === null) return;
      const start = Math.floor(at / MINUTE) * MINUTE;
      if (minute !== null && minute.at !== start) {
        const { at: done, ...most } = minute;
        later(() => writeLag(pool, done, most));
      }
      minute = {
        at: start,
        seconds: Math.max(seconds, minute?.at === start ? minute.seconds : 0),
        messages: Math.max(messages ?? 0, minute?.at === start ? minute.messages : 0),
      };
      if (seconds > LAG_SECONDS) {
        const from = lagging?.from ?? at - seconds * 1000;
        const isNew = lagging === null;
        const most = (lagging = { from, seconds: Math.max(seconds, lagging?.seconds ?? 0) });
        if (isNew) later(() => writeStretch(pool, stretchOf(most, null)));
      } else if (lagging !== null) {
        const over = lagging;
        lagging = null;
        later(() => writeStretch(pool, stretchOf(over, at)));
      } else if (isFirstLag) later(() => closeStretch(pool, "lag", "pipeline", at));
      isFirstLag = false;
    },
    saw: (stretch) => later(() => writeStretch(pool, stretch)),
    async settled() {
      await flush();
    },
  };
}

function stretchOf(
  { from, seconds }: { readonly from: EpochMs; readonly seconds: number },
  to: EpochMs | null,
): Stretch {
  return { kind: "lag", key: "pipeline", severity: "warning", from, to, data: { seconds: Math.round(seconds) } };
}
