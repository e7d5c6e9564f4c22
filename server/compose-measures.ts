import type { MeasurePipeline } from "./alerting/pipeline-looks";
import { openFor, readOpen } from "./alerting/telemetry-open";
import { withinOr } from "./async/timeout";
import type { Engines } from "./compose";
import type { Config } from "./config/config";
import { OWN_SOURCE } from "./domain/source";
import { type EpochMs, PIPELINE_GROUP, TOPICS } from "./domain/terms";
import { readDisk } from "./health/machine";
import { readDeadLetterShare, readLagSeconds } from "./pipeline/pipeline-state";
import { TopicMissingError } from "./ports/event-log";
import { readRhythms } from "./sources/counts";

/** The time an engine has to answer, in milliseconds. */
const PATIENCE_MS = 3500;
const DEAD_LETTERS_MS = 5 * 60_000;

interface MeasureParts {
  readonly config: Config;
  readonly engines: Engines;
  readonly now: () => EpochMs;
}

/** How what rules about the pipeline go by is measured: as Health's probes see it, from where the worker runs. */
export function composeMeasures({ config, engines, now }: MeasureParts): MeasurePipeline {
  const { pool, eventLog, inspection, names } = engines;
  const whole = (value: number | null) => (value === null ? null : [{ subject: "", value }]);
  const asks = new Map<string, () => Promise<unknown>>([[names.database, () => pool.query("SELECT")]]);
  if (inspection.kafka !== null) asks.set(names.eventLog, () => eventLog.describe(TOPICS.telemetry, PIPELINE_GROUP));
  if (inspection.mongodb !== null) asks.set(names.documents, () => inspection.mongodb!.server());
  return {
    lagSeconds: async () => whole(await readLagSeconds({ pool, eventLog, now })),
    deadLetterPercent: async () => whole(100 * (await readDeadLetterShare(pool, now(), DEAD_LETTERS_MS))),
    async freeDiskPercent() {
      const { free, total } = await readDisk(config.dataDir);
      return total === 0 ? null : whole((100 * free) / total);
    },
    engineAway: () =>
      Promise.all([...asks].map(async ([subject, ask]) => ({ subject, value: (await isThere(ask)) ? 0 : 1 }))),
    async sourceSilentMinutes() {
      const at = now();
      const [rhythms, open] = [await readRhythms(pool), await readOpen(pool, 0)];
      // The telemetry route's own can't be disabled where nobody uses it; its devices tell of their silence.
      return rhythms
        .filter(({ source }) => source !== OWN_SOURCE)
        .map(({ source, lastSeen }) => ({ subject: source, value: openFor(open, lastSeen, at) / 60_000 }));
    },
  };
}

async function isThere(ask: () => Promise<unknown>): Promise<boolean> {
  const answers = ask().then(
    () => true,
    (error: unknown) => error instanceof TopicMissingError,
  );
  return withinOr(PATIENCE_MS, answers, false);
}
