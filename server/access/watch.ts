import { createBackoff, pause } from "@/server/async/backoff";
import type { Logger } from "@/server/observability/logger";
import { DatabaseClient } from "@/server/postgres/client";

/** The channel on which triggers say that what callers may do has changed. */
const CHANNEL = "fieldwatch_access";
/** Longest time between two calls, for a notification that was lost. */
const SWEEP_MS = 60_000;
/** A connection that hangs without breaking counts as lost after it. */
const ANSWER_MS = 10_000;

/**
 * Calls `onChange` whenever sessions, keys or roles may have changed: at once when PostgreSQL says so, after each lost
 * connection, and every minute.
 * @returns stops it.
 */
export function watchAccess(connectionString: string, logger: Logger, onChange: () => void): () => Promise<void> {
  const ending = new AbortController();
  const sweep = setInterval(onChange, SWEEP_MS);
  const backoff = createBackoff({ firstMs: 500, maxMs: 5000 });

  async function listen(): Promise<void> {
    const client = new DatabaseClient({
      connectionString,
      application_name: "fieldwatch access",
      connectionTimeoutMillis: 5000,
      query_timeout: ANSWER_MS,
      keepAlive: true,
    });
    const lost = new Promise<void>((resolve) => {
      client.on("error", () => resolve());
      client.on("end", () => resolve());
      ending.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    try {
      await client.connect();
      client.on("notification", onChange);
      await client.query(`SET idle_session_timeout = 0; LISTEN ${CHANNEL}`);
      backoff.reset();
      onChange();
      await lost;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  const running = (async () => {
    while (!ending.signal.aborted) {
      await listen().catch((error: unknown) => logger.debug({ err: error }, "changes of access can't be heard"));
      if (!ending.signal.aborted) await pause(backoff.next(), ending.signal);
    }
  })();
  return async () => {
    clearInterval(sweep);
    ending.abort();
    await running;
  };
}
