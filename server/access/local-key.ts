import { realpathSync, renameSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Pool } from "pg";
import { localKeyFile, readLocalKey } from "@/server/config/local-key";
import { makeFolderSync } from "@/server/config/make-folder.mjs";
import { SYSTEM } from "@/server/domain/access";
import { withTransaction } from "@/server/postgres/transaction";
import { addDeed } from "./audit/deeds";
import { hashOf, newKey, readKey } from "./secrets";

/**
 * Sees to it that the data folder holds a key that this database knows: for any device of any site, and for sending alone. When the file is lost
 * another one is made, and the one it held is revoked. Safe to run twice at once.
 */
export async function ensureLocalKey(pool: Pool, dataDir: string): Promise<void> {
  makeFolderSync(dataDir, 0o700);
  const folder = `${hostname()}:${realpathSync(dataDir)}`;
  await withTransaction(pool, async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('fieldwatch.local-key', 0))`);
    const there = readKey(readLocalKey(dataDir) ?? "");
    if (there !== null) {
      const { rows } = await tx.query<{ folder: string | null }>(
        `SELECT folder FROM access_key
         WHERE id = $1 AND secret_hash = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
        [there.id, hashOf(there.secret)],
      );
      if (rows[0]) {
        // Made by an earlier version, or moved: its folder is remembered, for when the file is lost.
        if (rows[0].folder !== folder) await takeOver(folder, there.id);
        return;
      }
    }
    const { text, id, secret } = newKey("site");
    await takeOver(folder, null);
    await tx.query(
      `INSERT INTO access_key (id, kind, name, secret_hash, made_by, folder) VALUES ($1, 'site', $2, $3, 'system', $4)`,
      [id, `programs on ${hostname()}`, hashOf(secret), folder],
    );
    await addDeed(tx, SYSTEM, {
      verb: "makeAccessKey",
      target: id,
      outcome: "done",
      address: null,
      detail: { folder },
    });
    // Whole or not at all, and never readable by others, not even for a moment. Before the commit: a file without its row is only made anew.
    const unfinished = `${localKeyFile(dataDir)}.${process.pid}`;
    writeFileSync(unfinished, `${text}\n`, { mode: 0o600 });
    renameSync(unfinished, localKeyFile(dataDir));

    /** Gives the folder to a key, and revokes the one it had. */
    async function takeOver(folder: string, to: string | null): Promise<void> {
      const { rows } = await tx.query<{ id: string }>(
        `UPDATE access_key SET revoked_at = now() WHERE folder = $1 AND revoked_at IS NULL RETURNING id`,
        [folder],
      );
      for (const { id: target } of rows)
        await addDeed(tx, SYSTEM, {
          verb: "revokeAccessKey",
          target,
          outcome: "done",
          address: null,
          detail: { folder },
        });
      await tx.query(`UPDATE access_key SET folder = $2 WHERE id = $1`, [to, folder]);
    }
  });
}
