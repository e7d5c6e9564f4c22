import { type Db, MongoClient } from "mongodb";
import pg from "pg";
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

/** Every sample in the table. */
export async function storedSamples(client: pg.Client): Promise<readonly StoredSample[]> {
  const { rows } = await client.query<{ device: string; time: string; readings: number; metrics: number }>(
    `SELECT d.name AS device, extract(epoch FROM s.time) * 1000 AS time, cardinality(s.metrics) AS readings,
       (SELECT count(DISTINCT m)::int FROM unnest(s.metrics) m) AS metrics
     FROM sample s JOIN device d ON d.id = s.device_id`,
  );
  return rows.map((row) => ({ ...row, time: Math.round(Number(row.time)) }));
}

/** Conflicts counted at the devices. */
export async function deviceConflicts(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ n: string }>("SELECT coalesce(sum(conflicts), 0) AS n FROM device");
  return Number(rows[0]!.n);
}

/** Copies in the archive of each message, by {@link messageKey}. */
export async function archivedCopies(stage: Stage): Promise<ReadonlyMap<string, number>> {
  const copies = new Map<string, number>();
  const add = (device: string, time: number, n: number) => {
    const key = messageKey(device, time);
    copies.set(key, (copies.get(key) ?? 0) + n);
  };
  if (stage.engines.mongodb) {
    await withDocuments(stage.engines.mongodb.uri, async (db) => {
      const found = db.collection("messages").find({}, { projection: { device: 1, eventTime: 1 }, batchSize: 10_000 });
      for await (const { device, eventTime } of found) add(device as string, (eventTime as Date).getTime(), 1);
    });
  } else {
    await withDatabase(stage, async (client) => {
      const { rows } = await client.query<{ device: string; time: string; n: number }>(
        "SELECT device, extract(epoch FROM event_time) * 1000 AS time, count(*)::int AS n FROM message_archive GROUP BY 1, 2",
      );
      for (const { device, time, n } of rows) add(device, Math.round(Number(time)), n);
    });
  }
  return copies;
}

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
