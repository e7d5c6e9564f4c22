import type { Pool } from "pg";
import { createJudge } from "@/server/alerting/judge";
import { addActivity, addConflicts, addRounded } from "@/server/catalog/contributors";
import { addLabels } from "@/server/catalog/said-labels";
import type { ColdReader } from "@/server/readings/cold/reader";
import { readBlocks } from "@/server/readings/blocks";
import { createCheckQuality } from "@/server/quality/check-quality";
import { createAddReadings } from "@/server/readings/contributors";
import { createPartitions } from "@/server/readings/partitions";
import { addTextRuns } from "@/server/readings/text-runs";
import { createEdgeReader } from "@/server/readings/series-edges";
import { addRate, addRefused } from "./rates";
import { addReplayRuns } from "./replay-runs";
import type { DeadLetters } from "@/server/ports/dead-letters";
import { findMetricsOf } from "@/server/catalog/catalog-writes";
import { readNamesUnderWay } from "@/server/catalog/removals";
import type { DeviceTwins } from "@/server/ports/device-twins";
import type { StoredRecord } from "@/server/ports/event-log";
import type { MessageArchive } from "@/server/ports/message-archive";
import type { Committed, SourceBatch } from "./batch";
import { createCatalog, type CatalogSettings } from "@/server/catalog/catalog";
import { addErased } from "./erased";
import { createForgetLeftOver } from "./own-names";
import { createCommit } from "./stages/commit";
import { createDecode, type DecodeSettings } from "./stages/decode";
import { createEnrich } from "./stages/enrich";
import { createLeaveOutRepeats } from "./stages/leave-out-repeats";
import { createRefuseRecord } from "./stages/refuse-record";
import type { PublishLive } from "./stages/publish-live";
import { addSettlements } from "./settlements";
import { addSources } from "./source-commits";
import { createSettleResends, createFindSettlements } from "./stages/settle-resends";
import { createStoreDocuments } from "./stages/store-documents";
import { addTakenFrom } from "./taken-from";
import { addWaits, each, timed, type Timings } from "./timings";

export interface PipelineDeps extends DecodeSettings, CatalogSettings {
  readonly pool: Pool;
  readonly archive: Pick<MessageArchive, "store">;
  readonly twins: Pick<DeviceTwins, "get" | "merge" | "forget">;
  readonly deadLetters: Pick<DeadLetters, "store" | "find" | "change">;
  /** Where readings of long ago lie, beside which late ones are judged. */
  readonly cold: ColdReader;
  readonly publishLive: PublishLive;
  readonly timings: Timings;
}

/** Stores batches. When a call resolves, all of its batches are stored once; when it throws, they must come again. */
export interface Pipeline {
  /**
   * Handles batches of different partitions as one: all or none is committed. @returns what each changed
   * @throws SharedDeviceError when they must be handled one by one
   */
  handle(batches: readonly SourceBatch[], signal: AbortSignal): Promise<readonly Committed[]>;
  /** Gives up a batch of the one record that made `handle` throw `error`: it is kept as a dead letter. */
  refuse(batch: SourceBatch, record: StoredRecord, error: unknown, signal: AbortSignal): Promise<Committed>;
}

/** Creates the pipeline: the stages every message goes through, in order. */
export function createPipeline(deps: PipelineDeps): Pipeline {
  const { timings } = deps;
  const catalog = createCatalog(deps);
  const partitions = createPartitions(deps.pool);

  // records that a source took over from another log once more
  const leaveOutRepeats = createLeaveOutRepeats(deps);
  // bytes → messages | dead letters
  const decode = timed(timings, "decode", each(createDecode(deps)));
  // names → device and metric ids, discovered if new
  const enrich = timed(timings, "enrich", each(createEnrich({ catalog, readEdges: createEdgeReader(deps.pool) })));
  // which messages are dead letters sent again, and what comes of them
  const findSettlements = createFindSettlements(deps);
  // messages, dead letters, twins; repeatable
  const forgetLeftOver = createForgetLeftOver({
    twins: deps.twins,
    metricsOf: (devices) => findMetricsOf(deps.pool, devices),
    underWay: (names) => readNamesUnderWay(deps.pool, names),
  });
  const storeDocuments = timed(timings, "documents", createStoreDocuments({ ...deps, forgetLeftOver }));
  // all that follows and the next offset, in one transaction
  const contributors = [
    createAddReadings(deps.cold), // what of them is new; those below go by it
    addTextRuns, // what fields of words said, and until when
    addActivity,
    addConflicts,
    addRounded,
    addLabels, // what they say of their devices
    createJudge(readBlocks), // the alert rules
    createCheckQuality(readBlocks), // flags of the quality checks, repeats and late readings by device
  ];
  // of each partition's part
  const byPartition = [addRate, addRefused, addSources, addTakenFrom, addReplayRuns, addSettlements, addErased];
  const committing = createCommit({ ...deps, catalog, partitions, contributors, byPartition });
  const commit = timed(timings, "readings", committing.commit);
  // tells resent dead letters their outcome; repeatable, and made up for if it fails
  const settleResends = createSettleResends(deps);
  // frames for browsers; best effort, timed by itself
  const { publishLive } = deps;

  // instead of all of these, for a record that made one of them fail
  const refuse = createRefuseRecord({
    ...{ findSettlements, storeDocuments, settleResends, commit },
    tryCommit: committing.tryCommit,
  });

  return {
    async handle(sources, signal) {
      const [fresh] = await Promise.all([leaveOutRepeats(sources), catalog.refresh()]);
      const decoded = await decode(fresh);
      const enriched = await enrich(decoded);
      signal.throwIfAborted();
      const settling = await each(findSettlements)(enriched);
      await storeDocuments(settling);
      const committed = await commit(settling, signal);
      await each(settleResends)(settling);
      const isWanted = committed.some(({ isWatched }) => isWatched) || sources.some(({ followed }) => followed);
      if (!isWanted) publishLive.leaveOut(committed);
      for (const [i, source] of sources.entries()) {
        if (isWanted) publishLive.add(committed[i]!, catalog.metricName);
        source.followed?.committed(committed[i]!, publishLive.sent());
        addWaits(timings, source);
      }
      return committed;
    },
    async refuse(source, record, error, signal) {
      const committed = await refuse(source, record, error, signal);
      source.followed?.committed(committed, Promise.resolve(false));
      return committed;
    },
  };
}
