import type { Pool, QueryResultRow } from "pg";
import { errorCode } from "@/server/postgres/start-error";

const LIMIT_MS = 3000;

/**
 * Asks PostgreSQL, for at most 3 s: a connection on which nothing comes back is given up, not kept waiting.
 * @throws Error with code ETIMEDOUT then.
 */
export async function ask<Row extends QueryResultRow>(pool: Pool, text: string): Promise<Row[]> {
  const began = performance.now();
  try {
    // The driver knows this option; its types don't.
    const query = { text, query_timeout: LIMIT_MS } as { text: string };
    return (await pool.query<Row>(query)).rows;
  } catch (error) {
    if (errorCode(error) !== undefined || performance.now() - began < LIMIT_MS) throw error;
    throw Object.assign(new Error(`no answer within ${LIMIT_MS} ms`, { cause: error }), { code: "ETIMEDOUT" });
  }
}
