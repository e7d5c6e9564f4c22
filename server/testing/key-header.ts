import { signatureOf, SYSTEM } from "@/server/domain/access";
import type { Pool } from "pg";
import { makeKey } from "@/server/access/keys";
import type { Grant } from "@/server/domain/access";
import { prismaIn } from "@/server/postgres/prisma";
import { withTransaction } from "@/server/postgres/transaction";

/** Makes the header that shows a key of a program with these roles. */
export async function keyHeader(pool: Pool, grants: readonly Grant[]): Promise<{ readonly authorization: string }> {
  const wanted = { kind: "service", name: "test", device: null, networks: [], expiresAt: null } as const;
  const { text } = await withTransaction(pool, (tx) =>
    makeKey(prismaIn(tx), { ...wanted, grants }, signatureOf(SYSTEM)),
  );
  return { authorization: `Bearer ${text}` };
}

/** Makes the header that shows a key of somebody who may do everything. */
export function adminHeader(pool: Pool): Promise<{ readonly authorization: string }> {
  return keyHeader(pool, [{ role: "admin", siteId: null }]);
}
