import type { Collection, Db, Document } from "mongodb";

/** The collections, by what they hold. */
export const COLLECTIONS = {
  archive: "archive",
  /** A document a message, as versions before kept them. */
  messages: "messages",
  twins: "twins",
  deadLetters: "deadLetters",
} as const;

export type CollectionName = (typeof COLLECTIONS)[keyof typeof COLLECTIONS];

/** The time a single question may take in the server, in milliseconds; less than the connection's own limit. */
export const MAX_TIME_MS = 15_000;

/**
 * A collection as all adapters use it, whatever the URI says: a write counts once a majority has it on disk, and
 * what is read can't be rolled back, so that "it is there already" may be relied on.
 */
export function openCollection<T extends Document>(db: Db, name: CollectionName): Collection<T> {
  return db.collection<T>(name, {
    writeConcern: { w: "majority", journal: true, wtimeoutMS: 10_000 },
    readConcern: { level: "majority" },
    readPreference: "primary",
    promoteBuffers: true,
  });
}

/** Cuts a list into parts of at most `most` units of `size`; a larger item comes alone. */
export function* inParts<T>(items: readonly T[], most: number, size: (item: T) => number): Generator<readonly T[]> {
  let start = 0;
  let sum = 0;
  for (let at = 0; at < items.length; at++) {
    const next = size(items[at]!);
    if (at > start && sum + next > most) {
      yield items.slice(start, at);
      start = at;
      sum = 0;
    }
    sum += next;
  }
  if (start < items.length) yield items.slice(start);
}
