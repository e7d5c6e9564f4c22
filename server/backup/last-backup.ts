import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { errorCode } from "@/server/postgres/start-error";

const lastBackup = z.object({
  /** The last that was made whole; null when none was. */
  made: z.object({ time: z.string(), folder: z.string(), bytes: z.number() }).nullable(),
  /** Why the last try failed; null when it didn't. */
  failed: z.object({ time: z.string(), why: z.string() }).nullable(),
});

/** What the data folder knows of its backups. Times are RFC 3339. */
export type LastBackup = z.infer<typeof lastBackup>;

const fileOf = (dataDir: string) => path.join(dataDir, "backup.json");

/** The last backup of a data folder; null when none was tried. */
export function readLastBackup(dataDir: string): LastBackup | null {
  try {
    return lastBackup.parse(JSON.parse(readFileSync(fileOf(dataDir), "utf8")));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError || errorCode(error) === "ENOENT") return null;
    throw error;
  }
}

export function writeLastBackup(dataDir: string, last: LastBackup): void {
  const file = fileOf(dataDir);
  writeFileSync(`${file}.new`, `${JSON.stringify(last)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
