import type { Collection, Document, OptionalUnlessRequiredId } from "mongodb";
import { inParts, MAX_TIME_MS } from "./collections";
import { onlyDuplicates } from "./errors";

/** Bytes of documents per command: far below the 48 MB of one message, and all of them are in memory twice. */
const COMMAND_BYTES = 8 * 1024 * 1024;
/** The fields of a document besides its body. */
const OVERHEAD_BYTES = 256;

/**
 * Inserts documents with an _id of their own; one that is there already stays as it is.
 * @param size bytes of what varies in a document, roughly.
 */
export async function insertNew<T extends Document>(
  collection: Collection<T>,
  documents: readonly T[],
  size: (document: T) => number,
): Promise<void> {
  for (const part of inParts(documents, COMMAND_BYTES, (document) => size(document) + OVERHEAD_BYTES)) {
    try {
      await collection.insertMany(part as OptionalUnlessRequiredId<T>[], { ordered: false });
    } catch (error) {
      if (!onlyDuplicates(error)) throw error;
    }
  }
}

/**
 * Removes documents with an ingestTime before `before` that `also` fits, the oldest ones, about
 * `limit` of them; returns how many.
 */
export async function removeOlder(
  collection: Collection<Document>,
  before: Date,
  limit: number,
  also: Document = {},
): Promise<number> {
  // Up to a time rather than a list of ids: it costs the server less, and only those of one moment go past the bound.
  const [last] = await collection
    .find(
      { ...also, ingestTime: { $lt: before } },
      {
        projection: { _id: 0, ingestTime: 1 },
        sort: { ingestTime: 1 },
        skip: limit - 1,
        limit: 1,
        maxTimeMS: MAX_TIME_MS,
      },
    )
    .toArray();
  const old = last ? { ingestTime: { $lte: last.ingestTime as Date } } : { ingestTime: { $lt: before } };
  return (await collection.deleteMany({ ...also, ...old })).deletedCount;
}
