import type { Pool, PoolClient } from "pg";

/**
 * Runs `work` in one transaction on a connection of its own; rolls back when it throws.
 * @param begin what opens it, for example with a setting that lasts for the transaction.
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  begin = "BEGIN",
): Promise<T> {
  const client = await pool.connect();
  // A connection lost while checked out shows at the query; without a listener it would end the process.
  const ignore = () => undefined;
  client.on("error", ignore);
  let failure: Error | undefined;
  try {
    await client.query(begin);
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    // No answer came: another statement would wait as long, and ending the connection rolls back just as well.
    if (failure.constructor === Error && !("code" in failure)) throw error;
    await client.query("ROLLBACK").then(
      () => (failure = undefined),
      () => undefined,
    );
    throw error;
  } finally {
    client.off("error", ignore);
    client.release(failure);
  }
}
