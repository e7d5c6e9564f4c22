import { BSON, type Db, MongoClient } from "mongodb";
import pg from "pg";
import { type Block, unpackBlock } from "@/server/adapters/archive/block";
import type { ArchivedMessage } from "@/server/ports/message-archive";
import type { Stage } from "./stage";

/** PostgreSQL's content for one message: how many readings, and how many of them of different metrics. */
export interface StoredSample {
  readonly device: string;
  readonly time: number;
  readonly readings: number;
  readonly metrics: number;
}

/** Runs `work` on a connection of its own to the stage's PostgreSQL, past the product's code and any proxy. */
export async function withDatabase<T>(stage: Stage, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: stage.connectionString(),
    connectionTimeoutMillis: 2000,
    query_timeout: 120_000,
  });
  client.on("error", () => {}); // The query that fails says it.
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Every moment in the table. */
export async function storedSamples(client: pg.Client): Promise<readonly StoredSample[]> {
  const { rows } = await client.query<{ device: string; time: string; readings: number; metrics: number }>(
    `SELECT device, extract(epoch FROM time) * 1000 AS time, count(*)::int AS readings, count(DISTINCT metric)::int AS metrics
     FROM reading GROUP BY 1, 2`,
  );
  return rows.map((row) => ({ ...row, time: Math.round(Number(row.time)) }));
}

/** Conflicts counted at the devices. */
export async function deviceConflicts(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ n: string }>("SELECT coalesce(sum(conflicts), 0) AS n FROM device");
  return Number(rows[0]!.n);
}

/** Copies in the archive of each message, by {@link messageKey}: the positions at which it is there. */
export async function archivedCopies(stage: Stage): Promise<ReadonlyMap<string, number>> {
  const seen = new Set<string>();
  const copies = new Map<string, number>();
  await eachArchived(stage, ({ position, device, eventTime }) => {
    // A batch that came again is there twice until its blocks are merged, and found once.
    const at = `${position.log}/${position.partition}/${position.offset}`;
    if (seen.has(at)) return;
    seen.add(at);
    const key = messageKey(device, eventTime);
    copies.set(key, (copies.get(key) ?? 0) + 1);
  });
  return copies;
}

/** Calls `see` with each message of each block of the archive, but those of blocks that others have taken the place of. */
export async function eachArchived(stage: Stage, see: (message: ArchivedMessage) => void): Promise<void> {
  if (stage.engines.mongodb) {
    await withDocuments(stage.engines.mongodb.uri, async (db) => {
      const projection = { log: 1, partition: 1, sectionDevices: 1, sectionEnds: 1, sections: 1 };
      const options = { projection, batchSize: 100, promoteBuffers: true };
      const blocks = db.collection<StoredBlock & { state: string }>("archive");
      for await (const block of blocks.find({ state: { $ne: "replaced" } }, options)) unpackBlock(block).forEach(see);
    });
  } else {
    await withDatabase(stage, async (client) => {
      const columns = `log, partition, section_devices AS "sectionDevices", section_ends AS "sectionEnds", sections`;
      const { rows } = await client.query<StoredBlock>(
        `SELECT ${columns} FROM archive_fresh UNION ALL SELECT ${columns} FROM archive_block`,
      );
      for (const row of rows) unpackBlock(row).forEach(see);
    });
  }
}

/** The most blocks that wait to be merged, of one partition. */
export async function mostFreshBlocks(stage: Stage): Promise<number> {
  const { mongodb } = stage.engines;
  if (!mongodb) {
    return withDatabase(stage, async (client) => {
      const { rows } = await client.query<{ most: number }>(
        "SELECT coalesce(max(n), 0)::int AS most FROM (SELECT count(*) AS n FROM archive_fresh GROUP BY log, partition, day) f",
      );
      return rows[0]!.most;
    });
  }
  return withDocuments(mongodb.uri, async (db) => {
    const fresh = db
      .collection("archive")
      .find({ state: "fresh" }, { projection: { partition: 1 }, batchSize: 10_000 });
    const counts = new Map<number, number>();
    for await (const { partition } of fresh)
      counts.set(partition as number, (counts.get(partition as number) ?? 0) + 1);
    return Math.max(0, ...counts.values());
  });
}

type StoredBlock = Pick<Block, "log" | "partition" | "sectionDevices" | "sectionEnds" | "sections">;

export interface DeadLetterFound {
  readonly reason: string;
  /** Null when it is the whole message. */
  readonly field: string | null;
  readonly raw: Buffer;
}

/** Every dead letter. */
export async function deadLetters(stage: Stage): Promise<readonly DeadLetterFound[]> {
  const { mongodb } = stage.engines;
  if (!mongodb) {
    return withDatabase(
      stage,
      async (client) => (await client.query<DeadLetterFound>("SELECT reason, field, raw FROM dead_letter")).rows,
    );
  }
  return withDocuments(mongodb.uri, async (db) => {
    const options = { projection: { reason: 1, field: 1, raw: 1 }, batchSize: 10_000, promoteBuffers: true };
    const found = await db.collection("deadLetters").find({}, options).toArray();
    return found.map(({ reason, field, raw }) => ({
      reason: reason as string,
      field: (field as string | null | undefined) ?? null,
      raw: raw as Buffer,
    }));
  });
}

/** Collections of the document store whose documents have the text, or its bytes, the archive's blocks unpacked; none where PostgreSQL has all of them. */
export async function collectionsWith(stage: Stage, text: string): Promise<readonly string[]> {
  const { mongodb } = stage.engines;
  if (!mongodb) return [];
  const found = await withDocuments(mongodb.uri, async (db) => {
    const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
    const counts = new Map<string, number>();
    for (const name of names)
      for await (const document of db.collection(name).find())
        if (Buffer.from(BSON.serialize(document)).includes(text)) counts.set(name, (counts.get(name) ?? 0) + 1);
    return counts;
  });
  let packed = 0;
  await eachArchived(stage, ({ device, body }) => {
    if (device.includes(text) || body.includes(text)) packed++;
  });
  return [...found, ...(packed > 0 ? [["messages of the archive", packed] as const] : [])].map(
    ([name, n]) => `${name} ${n}`,
  );
}

async function withDocuments<T>(uri: string, work: (db: Db) => Promise<T>): Promise<T> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5000 });
  try {
    return await work(client.db());
  } finally {
    await client.close();
  }
}

export function messageKey(device: string, time: number): string {
  return `${device} ${time}`;
}
