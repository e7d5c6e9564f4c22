import type { Pool, PoolClient } from "pg";
import type { Catalog } from "@/server/catalog/catalog";
import { HOLD_EPOCH, readEpoch } from "@/server/catalog/epoch";
import { lockDevices } from "@/server/catalog/catalog-writes";
import { withTransaction } from "@/server/postgres/transaction";
import type { Partitions } from "@/server/readings/partitions";
import { KEYED_ACCESS } from "@/server/readings/samples";
import { type Committed, FencedError, type PipelineCommit, type SettlingBatch, totalsOf } from "../batch";
import { advancePosition, lockPosition } from "../positions";

/** A contributor writes its part of a batch. */
type Contributor = (tx: PoolClient, batch: PipelineCommit) => Promise<void>;

export interface CommitDeps {
  readonly pool: Pool;
  readonly partitions: Partitions;
  readonly catalog: Pick<Catalog, "forget">;
  /** The contributors, in the order in which they write. */
  readonly contributors: readonly Contributor[];
}

const NOTHING_WRITTEN = { added: [], duplicates: 0, conflicts: [], late: 0 } as const;

/**
 * Runs the contributors and moves the position in one transaction: all of it or nothing.
 * @throws FencedError if another worker has moved the position.
 */
export function createCommit({ pool, partitions, catalog, contributors }: CommitDeps) {
  return async (batch: SettlingBatch, signal: AbortSignal): Promise<Committed> => {
    const { position, messages, epoch } = batch;
    const withReadings = messages.filter(({ metrics }) => metrics.length > 0);
    await partitions.ensure(withReadings.map(({ message }) => message.eventTime));
    const devices = [...new Set(messages.map(({ deviceId }) => deviceId))];
    signal.throwIfAborted();

    return withTransaction(
      pool,
      async (tx) => {
        const fenced = () =>
          new FencedError(`${position.topic}/${position.partition} is not at ${position.next} any more`);
        if (!(await lockPosition(tx, position))) throw fenced();

        if (epoch !== null && epoch !== (await readEpoch(tx))) {
          catalog.forget();
          throw new FencedError("something of the catalog was removed since the batch was read");
        }
        // A device has one writer at a time even while its key moves between partitions.
        const latest = await lockDevices(tx, devices);
        if (latest.size !== devices.length) {
          catalog.forget();
          throw new FencedError("a device of the batch was removed from the catalog");
        }
        const commit: PipelineCommit = { ...batch, latest, written: NOTHING_WRITTEN };
        for (const contribute of contributors) await contribute(tx, commit);
        const totals = totalsOf(commit);
        if (!(await advancePosition(tx, position, batch, totals))) throw fenced();
        return { messages, added: commit.written.added, totals };
      },
      [...KEYED_ACCESS, HOLD_EPOCH],
    );
  };
}
