/** Header of a record in the event log that a replay sent; its value is the run's id. */
const RUN_HEADER = "fieldwatch-run";

/** Matches the id of a run. */
export const RUN_PATTERN = /^[A-Za-z0-9-]{8,64}$/;

/** Returns the headers of a record that carry the run. */
export function runHeaders(run: string): Record<string, string> {
  return { [RUN_HEADER]: run };
}

/** Reads the run a record belongs to; null if there is none, or one that can't be an id: then it is a message like any other. */
export function readRun(headers: Readonly<Record<string, string>>): string | null {
  const run = headers[RUN_HEADER];
  return run !== undefined && RUN_PATTERN.test(run) ? run : null;
}
