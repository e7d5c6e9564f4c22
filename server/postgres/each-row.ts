import pg from "pg";
import { driverError } from "./client";

/**
 * Hands each row of an answer to `take` as it comes, so that what is done with it and what PostgreSQL does for the next go on at once. The connection is
 * busy until the promise settles: with the query's error, or with what `take` threw first, after which it isn't called again.
 */
export function eachRow<Row extends unknown[]>(
  client: pg.ClientBase,
  question: pg.QueryArrayConfig,
  take: (row: Row) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let failed: { readonly by: unknown } | null = null;
    const query = new pg.Query(question, (error) => {
      if (error) reject(driverError(error) as Error);
      else if (failed) reject(failed.by as Error);
      else resolve();
    });
    query.on("row", (row: Row) => {
      if (failed) return;
      try {
        take(row);
      } catch (error) {
        // Thrown from here it would end the process.
        failed = { by: error };
      }
    });
    client.query(query);
  });
}
