import type { Pool } from "pg";
import { createBackoff, pause } from "@/server/async/backoff";
import type { Death } from "@/server/config/launch";
import type { Logger } from "@/server/observability/logger";
import { writeStretch } from "./write";

/** Remembers that a process ended and was started again, as soon as the database takes it. */
export function noteRestart(pool: Pool, role: string, death: Death | null, logger: Logger): { stop(): void } {
  const leaving = new AbortController();
  const to = Date.now();
  const write = async () => {
    const backoff = createBackoff({ firstMs: 500, maxMs: 30_000 });
    while (death !== null && !leaving.signal.aborted) {
      try {
        const data = { how: death.how };
        return await writeStretch(pool, { kind: "process", key: role, severity: "warning", from: death.at, to, data });
      } catch (error) {
        logger.debug({ err: error }, "a restart could not be noted; it will be");
        await pause(backoff.next(), leaving.signal);
      }
    }
  };
  void write();
  return { stop: () => leaving.abort() };
}
