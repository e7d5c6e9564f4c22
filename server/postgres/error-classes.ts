import { UnavailableError } from "@/server/domain/unavailable";
import { StartError } from "./start-error";

/**
 * What to do about an error. retryable: an engine is away or refuses for now, so it is retried without end. fatal: nothing
 * can go on until a person mends it. unhandled: anything else; it would fail again the same way.
 */
export type ErrorClass = "retryable" | "fatal" | "unhandled";

/** Errors that stand in the way of everything, whatever is asked. */
export type FatalCause = "schema" | "rights" | "damage";

/** SQLSTATE classes that say the server or the way to it is at fault, not the statement. */
const RETRYABLE_CLASSES = new Set([
  "08", // connection
  "28", // sign-in refused: a password being rotated, a pg_hba.conf being edited
  "53", // disk full, out of memory, too many connections
  "57", // shut down, starting up, cancelled
  "58", // input and output
]);

/** Single SQLSTATEs where the same transaction may work the next time. */
const RETRYABLE_STATES = new Set([
  "25006", // read-only: a standby before its promotion
  "25P03", // idle in a transaction for too long: this process was held up
  "25P04", // transaction timeout
  "3D000", // no such database: dropped, to be restored
  "40001", // serialization failure
  "40003", // it isn't known whether the statement was completed
  "40P01", // deadlock
  "55P03", // lock not available
]);

/** SQLSTATEs that no other input would avoid. */
const FATAL_STATES: ReadonlyMap<string, FatalCause> = new Map([
  ["3F000", "schema"], // no such schema
  ["42P01", "schema"], // no such table
  ["42703", "schema"], // no such column
  ["42883", "schema"], // no such function
  ["42704", "schema"], // no such type
  ["0A000", "schema"], // columns of a prepared statement that were made another type; a new connection knows them
  ["42501", "rights"],
  ["XX001", "damage"], // a damaged table
  ["XX002", "damage"], // a damaged index
]);

/** Codes of Node's own network errors. */
const RETRYABLE_ERRNOS = new Set([
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
  "ERR_STREAM_PREMATURE_CLOSE",
]);

/** The class of an error, by its code or its class and never by its text. A plain Error is unhandled. */
export function classOf(error: unknown): ErrorClass {
  if (error instanceof UnavailableError) return "retryable";
  if (error instanceof StartError) return "fatal";
  if (!(error instanceof Error)) return "unhandled";
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (typeof code !== "string") {
    // A name with several addresses fails with one error for each.
    const { errors } = error as { errors?: unknown };
    return Array.isArray(errors) && errors.length > 0 && errors.every(isRetryable) ? "retryable" : "unhandled";
  }
  if (RETRYABLE_ERRNOS.has(code)) return "retryable";
  // A Unix socket that isn't there yet; a file that isn't there is something else.
  if (code === "ENOENT" && syscall === "connect") return "retryable";
  if (FATAL_STATES.has(code)) return "fatal";
  const isState = code.length === 5 && (RETRYABLE_STATES.has(code) || RETRYABLE_CLASSES.has(code.slice(0, 2)));
  return isState ? "retryable" : "unhandled";
}

/** True if the same may work later by itself. */
export function isRetryable(error: unknown): boolean {
  return classOf(error) === "retryable";
}

/** Returns what is in the way of everything, if PostgreSQL said so. */
export function fatalCauseOf(error: unknown): FatalCause | undefined {
  return error instanceof Error ? FATAL_STATES.get(String((error as { code?: unknown }).code)) : undefined;
}
