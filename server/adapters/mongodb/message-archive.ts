import type { Db, Document, Filter } from "mongodb";
import type { ArchivedMessage, MessageArchive, MessageQuery } from "@/server/ports/message-archive";
import { COLLECTIONS, MAX_TIME_MS, openCollection } from "./collections";
import { withDocumentErrors } from "./errors";
import { insertNew, removeOlder } from "./writes";

/** The message archive in a collection of MongoDB. Needs the indexes of {@link import("./prepare").prepareMongo}. */
export function createMongoMessageArchive(db: Db): MessageArchive {
  const messages = openCollection<MessageDocument>(db, COLLECTIONS.messages);
  return {
    store: (stored) =>
      withDocumentErrors(() => insertNew(messages, stored.map(documentOf), ({ body }) => Buffer.byteLength(body))),

    find: (query) =>
      withDocumentErrors(async () => {
        const found = await messages
          .find(filterOf(query), {
            sort: { ingestTime: -1, partition: -1, offset: -1 },
            limit: query.limit,
            batchSize: query.limit,
            maxTimeMS: MAX_TIME_MS,
          })
          .toArray();
        return found.map(messageOf);
      }),

    removeBefore: (before, limit) =>
      withDocumentErrors(() =>
        removeOlder(openCollection<Document>(db, COLLECTIONS.messages), new Date(before), limit),
      ),
  };
}

interface MessageDocument {
  /** log/partition/offset. The log is nowhere else. */
  readonly _id: string;
  readonly partition: number;
  readonly offset: number;
  readonly device: string;
  readonly eventTime: Date;
  readonly ingestTime: Date;
  readonly processedTime: Date;
  /** Text, not a document: BSON would drop repeated keys, spaces and large numbers. */
  readonly body: string;
}

function documentOf(message: ArchivedMessage): MessageDocument {
  const { position, device, eventTime, ingestTime, processedTime, body } = message;
  return {
    _id: position.log + afterLog(position),
    partition: position.partition,
    offset: position.offset,
    device,
    eventTime: new Date(eventTime),
    ingestTime: new Date(ingestTime),
    processedTime: new Date(processedTime),
    body,
  };
}

function messageOf(document: MessageDocument): ArchivedMessage {
  const { _id, partition, offset, device, eventTime, ingestTime, processedTime, body } = document;
  return {
    position: { log: _id.slice(0, -afterLog(document).length), partition, offset },
    device,
    eventTime: eventTime.getTime(),
    ingestTime: ingestTime.getTime(),
    processedTime: processedTime.getTime(),
    body,
  };
}

function afterLog({ partition, offset }: Pick<MessageDocument, "partition" | "offset">): string {
  return `/${partition}/${offset}`;
}

/** `$lte` bounds the index; the `$or` then passes over the few of the same millisecond that came before. */
function filterOf({ device, after }: MessageQuery): Filter<MessageDocument> {
  if (after === undefined) return { device };
  const ingestTime = new Date(after.ingestTime);
  return {
    device,
    ingestTime: { $lte: ingestTime },
    $or: [
      { ingestTime: { $lt: ingestTime } },
      { partition: { $lt: after.partition } },
      { partition: after.partition, offset: { $lt: after.offset } },
    ],
  };
}
