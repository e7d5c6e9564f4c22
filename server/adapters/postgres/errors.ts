import { LogUnavailableError } from "@/server/ports/event-log";

/**
 * SQLSTATE classes and codes after which the same statement may work later: connection, sign-in, operator intervention,
 * resources, input and output, lock timeout, serialization, deadlock, read-only during a failover.
 */
const TEMPORARY = /^(08|28|53|57|58|55P03|40001|40P01|25006)/;
const SQLSTATE = /^[0-9A-Z]{5}$/;

/**
 * True if `error` means that PostgreSQL can't be reached or refuses for now. Errors of the connection itself (closed,
 * timed out, refused) carry no SQLSTATE, so everything without one counts, except for mistakes in the program.
 */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof LogUnavailableError) return true;
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) return false;
  const code: unknown = "code" in error ? error.code : undefined;
  return typeof code === "string" && SQLSTATE.test(code) ? TEMPORARY.test(code) : true;
}

/** The error a port promises: LogUnavailableError for an outage, everything else as it is. */
export function logError(error: unknown): unknown {
  if (error instanceof LogUnavailableError || !isUnavailable(error)) return error;
  return new LogUnavailableError(`the event log can't be reached: ${(error as Error).message}`, { cause: error });
}

/** Runs `work`, turning outages into LogUnavailableError. */
export async function withLogErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw logError(error);
  }
}
