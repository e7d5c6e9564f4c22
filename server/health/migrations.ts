import type { Pool } from "pg";
import { errorCode } from "@/server/postgres/start-error";
import { counted } from "@/server/domain/counted";
import { command } from "@/server/domain/fix";
import { ask } from "./ask-postgres";
import { type Finding, pass } from "./probe";

export interface AppliedMigration {
  readonly name: string;
  readonly finished: boolean;
}

const NO_TABLE = "42P01";

/** Reads from Prisma's own table what was applied; empty when there is no such table. */
export async function readApplied(pool: Pool): Promise<readonly AppliedMigration[]> {
  try {
    return await ask<AppliedMigration>(
      pool,
      "SELECT migration_name AS name, finished_at IS NOT NULL AS finished FROM _prisma_migrations WHERE rolled_back_at IS NULL",
    );
  } catch (error) {
    if (errorCode(error) === NO_TABLE) return [];
    throw error;
  }
}

/** Compares the migrations a database has with those this version brings. */
export function judgeMigrations(applied: readonly AppliedMigration[], wanted: readonly string[]): Finding {
  const done = new Set(applied.filter(({ finished }) => finished).map(({ name }) => name));
  const half = applied.find(({ finished }) => !finished);
  if (half) {
    return {
      status: "fail",
      summary: "A migration failed half-way.",
      cause: `${half.name} was begun and not finished.`,
      fix: `Undo what it did, then: ${command`UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '${half.name}';`}`,
    };
  }
  const unknown = [...done].filter((name) => !wanted.includes(name));
  if (unknown.length > 0) {
    return {
      status: "fail",
      summary: "The database is newer than this Fieldwatch.",
      cause: `It has ${unknown.join(", ")}, which this version doesn't know.`,
      fix: "Run the version that made it, or point DATABASE_URL at another database.",
    };
  }
  const missing = wanted.filter((name) => !done.has(name));
  if (missing.length === 0) return pass(`${counted(wanted.length, "migration")} applied, none missing.`);
  return {
    status: "fail",
    summary: `${counted(missing.length, "migration")} not applied.`,
    cause: `The database is older than this Fieldwatch; it misses ${missing.join(", ")}.`,
    fix: "`npm run migrate`",
  };
}
