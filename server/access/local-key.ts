import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Pool } from "pg";
import { localKeyFile, readLocalKey } from "@/server/config/local-key";
import { hashOf, newKey, readKey } from "./secrets";

/** Sees to it that the data folder holds a key that this database knows: for any device of any site, and for sending alone. */
export async function ensureLocalKey(pool: Pool, dataDir: string): Promise<void> {
  const there = readKey(readLocalKey(dataDir) ?? "");
  if (there !== null) {
    const { rowCount } = await pool.query(
      `SELECT FROM access_key WHERE id = $1 AND secret_hash = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
      [there.id, hashOf(there.secret)],
    );
    if (rowCount === 1) return;
  }
  const { text, id, secret } = newKey("site");
  await pool.query(
    `INSERT INTO access_key (id, kind, name, secret_hash, made_by) VALUES ($1, 'site', $2, $3, 'system')`,
    [id, `programs on ${hostname()}`, hashOf(secret)],
  );
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // Whole or not at all, and never readable by others, not even for a moment.
  const unfinished = `${localKeyFile(dataDir)}.${process.pid}`;
  writeFileSync(unfinished, `${text}\n`, { mode: 0o600 });
  renameSync(unfinished, localKeyFile(dataDir));
}
