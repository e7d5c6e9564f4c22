import type { Pool } from "pg";
import { makeKey } from "@/server/access/keys";
import { prismaIn } from "@/server/postgres/prisma";
import { withTransaction } from "@/server/postgres/transaction";

/** Makes the header that shows a key of somebody who may do everything. */
export async function adminHeader(pool: Pool): Promise<{ readonly authorization: string }> {
  const wanted = { kind: "service", name: "test", device: null, networks: [], expiresAt: null } as const;
  const { text } = await withTransaction(pool, (tx) =>
    makeKey(prismaIn(tx), { ...wanted, grants: [{ role: "admin", siteId: null }] }, "test"),
  );
  return { authorization: `Bearer ${text}` };
}
