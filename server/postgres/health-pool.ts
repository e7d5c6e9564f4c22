import type { Pool } from "pg";
import type { Logger } from "@/server/observability/logger";
import type { ConnectionString } from "./client";
import { createPool } from "./connection";

/** A round of some forty statements is soon through, also where each takes 200 ms on its way; more connections would each keep all plans in memory. */
const SIZE = 3;
/** The longest that any probe waits; a connection on which nothing comes back for so long is given up, so that it is in nobody's way. */
const ANSWER_MS = 4000;
/** When the server itself ends a statement. */
const STATEMENT_MS = 5000;

/**
 * Opens connections for health alone: what it asks every few seconds is prepared, and it has its answers however many
 * requests wait for the others.
 */
export function openHealthPool(connectionString: ConnectionString, logger: Logger): Pool {
  return createPool(connectionString, {
    role: "web health",
    logger,
    size: SIZE,
    statementMs: STATEMENT_MS,
    answerMs: ANSWER_MS,
    prepares: true,
  });
}
