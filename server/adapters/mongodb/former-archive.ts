import type { Collection, Filter } from "mongodb";
import type { ArchivedMessage, MessageQuery } from "@/server/ports/message-archive";
import { MAX_TIME_MS } from "./collections";

/** A message as versions before kept it, a document each. The collection is empty once the merge job has packed them. */
export interface FormerDocument {
  /** log/partition/offset. The log is nowhere else. */
  readonly _id: string;
  readonly partition: number;
  readonly offset: number;
  readonly device: string;
  readonly eventTime: Date;
  readonly ingestTime: Date;
  readonly processedTime: Date;
  readonly body: string;
}

/** A device's messages among them, as the archive finds them. */
export async function findFormer(
  former: Collection<FormerDocument>,
  query: MessageQuery,
): Promise<readonly ArchivedMessage[]> {
  const found = await former
    .find(filterOf(query), {
      sort: { ingestTime: -1, partition: -1, offset: -1 },
      limit: query.limit,
      batchSize: query.limit,
      maxTimeMS: MAX_TIME_MS,
    })
    .toArray();
  return found.map(messageOf);
}

/** The oldest of them. */
export async function oldestFormer(
  former: Collection<FormerDocument>,
  limit: number,
): Promise<{ readonly ids: readonly string[]; readonly messages: readonly ArchivedMessage[] }> {
  const found = await former.find({}, { sort: { ingestTime: 1 }, limit, maxTimeMS: MAX_TIME_MS }).toArray();
  return { ids: found.map(({ _id }) => _id), messages: found.map(messageOf) };
}

function messageOf(document: FormerDocument): ArchivedMessage {
  const { _id, partition, offset, device, eventTime, ingestTime, processedTime, body } = document;
  return {
    position: { log: _id.slice(0, -`/${partition}/${offset}`.length), partition, offset },
    device,
    eventTime: eventTime.getTime(),
    ingestTime: ingestTime.getTime(),
    processedTime: processedTime.getTime(),
    body,
  };
}

/** `$lte` bounds the index; the `$or` then passes over the few of the same millisecond that came before. */
function filterOf({ device, after }: MessageQuery): Filter<FormerDocument> {
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
