import { type Migration, readMigrations } from "./migrate";

/**
 * Migrations beside which processes of the version before can't work, and what they change: their tables are renamed, dropped, divided or filled
 * otherwise beneath them. Of those from before files said so themselves; since then each begins with `-- Breaking: no` or `-- Breaking: <what it changes>`.
 */
const BREAKING: Readonly<Record<string, string>> = {
  "20261128170000_jobs": "the jobs of dead letters become jobs of every kind",
  "20261128170000_large_sums": "sums of rollups beyond the largest double are kept in another way",
  "20261128180000_probe_message": "the table of the test message has another name",
  "20261128180000_resend": "columns of dead letters have other names",
  "20261129090000_erasable_signatures": "who did something is kept as a number, not as a name",
  "20261129100000_reading_blocks": "readings are written as blocks",
  "20261129110000_archive_blocks": "archived messages are written as blocks",
  "20261129130000_months_of_dead_letters": "dead letters are divided by month",
  "20261130352000_months_of_hours": "hour rollups are divided by month",
  "20261130710000_own_shape": "messages are read by the mapping of their source",
  "20261202060000_pipeline_rules": "states of alerts have another key",
};
/** The last migration that doesn't say by itself whether it is breaking. */
const LAST_UNMARKED = "20261204040000_refused_totals";

/** What a migration changes beneath the version before; null: that version can go on beside it. @throws when its file doesn't say so. */
export function breaks({ name, sql }: Pick<Migration, "name" | "sql">): string | null {
  if (name <= LAST_UNMARKED) return BREAKING[name] ?? null;
  const [, said] = /^-- Breaking: (.+)$/m.exec(sql) ?? [];
  if (said === undefined) throw new Error(`${name} doesn't begin with "-- Breaking: no" or what it changes`);
  return said === "no" ? null : said;
}

/** The breaking ones of all migrations of this version, newest first. */
export function breakingMigrations(): { migration: string; changes: string }[] {
  return readMigrations()
    .flatMap((migration) => {
      const changes = breaks(migration);
      return changes === null ? [] : [{ migration: migration.name, changes }];
    })
    .reverse();
}
