import type { Pool, PoolClient } from "pg";

/** Shown when the database holds something the program rules out; the transaction was rolled back. */
export class InconsistencyError extends Error {
  override readonly name = "InconsistencyError";
}

/** Bounded, so that a lock held by someone who went away becomes an error that is retried. */
const OPENING = `BEGIN; SET LOCAL lock_timeout = '20s'`;

/**
 * Runs `work` in one READ COMMITTED transaction on one connection: committed when it resolves, rolled back when it throws.
 * @param settings further SET LOCAL statements, sent along with BEGIN.
 */
export async function withTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  settings: readonly string[] = [],
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A checked-out client whose connection breaks emits "error"; without a listener that ends the process.
  const onError = (error: Error) => (broken = error);
  client.on("error", onError);
  try {
    await client.query([OPENING, ...settings].join("; "));
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    // No answer came: another statement would wait as long, and ending the connection rolls back just as well.
    if (isConnectionError(error)) broken ??= error;
    else await client.query("ROLLBACK").catch((failure: Error) => (broken ??= failure));
    throw error;
  } finally {
    client.off("error", onError);
    client.release(broken);
  }
}

/** pg's own errors (connection lost, no answer in time) are plain and without a code; bugs and refusals have a class or a code. */
function isConnectionError(error: unknown): error is Error {
  return error instanceof Error && error.constructor === Error && !("code" in error && error.code !== undefined);
}
