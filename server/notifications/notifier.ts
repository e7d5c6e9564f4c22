import type { PoolClient } from "pg";
import { pause } from "@/server/async/backoff";
import type { Running } from "@/server/observability/running";
import type { EventLog } from "@/server/ports/event-log";
import { publishEvents } from "./publish";
import { createSender, type SenderDeps } from "./sender";
import { createTurn, nextTurnAt } from "./turn";

/** The channel on which triggers say that there may be something to tell. */
const CHANNEL = "fieldwatch_notifier";

export interface NotifierDeps extends SenderDeps {
  readonly publicUrl: string | null;
  readonly eventLog: Pick<EventLog, "append">;
  /** The least time between two looks at what is to be done, in milliseconds. */
  readonly lookMs?: number;
  /** The most time between two looks, however little happens, in milliseconds. */
  readonly restMs?: number;
  /** The time until another process that was the one is looked after, in milliseconds. */
  readonly retryMs?: number;
}

/**
 * Decides whom to tell of events, and tells them. Of all processes that run it one does; which one, a lock of PostgreSQL says, which goes
 * with the connection. Should two do it for a moment, rows they take keep them apart.
 */
export function runNotifier(deps: NotifierDeps): Running {
  const { pool, logger, eventLog, now, lookMs = 100, restMs = 5000, retryMs = 2000 } = deps;
  const leaving = new AbortController();

  async function lead(): Promise<void> {
    const turn = createTurn(deps);
    const lost = new AbortController();
    let waking = new AbortController();
    const wake = () => waking.abort();
    const sender = createSender({ ...deps, onSent: wake });
    const client = await pool.connect();
    // The log may be away for long, which keeps nobody from being told.
    let publishing: Promise<void> | null = null;
    let told = false;
    const publish = () => {
      publishing ??= (async () => {
        while (!leaving.signal.aborted && (await publishEvents(pool, eventLog)) > 0);
        told = false;
      })()
        .catch((error: unknown) => {
          if (!told) logger.warn({ err: error }, "events of alerts can't be published for now; they will be");
          told = true;
        })
        .finally(() => (publishing = null));
    };
    const onError = () => lost.abort();
    client.on("error", onError);
    client.on("notification", wake);
    try {
      if (!(await holds(client))) return;
      await client.query(`LISTEN ${CHANNEL}`);
      const ending = AbortSignal.any([leaving.signal, lost.signal]);
      while (!ending.aborted) {
        // Before the look: what happens while it goes on is looked at by the next.
        waking = new AbortController();
        const lookedAt = now();
        await turn();
        await sender.start();
        await sender.remind();
        publish();
        await pause(lookMs, ending);
        const turnAt = (await nextTurnAt(pool, lookedAt)) ?? Infinity;
        await pause(Math.min(restMs, Math.max(0, turnAt - now())), AbortSignal.any([ending, waking.signal]));
      }
    } finally {
      await sender
        .stop()
        .catch((error: unknown) => logger.warn({ err: error }, "what was being sent will be sent again"));
      await publishing;
      client.off("error", onError);
      client.off("notification", wake);
      // The lock goes with the connection.
      client.release(true);
    }
  }

  async function run(): Promise<void> {
    let told = false;
    while (!leaving.signal.aborted) {
      try {
        await lead();
        told = false;
      } catch (error) {
        // An outage, or tables that are still to be migrated, last for many looks: once is enough.
        if (!told) logger.warn({ err: error }, "nobody can be notified for now; it is tried again");
        told = true;
      }
      await pause(retryMs, leaving.signal);
    }
  }

  const running = run();
  return {
    async stop() {
      leaving.abort();
      await running;
    },
  };
}

async function holds(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>(
    `SELECT pg_try_advisory_lock(hashtextextended('fieldwatch.notifier', 0)) AS held`,
  );
  return rows[0]!.held;
}
