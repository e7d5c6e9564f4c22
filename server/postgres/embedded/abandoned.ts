import path from "node:path";
import { ownerOf } from "./owner";
import { isPostmasterOf } from "./processes";
import { sendSignal } from "./postmaster";
import { readState } from "./state";
import { locateBinaries } from "./binaries";

/**
 * Stops the embedded PostgreSQL of a data folder whose owner was killed, where the system didn't do it. Leaves it alone
 * if the folder has a living owner again.
 */
export async function stopAbandoned(dataDir: string): Promise<void> {
  const state = readState(dataDir);
  if (!state || ownerOf(dataDir) !== undefined) return;
  if (isPostmasterOf(state.pid, path.join(dataDir, "postgres"))) sendSignal(state.pid, "SIGINT", locateBinaries());
}
