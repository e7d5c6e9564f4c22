import { createAccept } from "./ingest/accept";
import { type Admission, createAdmission } from "./ingest/admission";
import { noIngestCounts, type IngestCounts } from "./ingest/ingest-rates";
import { IngestRefusedError } from "./ingest/refused";
import { claimNames } from "./ingest/new-names";
import { createNameCheck } from "./ingest/name-check";
import { createPace } from "./ingest/pace";
import { createSenders } from "./ingest/sender";
import { createWaitingBytes } from "./ingest/waiting-bytes";
import { findAllSiteNames, findDevices, findMetrics } from "./catalog/catalog-writes";
import type { Engines } from "./compose";
import type { Config } from "./config/config";
import type { Logger } from "./observability/logger";
import { isRetryable } from "./postgres/error-classes";
import { createTaken } from "./readings/taken";
import { createDoorCounting } from "./sources/counts";
import { createIntake } from "./sources/intake";
import { createSources } from "./sources/open-sources";
import { readDelivery } from "./sources/read";
import { createSampling } from "./sources/samples";

const APPEND_TIMEOUT_MS = 30_000;

/** What every process that has doors needs: the one judgement of all messages, and the intake of sources that ends in it. */
export type Doors = ReturnType<typeof composeDoors>;

interface DoorParts {
  readonly config: Pick<Config, "ingest" | "pipeline">;
  readonly engines: Pick<Engines, "eventLog" | "pool">;
  /** Returns the counts that doors add to; left out, nothing is counted. */
  readonly ingestCounts?: () => IngestCounts;
  /** Left out, one of its own. */
  readonly admission?: Admission;
  readonly logger: Logger;
}

/** Binds doors to these engines. `forget` is to be called with what has changed, `stop` at the end, before the engines close. */
export function composeDoors({ config, engines, ingestCounts = noIngestCounts, logger, ...parts }: DoorParts) {
  const { ingest, pipeline } = config;
  const { pool, eventLog } = engines;
  const taken = createTaken(pool, pipeline.READINGS_RETENTION_DAYS);
  const bounds = () => {
    const now = Date.now();
    return { now, futureToleranceMs: pipeline.FUTURE_TOLERANCE_SECONDS * 1000, retentionMs: taken.latest(now) };
  };
  const admission = parts.admission ?? composeAdmission(config, engines);
  const rates = {
    messagesPerSecond: ingest.KEY_MESSAGES_PER_SECOND,
    bytesPerSecond: ingest.KEY_BYTES_PER_SECOND,
  };
  const pace = createPace(rates);
  const senders = createSenders();
  const maxMessages = ingest.INGEST_MAX_MESSAGES;
  const accept = createAccept({
    ...{ admission, pace, eventLog, maxMessages, bounds },
    appendTimeoutMs: APPEND_TIMEOUT_MS,
    counts: ingestCounts,
  });
  const sources = createSources(pool);
  const counting = createDoorCounting(pool, (error) =>
    logger.debug({ err: error }, "the counts of sources could not be written"),
  );
  const sampling = createSampling(pool, (error) =>
    logger.debug({ err: error }, "samples of sources could not be written"),
  );
  const intake = createIntake({
    read: (source, delivery) =>
      readDelivery(source, delivery, (error) => logger.error({ err: error, source: source.name }, "a mapping failed")),
    senderOf: ({ name, site }) => senders.ofSource(name, site?.id ?? null),
    ...{ accept, pace, rates, maxMessages, counting, sampling },
    tooLarge: (detail) => new IngestRefusedError("body-too-large", `The body is too large: ${detail}.`),
  });
  return {
    ...{ accept, bounds, pace, senders, sources, intake, counting },
    checkNames: createNameCheck(admission, bounds),
    waiting: createWaitingBytes(ingest.INGEST_MAX_WAITING_BYTES),
    /** @param changed what {@link import("./access/watch").watchAccess} told. */
    forget(changed: string) {
      if (changed === "catalog" || changed === "anything") admission.forget();
      if (changed === "sources" || changed === "anything") sources.forget();
    },
    async stop() {
      await Promise.all([counting.stop(), sampling.stop()]);
    },
  };
}

/** Judges senders by the catalog of these engines. */
export function composeAdmission({ ingest }: Pick<Config, "ingest">, { pool }: Pick<Engines, "pool">): Admission {
  const most = { device: ingest.KEY_NEW_DEVICES_PER_HOUR, metric: ingest.KEY_NEW_METRICS_PER_HOUR };
  return createAdmission({
    devices: (names) => findDevices(pool, names),
    metrics: (names) => findMetrics(pool, names),
    siteNames: (ids) => findAllSiteNames(pool, ids),
    claim: (sender, kind, names) => claimNames(pool, sender, kind, names, most[kind]),
    isAway: isRetryable,
  });
}
