import { randomInt } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { HOLD_RULES } from "@/server/alerting/epoch";
import type { EpochMs } from "@/server/domain/terms";
import type { Catalog } from "@/server/catalog/catalog";
import { HOLD_EPOCH } from "@/server/catalog/epoch";
import { lockDevices } from "@/server/catalog/catalog-writes";
import { withTransaction } from "@/server/postgres/transaction";
import type { Partitions } from "@/server/readings/partitions";
import { KEYED_ACCESS } from "@/server/postgres/keyed-access";
import type { CommitBatch } from "@/server/ports/commit-batch";
import {
  type Committed,
  FencedError,
  jointOf,
  partsOf,
  type PipelineCommit,
  type SettlingBatch,
  totalsOf,
} from "../batch";
import { advancePositions, lockPositions, type PipelinePosition } from "../positions";

/** A contributor writes its part of what the batches hold together. */
type Contributor = (tx: PoolClient, batch: CommitBatch) => Promise<void>;
/** The same of what goes by partition. */
type PartitionContributor = (tx: PoolClient, batches: readonly PipelineCommit[]) => Promise<void>;

export interface CommitDeps {
  readonly pool: Pool;
  readonly partitions: Partitions;
  readonly catalog: Pick<Catalog, "forget">;
  /** The contributors, in the order in which they write. */
  readonly contributors: readonly Contributor[];
  /** These write after them. */
  readonly byPartition: readonly PartitionContributor[];
}

/** So many marks that none comes twice while anybody remembers it. */
const MOST_MARK = 2 ** 48 - 1;
const NOTHING_WRITTEN = { added: [], duplicates: 0, conflicts: [], late: 0 } as const;

/** Ends a commit that was only tried, so that nothing of it is kept. */
class TriedError extends Error {}

/**
 * Runs the contributors and moves the positions in one transaction: all of it or nothing.
 * @returns what each batch changed
 * @throws FencedError if another worker has moved a position; SharedDeviceError
 */
export function createCommit(deps: CommitDeps) {
  const commit = committing(deps);
  return {
    commit: (batches: readonly SettlingBatch[], signal: AbortSignal) => commit(batches, signal, false),

    /** Does all of it and takes it back. @throws what a commit would. */
    async tryCommit(batches: readonly SettlingBatch[], signal: AbortSignal): Promise<void> {
      await commit(batches, signal, true).catch((error: unknown) => {
        if (!(error instanceof TriedError)) throw error;
      });
    },
  };
}

function committing({ pool, partitions, catalog, contributors, byPartition }: CommitDeps) {
  return async (batches: readonly SettlingBatch[], signal: AbortSignal, isTrial: boolean): Promise<Committed[]> => {
    const joint = jointOf(batches);
    const { messages } = joint;
    const times: EpochMs[] = [];
    const ids = new Set<number>();
    for (const { deviceId, message, metrics } of messages) {
      ids.add(deviceId);
      if (metrics.length > 0) times.push(message.eventTime);
    }
    await partitions.ensure(times);
    const devices = [...ids];
    signal.throwIfAborted();

    return withTransaction(
      pool,
      async (tx) => {
        const { moved, catalogEpoch, rulesEpoch } = await lockPositions(
          tx,
          batches.map(({ position }) => position),
        );
        if (moved !== null) throw fenced(moved);
        if (batches.some(({ epoch }) => epoch !== null && epoch !== catalogEpoch)) {
          catalog.forget();
          throw new FencedError("the catalog changed since the batch was read");
        }
        // A device has one writer at a time even while its key moves between partitions.
        const locked = await lockDevices(tx, devices);
        if (locked.size !== devices.length) {
          catalog.forget();
          throw new FencedError("a device of the batch was removed from the catalog");
        }
        const { processedTime } = batches[0]!;
        const commit: CommitBatch = {
          ...{ ...joint, devices: locked, written: NOTHING_WRITTEN },
          ...{ mark: randomInt(MOST_MARK), rulesEpoch: rulesEpoch ?? 0, processedTime },
        };
        for (const contribute of contributors) await contribute(tx, commit);
        const parts = partsOf(batches, commit);
        for (const contribute of byPartition) await contribute(tx, parts);
        const steps = parts.map((part) => ({ ...part, totals: totalsOf(part) }));
        const { areAll, isWatched } = await advancePositions(tx, steps);
        if (!areAll) throw fenced(batches[0]!.position);
        if (isTrial) throw new TriedError();
        return steps.map(({ messages, written, totals }) => ({ messages, added: written.added, totals, isWatched }));
      },
      [...KEYED_ACCESS, HOLD_EPOCH, HOLD_RULES],
    );
  };
}

function fenced({ topic, partition, next }: PipelinePosition): FencedError {
  return new FencedError(`${topic}/${partition} is not at ${next} any more`);
}
