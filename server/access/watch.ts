import { createBackoff, pause } from "@/server/async/backoff";
import type { Logger } from "@/server/observability/logger";
import { type ConnectionString, DatabaseClient } from "@/server/postgres/client";
import type { Changed } from "./authenticate";

/** The channel on which triggers say that what callers may do has changed. */
const CHANNEL = "fieldwatch_access";
/** Longest time between two calls, for a notification that was lost. */
const SWEEP_MS = 60_000;
/** A connection that hangs without breaking counts as lost after it. */
const ANSWER_MS = 10_000;

/**
 * Calls `onChange` whenever sessions, keys or roles have changed, or what of the catalog decides who may send for a device, or sources, as soon as PostgreSQL says so; and, in case that was
 * missed, with "anything" after each lost connection and every minute.
 * @param others other channels that the same connection listens to, by name, with what is done with what is said on them
 * @returns stops it.
 */
export function watchAccess(
  connectionString: ConnectionString,
  logger: Logger,
  onChange: (changed: Changed) => void,
  others: Readonly<Record<string, (payload: string) => void>> = {},
): () => Promise<void> {
  const ending = new AbortController();
  const backoff = createBackoff({ firstMs: 500, maxMs: 5000 });

  async function listen(): Promise<void> {
    const client = new DatabaseClient({
      connectionString,
      application_name: "fieldwatch access",
      connectionTimeoutMillis: 5000,
      query_timeout: ANSWER_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 5000,
    });
    const over = new AbortController();
    const stop = () => over.abort();
    client.on("error", stop);
    client.on("end", stop);
    ending.signal.addEventListener("abort", stop);
    try {
      await client.connect();
      client.on("notification", ({ channel, payload = "" }) => {
        if (channel === CHANNEL) onChange(isChange(payload) ? payload : "anything");
        else others[channel]?.(payload);
      });
      const channels = [CHANNEL, ...Object.keys(others)].map((channel) => `LISTEN ${channel}`);
      await client.query(["SET idle_session_timeout = 0", ...channels].join("; "));
      backoff.reset();
      while (!over.signal.aborted && !ending.signal.aborted) {
        onChange("anything");
        await pause(SWEEP_MS, over.signal);
        // A connection that hangs says nothing, and would go on saying nothing.
        if (!over.signal.aborted) await client.query("SELECT");
      }
    } finally {
      ending.signal.removeEventListener("abort", stop);
      await disconnect(client);
    }
  }

  const running = (async () => {
    while (!ending.signal.aborted) {
      await listen().catch((error: unknown) => logger.debug({ err: error }, "changes of access can't be heard"));
      if (!ending.signal.aborted) await pause(backoff.next(), ending.signal);
    }
  })();
  return async () => {
    ending.abort();
    await running;
  };
}

function isChange(payload: string): payload is Changed {
  return ["people", "keys", "catalog", "sources"].includes(payload);
}

/** Ends the connection; one that doesn't answer any more is cut. */
async function disconnect(client: DatabaseClient): Promise<void> {
  const cut = setTimeout(() => client.connection.stream.destroy(), 1000);
  await client.end().catch(() => undefined);
  clearTimeout(cut);
}
