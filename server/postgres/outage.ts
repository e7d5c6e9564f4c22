import { UnavailableError } from "@/server/domain/unavailable";

/** SQLSTATE classes that say the server or the way to it is at fault, not the statement. */
const OUTAGE_CLASSES = new Set([
  "08", // connection
  "28", // sign-in refused: a password being rotated, a pg_hba.conf being edited
  "53", // disk full, out of memory, too many connections
  "57", // shut down, starting up, cancelled
  "58", // input and output
]);

/** Single SQLSTATEs where the same transaction may work the next time. */
const OUTAGE_STATES = new Set([
  "25006", // read-only: a standby before its promotion
  "3D000", // no such database: dropped, to be restored
  "40001", // serialization failure
  "40P01", // deadlock
  "55P03", // lock not available
]);

/** Codes of Node's own network errors. */
const OUTAGE_ERRNOS = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOENT", // a Unix socket that isn't there yet
  "ERR_STREAM_PREMATURE_CLOSE",
]);

/**
 * True if `error` tells of broken infrastructure, which mends and is retried without end; false for anything that
 * would fail again the same way: a wrong statement, a violated constraint, a bug.
 */
export function isOutage(error: unknown): boolean {
  if (error instanceof UnavailableError) return true;
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code !== "string") {
    if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isOutage);
    // pg reports a connection lost or not obtained as a plain Error without a code; bugs have a class of their own.
    return error.constructor === Error;
  }
  if (OUTAGE_ERRNOS.has(code)) return true;
  return code.length === 5 && (OUTAGE_STATES.has(code) || OUTAGE_CLASSES.has(code.slice(0, 2)));
}
