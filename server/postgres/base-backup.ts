import type { Writable } from "node:stream";
import pg, { type Connection } from "pg";
import { driverError } from "./client";

/** First bytes of what PostgreSQL sends during a base backup. */
const NEW_ARCHIVE = "n".charCodeAt(0);
const DATA = "d".charCodeAt(0);

/**
 * Writes a base backup of a running cluster: one tar file of its whole folder, with the write-ahead log that makes it consistent. What it
 * holds is the cluster as it is when this ends. PostgreSQL itself checks each page on the way, and keeps the log it needs until then.
 * @param owner connection string of a role that may replicate.
 * @param into gets the tar file; is ended with it.
 * @throws what PostgreSQL or `into` says, also when there are tablespaces, which one file can't hold.
 */
export async function writeBaseBackup(owner: string, into: Writable): Promise<void> {
  const client = new pg.Client({ connectionString: owner, replication: "true" } as pg.ClientConfig);
  let lost: Error | undefined;
  client.on("error", (error) => (lost = error));
  await client.connect();
  try {
    // Without it the log that was written since the start could be recycled before it is sent.
    await client.query(`CREATE_REPLICATION_SLOT "backup_${process.pid}" TEMPORARY PHYSICAL RESERVE_WAL`);
    await send(client, into);
    await new Promise<void>((resolve, reject) =>
      into.end((error?: Error | null) => (error ? reject(error) : resolve())),
    );
  } catch (error) {
    throw driverError(lost ?? error);
  } finally {
    await client.end().catch(() => {});
  }
}

function send(client: pg.Client, into: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    let archives = 0;
    let failed: Error | undefined;
    const fail = (error: Error) => {
      failed ??= error;
      reject(error);
    };
    into.once("error", fail);
    client.once("error", fail);
    client.query({
      submit(connection: Connection) {
        connection.query("BASE_BACKUP (LABEL 'fieldwatch', CHECKPOINT 'fast', WAL, MANIFEST 'no')");
      },
      handleCopyData({ chunk }: { chunk: Buffer }, { stream }: Connection) {
        if (failed) return;
        if (chunk[0] === NEW_ARCHIVE && ++archives > 1) fail(new Error("The cluster has tablespaces."));
        if (chunk[0] !== DATA) return;
        // pg uses the memory of the chunk again.
        if (into.write(Buffer.from(chunk.subarray(1))) || stream.isPaused()) return;
        stream.pause();
        into.once("drain", () => stream.resume());
      },
      handleRowDescription() {},
      handleDataRow() {},
      handleCommandComplete() {},
      handleEmptyQuery() {},
      handlePortalSuspended() {},
      handleError: fail,
      handleReadyForQuery: () => resolve(),
    } as pg.Submittable);
  });
}
