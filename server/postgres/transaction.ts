import type { Pool, PoolClient } from "pg";
import { DatabaseUnavailableError, driverError } from "./client";

/** Shown when the database holds something the program rules out; the transaction was rolled back. */
export class InconsistencyError extends Error {
  override readonly name = "InconsistencyError";
}

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
    await client.query(["BEGIN", ...settings].join("; "));
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (caught) {
    const error = driverError(caught);
    // No answer came: another statement would wait as long, and ending the connection rolls back just as well.
    if (error instanceof DatabaseUnavailableError) broken ??= error;
    else await client.query("ROLLBACK").catch((failure: Error) => (broken ??= failure));
    throw caught;
  } finally {
    client.off("error", onError);
    client.release(broken);
  }
}
