import { pause } from "@/server/async/backoff";
import type { Logger } from "@/server/observability/logger";
import type { Running } from "@/server/observability/running";
import { prepared } from "@/server/postgres/prepared";
import { timeText } from "@/server/postgres/time-text";
import type { EpochMs } from "@/server/domain/terms";
import type { TopicState } from "@/server/ports/event-log";
import { createReadRules } from "./active-rules";
import { closeGone, GONE } from "./close-gone";
import { addReadyRules } from "./ready";
import { judgeOddness, UNJUDGED_ODD } from "./oddness";
import { recheckLate } from "./recheck";
import { judgeScores, SCORED_AT } from "./scored";
import { findSilent, leastSilence, MAY_BE_SILENT } from "./silence";
import { decideDue, DUE, seedRules, type TurnDeps } from "./turn";
import { followWatermark } from "./watermark";

export interface RunAlertingDeps extends TurnDeps {
  /** Describes the log that the pipeline reads. */
  readonly describe: () => Promise<TopicState>;
  readonly logger: Logger;
  /** True where there are to be rules from the start. */
  readonly addsReady: boolean;
  readonly everyMs?: number;
  readonly now?: () => EpochMs;
}

/**
 * Does again and again what alerts need besides new readings: changed rules, deadlines, silence, late readings. Of several workers any may do a turn, one
 * at a time. While the log or the database is away there is none: then nobody is silent.
 */
export function runAlerting(deps: RunAlertingDeps): Running {
  const { logger, everyMs = 1000 } = deps;
  const leaving = new AbortController();
  const tellUnreadable = (rules: readonly string[]) =>
    logger.error(
      { details: { rules } },
      "alert rules can't be read, and aren't judged: remove them by REST, and add them anew",
    );
  const loop = (async () => {
    const takeTurn = createTurn({ readRules: createReadRules(tellUnreadable), ...deps });
    let told = false;
    let isReady = !deps.addsReady;
    while (!leaving.signal.aborted) {
      try {
        if (!isReady) await addReadyRules(deps.pool);
        isReady = true;
        await takeTurn(leaving.signal);
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

interface Wanted {
  /** There is something to decide, or may be soon. */
  readonly needed: boolean;
  readonly seeds: boolean;
  readonly gone: boolean;
  readonly rechecks: boolean;
  readonly odd: boolean;
  /** Time alone may decide something. */
  readonly waits: boolean;
  /** When devices were scored last. */
  readonly scoredAt: number | null;
}

const WANTED = prepared(
  `SELECT EXISTS (SELECT FROM alert_rule) OR EXISTS (SELECT FROM alert_state) AS needed,
     EXISTS (SELECT FROM alert_rule WHERE seeded < version) AS seeds, EXISTS (SELECT ${GONE}) AS gone, EXISTS (SELECT FROM alert_recheck) AS rechecks,
     EXISTS (SELECT ${UNJUDGED_ODD}) AS odd, ${SCORED_AT} AS "scoredAt", EXISTS (SELECT ${DUE}) OR ${MAY_BE_SILENT} AS waits`,
);

/** Makes the function that takes one turn. Nearly always there is nothing to do, which one statement says. */
export function createTurn(
  deps: Omit<RunAlertingDeps, "logger" | "addsReady" | "everyMs">,
): (signal: AbortSignal) => Promise<void> {
  const watermarkOf = followWatermark(deps.pool);
  let judgedScores: number | null = null;
  return async (signal) => {
    const askedAt = (deps.now ?? Date.now)();
    // What isn't due by now isn't by the watermark, which is before.
    const { rows } = await deps.pool.query<Wanted>(WANTED([timeText(askedAt), leastSilence(deps), deps.staleMs]));
    const { needed, seeds, gone, rechecks, odd, scoredAt, waits } = rows[0]!;
    if (!needed) return;
    if (seeds) while (!signal.aborted && (await seedRules(deps)));
    if (gone) while (!signal.aborted && (await closeGone(deps)));
    if (rechecks) while (!signal.aborted && (await recheckLate(deps)));
    if (odd) while (!signal.aborted && (await judgeOddness(deps)));
    // Scores come every few minutes; a changed rule looks at those there are.
    if (scoredAt !== null && (seeds || scoredAt !== judgedScores) && (await judgeScores(deps, scoredAt)))
      judgedScores = scoredAt;
    if (!waits && !seeds) return;
    const watermark = await watermarkOf(await deps.describe(), askedAt);
    if (watermark === null || signal.aborted) return;
    await decideDue(deps, watermark);
    await findSilent(deps, watermark);
  };
}
