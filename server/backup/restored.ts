import { cp, mkdir } from "node:fs/promises";
import path from "node:path";
import type { PoolClient } from "pg";
import type { Config } from "@/server/config/config";
import type { Logger } from "@/server/observability/logger";
import type { ColdStore } from "@/server/ports/cold-store";
import { createPool } from "@/server/postgres/connection";
import { startEmbeddedPostgres } from "@/server/postgres/embedded/embedded-postgres";
import { migrate } from "@/server/postgres/migrate";
import { admitRuntimeRole } from "@/server/postgres/runtime-role";
import { withTransaction } from "@/server/postgres/transaction";
import { unpackCluster } from "./cluster";
import type { KeptFile } from "./cold-files";
import { ANCHORS, OUTBOX } from "./data-files";
import { CLUSTER, type Counts, FILES } from "./manifest";

/** A count over all readings takes as long as it takes. */
const COUNT_MS = 6 * 3_600_000;

/** What backup and restore need of other subjects. */
export interface Means {
  /** What the positions in the log count. */
  handled(tx: PoolClient): Promise<Counts["handled"]>;
  countReadings(tx: PoolClient): Promise<number>;
  /** The cold storage of the configuration; null: there is none. */
  openCold(config: Config): Promise<ColdStore | null>;
  /** The files of cold storage that the database reads, or read a moment ago if `isLive`. */
  coldFiles(tx: PoolClient, isLive: boolean): Promise<readonly KeptFile[]>;
  /** Notes that the files are elsewhere now. */
  moveCold(tx: PoolClient, url: string): Promise<void>;
  /** Messages in an outbox that nobody uses now. */
  countOutbox(folder: string): Promise<number>;
  /** Reads the whole audit record. */
  judgeAudit(tx: PoolClient, files: { keyFile: string; anchorFile: string }): Promise<AuditVerdict>;
  /** Tells what was handled before from what the restored event log will hand out under the same offsets. */
  beginEpochs(tx: PoolClient): Promise<void>;
  /** Adds to the audit record. @returns the row's number. */
  note(tx: PoolClient, deed: BackupDeed): Promise<number>;
}

export interface AuditVerdict {
  readonly isGood: boolean;
  readonly lines: readonly string[];
}

interface BackupDeed {
  readonly verb: "makeBackup" | "restoreBackup";
  /** The backup's name. */
  readonly target: string;
  readonly outcome: "tried" | "done" | "failed";
  readonly detail: object | null;
  readonly attempt?: number;
}

/** What was found in a restored folder. */
interface Found {
  readonly counts: Counts;
  readonly audit: AuditVerdict;
  readonly cold: readonly KeptFile[];
  /** Name of its newest migration before any of now. */
  readonly schema: string;
  /** Names of the migrations it needed. */
  readonly migrated: readonly string[];
}

/** Makes a data folder of a backup's files; it must not be there yet, but its parent. */
export async function unpack(backup: string, dataDir: string): Promise<void> {
  // Passing through is what the embedded server's own user needs.
  await mkdir(dataDir, { mode: 0o711 });
  await cp(path.join(backup, FILES), dataDir, { recursive: true, force: true });
  await unpackCluster(path.join(backup, CLUSTER), path.join(dataDir, "postgres"));
}

/**
 * Starts the PostgreSQL of an unpacked data folder, counts what is in it, brings it up to date, counts again and stops it.
 * @param options.keyFile the audit record's keys, where they aren't in the folder.
 * @param options.compare called with what was counted before and after the migrations. @throws when it isn't what it must be
 * @param options.then done at last, in a transaction.
 */
export async function tryOut(
  dataDir: string,
  options: {
    readonly means: Means;
    readonly logger: Logger;
    readonly keyFile: string;
    readonly compare?: (rows: Counts["rows"], counts: Omit<Counts, "rows">) => void;
    readonly then?: (tx: PoolClient) => Promise<void>;
  },
): Promise<Found> {
  const { means, logger, keyFile } = options;
  const postgres = await startEmbeddedPostgres({ dataDir, logger, settings: ["autovacuum=off"] });
  const pool = createPool(postgres.ownerConnectionString, { role: "backup", logger, size: 1, answerMs: COUNT_MS });
  try {
    const schema = await withTransaction(pool, readSchema);
    const rows = await withTransaction(pool, countRows);
    const migrated = await migrate(postgres.ownerConnectionString);
    await admitRuntimeRole(postgres.ownerConnectionString, postgres.connectionString);
    const outbox = await means.countOutbox(path.join(dataDir, OUTBOX));
    const counts = await withTransaction(pool, async (tx) => ({
      handled: await means.handled(tx),
      readings: await means.countReadings(tx),
      outbox,
    }));
    options.compare?.(rows, counts);
    const anchorFile = path.join(dataDir, ANCHORS);
    const audit = await withTransaction(pool, (tx) => means.judgeAudit(tx, { keyFile, anchorFile }));
    const cold = await withTransaction(pool, (tx) => means.coldFiles(tx, false));
    const { then } = options;
    if (then) await withTransaction(pool, then);
    return { counts: { ...counts, rows }, audit, cold, schema, migrated };
  } finally {
    await pool.end();
    await postgres.stop(60_000);
  }
}

async function countRows(tx: PoolClient): Promise<Record<string, number>> {
  const { rows } = await tx.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname`,
  );
  const counts: Record<string, number> = {};
  for (const { name } of rows) {
    const counted = await tx.query<{ n: number }>(`SELECT count(*) AS n FROM ${tx.escapeIdentifier(name)}`);
    counts[name] = counted.rows[0]!.n;
  }
  return counts;
}

async function readSchema(tx: PoolClient): Promise<string> {
  const { rows } = await tx.query<{ name: string | null }>(
    "SELECT max(migration_name) AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL",
  );
  return rows[0]?.name ?? "";
}
