import type { PoolClient } from "pg";
import { pause } from "@/server/async/backoff";
import type { Running } from "@/server/observability/running";
import type { EventLog } from "@/server/ports/event-log";
import { publishEvents } from "./publish";
import { createSender, type SenderDeps } from "./sender";
import { createTurn } from "./turn";

export interface NotifierDeps extends SenderDeps {
  readonly publicUrl: string | null;
  readonly eventLog: Pick<EventLog, "append">;
  /** The time between two looks at what is to be done, in milliseconds. */
  readonly lookMs?: number;
  /** The time until another process that was the one is looked after, in milliseconds. */
  readonly retryMs?: number;
}

/**
 * Decides whom to tell of events, and tells them. Of all processes that run it one does; which one, a lock of PostgreSQL says, which goes
 * with the connection. Should two do it for a moment, rows they take keep them apart.
 */
export function runNotifier(deps: NotifierDeps): Running {
  const { pool, logger, eventLog, lookMs = 500, retryMs = 2000 } = deps;
  const leaving = new AbortController();

  async function lead(): Promise<void> {
    const turn = createTurn(deps);
    const sender = createSender(deps);
    const lost = new AbortController();
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
    try {
      if (!(await holds(client))) return;
      const ending = AbortSignal.any([leaving.signal, lost.signal]);
      while (!ending.aborted) {
        await turn();
        await sender.start();
        await sender.remind();
        publish();
        await pause(lookMs, ending);
      }
    } finally {
      await sender
        .stop()
        .catch((error: unknown) => logger.warn({ err: error }, "what was being sent will be sent again"));
      await publishing;
      client.off("error", onError);
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
