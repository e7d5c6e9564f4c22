import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from "vitest";
import { localKeyFile, readLocalKey } from "@/server/config/local-key";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { ensureLocalKey } from "./local-key";
import { readKey } from "./secrets";

let db: TestDatabase;
let dataDir: string;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), "local-key-"));
  await db.pool.query("TRUNCATE access_key CASCADE");
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const alive = async () =>
  (await db.pool.query<{ id: string }>(`SELECT id FROM access_key WHERE revoked_at IS NULL ORDER BY 1`)).rows.map(
    ({ id }) => id,
  );
const held = () => readKey(readLocalKey(dataDir)!)!.id;

test("a start makes the key once, readable by its owner alone", async () => {
  await ensureLocalKey(db.pool, dataDir);
  const first = readFileSync(localKeyFile(dataDir), "utf8");
  expect(statSync(localKeyFile(dataDir)).mode & 0o777).toBe(0o600);
  await ensureLocalKey(db.pool, dataDir);
  expect(readFileSync(localKeyFile(dataDir), "utf8")).toBe(first);
  expect(await alive()).toEqual([held()]);
});

test("when the file is lost or spoilt another key is made, and the one before is revoked, which the record tells", async () => {
  await ensureLocalKey(db.pool, dataDir);
  const lost = held();
  rmSync(localKeyFile(dataDir));
  await ensureLocalKey(db.pool, dataDir);
  expect(await alive()).toEqual([held()]);
  writeFileSync(localKeyFile(dataDir), "fws_spoilt\n");
  await ensureLocalKey(db.pool, dataDir);
  expect(await alive()).toEqual([held()]);
  const { rows } = await db.pool.query(`SELECT 1 FROM audit_row WHERE verb = 'revokeAccessKey' AND target = $1`, [
    lost,
  ]);
  expect(rows).toHaveLength(1);
});

test("a key of an earlier version, which knows no folder, is revoked with its file, too", async () => {
  await ensureLocalKey(db.pool, dataDir);
  await db.pool.query("UPDATE access_key SET folder = NULL");
  await ensureLocalKey(db.pool, dataDir);
  rmSync(localKeyFile(dataDir));
  await ensureLocalKey(db.pool, dataDir);
  expect(await alive()).toEqual([held()]);
});

test("the keys of other folders stay", async () => {
  const other = mkdtempSync(path.join(tmpdir(), "local-key-"));
  try {
    await ensureLocalKey(db.pool, other);
    await ensureLocalKey(db.pool, dataDir);
    rmSync(localKeyFile(dataDir));
    await ensureLocalKey(db.pool, dataDir);
    expect(await alive()).toHaveLength(2);
    expect(await alive()).toContain(readKey(readLocalKey(other)!)!.id);
  } finally {
    rmSync(other, { recursive: true });
  }
});

test("starts at once end with one key that works", async () => {
  await Promise.all(Array.from({ length: 6 }, () => ensureLocalKey(db.pool, dataDir)));
  expect(await alive()).toEqual([held()]);
});
