import { pause } from "@/server/async/backoff";
import type { Logger } from "@/server/observability/logger";
import type { Running } from "@/server/observability/running";
import type { TopicState } from "@/server/ports/event-log";
import { closeGone } from "./close-gone";
import { addReadyRules } from "./ready";
import { recheckLate } from "./recheck";
import { findSilent } from "./silence";
import { decideDue, seedRules, type TurnDeps } from "./turn";
import { moveWatermarks, readWatermark } from "./watermark";

export interface RunAlertingDeps extends TurnDeps {
  /** Describes the log that the pipeline reads. */
  readonly describe: () => Promise<TopicState>;
  readonly logger: Logger;
  /** True where there are to be rules from the start. */
  readonly addsReady: boolean;
  readonly everyMs?: number;
}

/**
 * Does again and again what alerts need besides new readings: changed rules, deadlines, silence, late readings. Of several workers any may do a turn, one
 * at a time. While the log or the database is away there is none: then nobody is silent.
 */
export function runAlerting(deps: RunAlertingDeps): Running {
  const { logger, everyMs = 1000 } = deps;
  const leaving = new AbortController();
  const loop = (async () => {
    let told = false;
    let isReady = !deps.addsReady;
    while (!leaving.signal.aborted) {
      try {
        if (!isReady) await addReadyRules(deps.pool);
        isReady = true;
        if (await isNeeded(deps)) await takeTurn(deps, leaving.signal);
        told = false;
      } catch (error) {
        if (!told) logger.warn({ err: error }, "what alerts need besides readings could not be done; it will be");
        told = true;
      }
      await pause(everyMs, leaving.signal);
    }
  })();
  return {
    async stop() {
      leaving.abort();
      await loop;
    },
  };
}

async function isNeeded({ pool }: TurnDeps): Promise<boolean> {
  const { rows } = await pool.query<{ needed: boolean }>(
    `SELECT EXISTS (SELECT FROM alert_rule) OR EXISTS (SELECT FROM alert_state) AS needed`,
  );
  return rows[0]!.needed;
}

/** One turn. */
export async function takeTurn(
  deps: Omit<RunAlertingDeps, "logger" | "addsReady">,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && (await seedRules(deps)));
  while (!signal.aborted && (await closeGone(deps)));
  while (!signal.aborted && (await recheckLate(deps)));
  const askedAt = Date.now();
  const log = await deps.describe();
  await moveWatermarks(deps.pool, log, askedAt);
  const watermark = await readWatermark(deps.pool, log);
  if (watermark === null || signal.aborted) return;
  await decideDue(deps, watermark);
  await findSilent(deps, watermark);
}
