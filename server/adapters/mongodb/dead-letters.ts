import type { Db, Document, Filter } from "mongodb";
import type { DeadLetterReason } from "@/server/domain/reasons";
import type { DeadLetter, DeadLetterQuery, DeadLetters } from "@/server/ports/dead-letters";
import { COLLECTIONS, MAX_TIME_MS, openCollection } from "./collections";
import { withDocumentErrors } from "./errors";
import { originalText, storableText } from "./text";
import { insertNew, removeOlder } from "./writes";

/**
 * Dead letters in a collection of MongoDB. Words from outside are stored with lone surrogates escaped. Needs the
 * indexes of {@link import("./prepare").prepareMongo}.
 */
export function createMongoDeadLetters(db: Db): DeadLetters {
  const letters = openCollection<LetterDocument>(db, COLLECTIONS.deadLetters);
  return {
    store: (stored) =>
      withDocumentErrors(() =>
        insertNew(letters, stored.map(documentOf), ({ raw, detail }) => raw.byteLength + detail.length),
      ),

    find: (query) =>
      withDocumentErrors(async () => {
        const found = await letters
          .find(filterOf(query), {
            sort: { ingestTime: -1, _id: -1 },
            limit: query.limit,
            batchSize: query.limit,
            maxTimeMS: MAX_TIME_MS,
          })
          .toArray();
        return found.map(letterOf);
      }),

    removeBefore: (before) =>
      withDocumentErrors(() => removeOlder(openCollection<Document>(db, COLLECTIONS.deadLetters), new Date(before))),
  };
}

interface LetterDocument {
  /** The letter's id. */
  readonly _id: string;
  readonly log: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly device: string | null;
  readonly field: string | null;
  readonly ingestTime: Date;
  readonly processedTime: Date;
  /** Bytes in and out: the driver writes and reads them as Binary. */
  readonly raw: Uint8Array;
}

function documentOf(letter: DeadLetter): LetterDocument {
  const { id, position, reason, detail, device, field, ingestTime, processedTime, raw } = letter;
  return {
    _id: id,
    log: position.log,
    partition: position.partition,
    offset: position.offset,
    reason,
    detail: storableText(detail),
    device: device === null ? null : storableText(device),
    field: field === null ? null : storableText(field),
    ingestTime: new Date(ingestTime),
    processedTime: new Date(processedTime),
    raw,
  };
}

function letterOf(document: LetterDocument): DeadLetter {
  const { _id, log, partition, offset, reason, detail, device, field, ingestTime, processedTime, raw } = document;
  return {
    id: _id,
    position: { log, partition, offset },
    reason,
    detail: originalText(detail),
    device: device === null ? null : originalText(device),
    field: field === null ? null : originalText(field),
    ingestTime: ingestTime.getTime(),
    processedTime: processedTime.getTime(),
    raw,
  };
}

function filterOf({ reason, device, after }: DeadLetterQuery): Filter<LetterDocument> {
  return {
    ...(reason !== undefined && { reason }),
    ...(device !== undefined && { device: storableText(device) }),
    ...(after !== undefined && {
      ingestTime: { $lte: new Date(after.ingestTime) },
      $or: [{ ingestTime: { $lt: new Date(after.ingestTime) } }, { _id: { $lt: after.id } }],
    }),
  };
}
