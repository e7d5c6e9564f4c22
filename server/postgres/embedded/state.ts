import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { errorCode } from "../start-error";

/** The state that a running embedded PostgreSQL tells other processes, in `<data folder>/postgres.json` (readable by its owner only). */
export interface EmbeddedState {
  readonly connectionString: string;
  readonly port: number;
  /** Process id of the postmaster. */
  readonly pid: number;
}

const stateFile = (dataDir: string) => path.join(dataDir, "postgres.json");

/** The state as last written, or undefined if there is none. */
export function readState(dataDir: string): EmbeddedState | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(dataDir), "utf8")) as EmbeddedState;
  } catch (error) {
    if (error instanceof SyntaxError || ["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}

/** Connection string of the embedded PostgreSQL that runs (or ran until it was killed) in the data folder, as the runtime role. */
export function readEmbeddedConnection(dataDir: string): string | undefined {
  return readState(dataDir)?.connectionString;
}

export function writeState(dataDir: string, state: EmbeddedState): void {
  const file = stateFile(dataDir);
  writeFileSync(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function removeState(dataDir: string): void {
  rmSync(stateFile(dataDir), { force: true });
}
