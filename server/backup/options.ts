import path from "node:path";
import { parseArgs } from "node:util";
import { StartError } from "@/server/postgres/start-error";

export interface BackupOptions {
  /** Folder that gets the backup's own folder. */
  readonly to: string;
  /** Backups of this data folder that stay there; null for all. */
  readonly keep: number | null;
  /** Whether files of cold storage are in it. */
  readonly withCold: boolean;
}

const BACKUP_EXAMPLE = "`npm run backup -- --to /mnt/backups --keep 7`";
const RESTORE_EXAMPLE = "`FIELDWATCH_DATA_DIR=/path/to/folder npm run restore -- --from /mnt/backups/fieldwatch-…`";

/** @throws StartError for what isn't an option, or none of its values. */
export function readBackupOptions(argv: string[], dataDir: string): BackupOptions {
  const {
    to,
    keep,
    "with-cold": withCold = false,
  } = parsed("No backup was made", BACKUP_EXAMPLE, () =>
    parseArgs({
      args: argv,
      options: { to: { type: "string" }, keep: { type: "string" }, "with-cold": { type: "boolean" } },
    }),
  );
  if (keep !== undefined && !/^[1-9]\d{0,5}$/.test(keep))
    throw new StartError("No backup was made", `--keep ${keep}: it is how many stay, 1 or more.`, BACKUP_EXAMPLE);
  return { to: path.resolve(to ?? `${dataDir}-backups`), keep: keep === undefined ? null : Number(keep), withCold };
}

/** The folder of the backup to restore. @throws StartError for what isn't an option, or without it. */
export function readRestoreOptions(argv: string[]): string {
  const { from } = parsed("Nothing was restored", RESTORE_EXAMPLE, () =>
    parseArgs({ args: argv, options: { from: { type: "string" } } }),
  );
  if (from === undefined)
    throw new StartError("Nothing was restored", "--from is missing: the folder of a backup.", RESTORE_EXAMPLE);
  return path.resolve(from);
}

function parsed<T>(what: string, fix: string, parse: () => { values: T }): T {
  try {
    return parse().values;
  } catch (error) {
    throw new StartError(what, (error as Error).message, fix);
  }
}
