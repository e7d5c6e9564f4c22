import type { Pool } from "pg";
import type { LogKey } from "../signed-headers";

/** Reads the key that all processes of this database share, once. @throws what pg throws, and then reads again when asked again. */
export function createLogKey(pool: Pool): () => Promise<LogKey> {
  let known: LogKey | undefined;
  return async () => {
    if (known) return known;
    const { rows } = await pool.query<{ key: Buffer; unsignedBefore: Date | null }>(
      `SELECT key, unsigned_before AS "unsignedBefore" FROM log_key`,
    );
    const { key, unsignedBefore } = rows[0]!;
    return (known = { key, unsignedBefore: unsignedBefore?.getTime() ?? null });
  };
}
