import type { Db } from "mongodb";
import pino from "pino";
import type { ArchivedMessage } from "@/server/ports/message-archive";
import { connectMongo, type MongoConnection } from "./connection";
import { prepareMongo } from "./prepare";

/** For tests: a connection to the database at `uri`, for which a busy machine is no outage. */
export function connectPatiently(uri: string): MongoConnection {
  const patience = "serverSelectionTimeoutMS=30000&connectTimeoutMS=30000&socketTimeoutMS=60000";
  return connectMongo(withOptions(uri, patience), "test", pino({ level: "silent" }));
}

/** Connects as {@link connectPatiently} does, and prepares the database. */
export async function connectPrepared(uri: string): Promise<MongoConnection> {
  const connection = connectPatiently(uri);
  // The suites store messages of long ago, which a real MongoDB would remove while they look.
  await prepareMongo(connection.db, { archiveDays: 36_500 });
  return connection;
}

/** The URI with more options. */
export function withOptions(uri: string, options: string): string {
  return `${uri}${uri.includes("?") ? "&" : "?"}${options}`;
}

/** Stores messages as versions before did, a document each. */
export async function storeFormer(db: Db, messages: readonly ArchivedMessage[]): Promise<void> {
  await db.collection<{ _id: string }>("messages").insertMany(
    messages.map(({ position, device, body, ...times }) => ({
      _id: `${position.log}/${position.partition}/${position.offset}`,
      ...{ partition: position.partition, offset: position.offset, device, body },
      eventTime: new Date(times.eventTime),
      ingestTime: new Date(times.ingestTime),
      processedTime: new Date(times.processedTime),
    })),
  );
}
