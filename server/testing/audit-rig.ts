import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pino from "pino";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { readAnchors } from "@/server/access/audit/anchors";
import { addDeed } from "@/server/access/audit/deeds";
import { readAuditKeys } from "@/server/access/audit/keys";
import { sealRecord } from "@/server/access/audit/seal";
import { type Verified, verifyRecord } from "@/server/access/audit/verify";
import type { AuditFiles } from "@/server/config/audit-files";
import type { Caller } from "@/server/domain/access";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, type TestDatabase } from "./database";
import { jobContext } from "./job-context";

/** Who does what is recorded here. */
export const ADA: Caller = { kind: "user", accountId: 1, name: "Ada", sessionId: "s", provenAt: 0, grants: [] };

const silent = pino({ level: "silent" });

/** An audit record in a database of its own, empty before each test, with its files. Call it once, at the top of a test file. */
export function createAuditRig() {
  let db: TestDatabase;
  let folder: string;
  let files: AuditFiles;

  beforeAll(async () => {
    db = await freshDatabase();
  });
  afterAll(() => db.drop());
  beforeEach(async () => {
    await forge("TRUNCATE audit_row, audit_value, audit_unsealed, audit_seal RESTART IDENTITY");
    folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-audit-"));
    files = {
      keyFile: path.join(folder, "audit.key"),
      makesKey: true,
      anchorFile: path.join(folder, "out", "anchors.ndjson"),
    };
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const query = async <T extends object>(sql: string, values: unknown[] = []) =>
    (await db.pool.query<T>(sql, values)).rows;
  const seal = (at = files) => sealRecord(jobContext(db.pool), at, silent);

  /** Somebody who may do everything in the database does this, past the triggers. */
  async function forge(sql: string, values: unknown[] = []) {
    await withTransaction(db.pool, async (tx) => {
      await tx.query("SET LOCAL session_replication_role = replica");
      await tx.query(sql, values);
    });
  }

  const add = (verb = "updateDevice", detail: object | null = { after: { notes: "über" } }) =>
    addDeed(db.pool, ADA, { verb, target: "press-1", outcome: "done", address: "10.0.0.7", detail });

  async function verify({ anchored = true, keyed = true } = {}): Promise<Verified> {
    return withTransaction(
      db.pool,
      (tx) =>
        verifyRecord(tx, {
          keys: keyed ? readAuditKeys(files.keyFile) : null,
          anchors: anchored ? readAnchors(files.anchorFile) : [],
        }),
      ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"],
    );
  }

  /** Four seals of two rows each: rows 1 to 8. */
  async function fill() {
    for (let i = 0; i < 4; i++) {
      await add();
      await add();
      await seal();
    }
  }

  return {
    get pool() {
      return db.pool;
    },
    get files() {
      return files;
    },
    ...{ query, seal, forge, add, verify, fill },
  };
}
