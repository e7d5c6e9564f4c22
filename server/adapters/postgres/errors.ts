import { LogUnavailableError } from "@/server/ports/event-log";
import { isRetryable } from "@/server/postgres/error-classes";

/** The error the event log's port promises: LogUnavailableError for an outage, everything else as it is. */
export function logError(error: unknown): unknown {
  if (error instanceof LogUnavailableError || !isRetryable(error)) return error;
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
