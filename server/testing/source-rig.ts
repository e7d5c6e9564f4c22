import type { Pool } from "pg";
import { makeKey } from "@/server/access/keys";
import { mappingSchema } from "@/server/domain/mapping/mapping";
import type { SourceDoor, SourceKind } from "@/server/domain/source";
import { createPrismaClient } from "@/server/postgres/prisma";
import { withTransaction } from "@/server/postgres/transaction";
import { insertSource } from "@/server/sources/rows";
import type { z } from "zod";

const BY = { text: "a test", accountId: null };

/** Flat JSON, whose device is the second level of the topic. */
const TOPIC_MAPPING: z.input<typeof mappingSchema> = {
  decode: "json",
  device: ["{topic.1}"],
  time: [{ from: { path: "at" }, format: "ms" }],
  readings: [{ root: "" }],
};

/** Makes a source with a key. */
export async function makeSource(
  pool: Pool,
  name: string,
  door: SourceDoor,
  more: { mapping?: z.input<typeof mappingSchema>; kind?: SourceKind; secret?: string; rate?: number } = {},
): Promise<{ readonly id: number; readonly key: string }> {
  const { mapping = TOPIC_MAPPING, kind = "generic", secret = null, rate = null } = more;
  const settings = {
    ...{ title: null, answer: "webhook" as const, siteId: null, labels: {}, enabled: true, door, doorSecret: secret },
    ...{ messagesPerSecond: rate, bytesPerSecond: null },
  };
  const id = await withTransaction(pool, (tx) =>
    insertSource(tx, name, kind, settings, mappingSchema.parse(mapping), BY),
  );
  if (id === null) throw new Error(`there is a source ${name} already`);
  const prisma = createPrismaClient(pool);
  const wanted = {
    kind: "source" as const,
    name,
    device: null,
    sourceId: id,
    networks: [],
    expiresAt: null,
    grants: [],
  };
  try {
    const { text: key } = await makeKey(prisma, wanted, BY);
    return { id, key };
  } finally {
    await prisma.$disconnect();
  }
}
