import type { Pool } from "pg";
import { type Block, unpackBlock } from "@/server/adapters/archive/block";
import type { ArchivedMessage } from "@/server/ports/message-archive";

/** Every message in the archive's blocks in PostgreSQL, each position once, by log, partition and offset. */
export async function archivedMessages(pool: Pick<Pool, "query">): Promise<readonly ArchivedMessage[]> {
  const columns = `log, partition, section_devices AS "sectionDevices", section_ends AS "sectionEnds", sections`;
  const { rows } = await pool.query<Pick<Block, "log" | "partition" | "sectionDevices" | "sectionEnds" | "sections">>(
    `SELECT ${columns} FROM archive_fresh UNION ALL SELECT ${columns} FROM archive_block`,
  );
  const messages = new Map<string, ArchivedMessage>();
  for (const row of rows)
    for (const message of unpackBlock(row)) {
      const { log, partition, offset } = message.position;
      messages.set(`${log}/${partition}/${String(offset).padStart(16, "0")}`, message);
    }
  return [...messages].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, message]) => message);
}
