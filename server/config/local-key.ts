import { readFileSync } from "node:fs";
import path from "node:path";

/** The file with the key by which programs of this machine send telemetry. */
export function localKeyFile(dataDir: string): string {
  return path.join(dataDir, "ingest.key");
}

/** The key in the data folder, or null when there is none yet. */
export function readLocalKey(dataDir: string): string | null {
  try {
    return readFileSync(localKeyFile(dataDir), "utf8").trim() || null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
