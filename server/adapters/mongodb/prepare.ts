import { setTimeout as delay } from "node:timers/promises";
import { type Collection, type Db, type Document, MongoServerError } from "mongodb";
import { openCollection } from "./collections";
import { withDocumentErrors } from "./errors";
import {
  FORMER_INDEXES,
  type FoundIndex,
  type Retention,
  sameExpiry,
  sameKey,
  type WantedIndex,
  wantedIndexes,
} from "./indexes";

const NAMESPACE_NOT_FOUND = 26;
const INDEX_NOT_FOUND = 27;
const COMMAND_NOT_FOUND = 59;
/** Errors that another process preparing at the same moment causes; looking again settles them. */
const MEANWHILE = new Set([
  NAMESPACE_NOT_FOUND,
  INDEX_NOT_FOUND,
  48, // NamespaceExists
  85, // IndexOptionsConflict
  86, // IndexKeySpecsConflict
  117, // ConflictingOperationInProgress
]);
const ATTEMPTS = 5;

/**
 * Creates the collections' indexes, drops those that they took the place of, and moves the days after which MongoDB removes documents when they changed. Safe to
 * repeat and to run twice at once. Indexes on other fields are left alone.
 * @throws DocumentsUnavailableError when MongoDB is away; Error with the fix when an index stands in the way.
 */
export async function prepareMongo(db: Db, retention: Retention): Promise<void> {
  await withDocumentErrors(async () => {
    for (const wanted of wantedIndexes(retention)) {
      for (let attempt = 1; !(await bringAbout(db, wanted, attempt === ATTEMPTS)); attempt++) await delay(50 * attempt);
    }
    for (const former of FORMER_INDEXES) await dropFormer(db, former);
  });
}

/** True once the index is as wanted; false to look again, because another process was at it (unless it is the last try). */
async function bringAbout(db: Db, wanted: WantedIndex, last: boolean): Promise<boolean> {
  const collection = openCollection<Document>(db, wanted.collection);
  try {
    const indexes = await foundIndexes(collection);
    refuseUnique(wanted, indexes);
    const found = indexes.find(({ key }) => sameKey(key, wanted.key));
    if (found === undefined) {
      refuseTakenName(wanted, indexes);
      await create(collection, wanted);
    } else if (!sameExpiry(wanted, found)) {
      await changeExpiry(db, collection, wanted, found);
    }
    return true;
  } catch (error) {
    if (!last && error instanceof MongoServerError && MEANWHILE.has(Number(error.code))) return false;
    throw error;
  }
}

async function dropFormer(db: Db, former: WantedIndex): Promise<void> {
  const collection = openCollection<Document>(db, former.collection);
  const found = await foundIndexes(collection);
  if (!found.some(({ name, key }) => name === former.name && sameKey(key, former.key))) return;
  await collection.dropIndex(former.name).catch((error: unknown) => {
    if (!(error instanceof MongoServerError && error.code === INDEX_NOT_FOUND)) throw error;
  });
}

async function foundIndexes(collection: Collection<Document>): Promise<FoundIndex[]> {
  try {
    return (await collection.listIndexes().toArray()) as FoundIndex[];
  } catch (error) {
    if (error instanceof MongoServerError && error.code === NAMESPACE_NOT_FOUND) return [];
    throw error;
  }
}

async function create(collection: Collection<Document>, { name, key, expireAfterSeconds }: WantedIndex): Promise<void> {
  const expiry = expireAfterSeconds === undefined ? {} : { expireAfterSeconds };
  await collection.createIndex(key, { name, ...expiry });
}

async function changeExpiry(
  db: Db,
  collection: Collection<Document>,
  wanted: WantedIndex,
  found: FoundIndex,
): Promise<void> {
  const { expireAfterSeconds } = wanted;
  if (expireAfterSeconds === undefined && found.name === wanted.name) {
    // Our own, of a version that let MongoDB remove them.
    await collection.dropIndex(found.name);
    await create(collection, wanted);
    return;
  }
  if (expireAfterSeconds === undefined) {
    throw inTheWay(wanted, found.name, "removes documents by their age, and this one must not");
  }
  try {
    await db.command({ collMod: wanted.collection, index: { name: found.name, expireAfterSeconds } });
  } catch (error) {
    if (!(error instanceof MongoServerError && error.code === COMMAND_NOT_FOUND)) throw error;
    // Servers that speak MongoDB's protocol but don't know collMod.
    await collection.dropIndex(found.name);
    await create(collection, wanted);
  }
}

/** Whatever a unique index turns away would look like a document that is there already, and be lost. */
function refuseUnique(wanted: WantedIndex, indexes: readonly FoundIndex[]): void {
  const unique = indexes.find((index) => index.unique === true && !sameKey(index.key, { _id: 1 }));
  if (unique) throw inTheWay(wanted, unique.name, "is unique: documents it refuses would be lost");
}

function refuseTakenName(wanted: WantedIndex, indexes: readonly FoundIndex[]): void {
  const named = indexes.find(({ name }) => name === wanted.name);
  if (named) {
    throw inTheWay(
      wanted,
      named.name,
      `is on ${JSON.stringify(named.key)} and should be on ${JSON.stringify(wanted.key)}`,
    );
  }
}

function inTheWay({ collection }: WantedIndex, name: string, why: string): Error {
  return new Error(
    `The index "${name}" of MongoDB's collection ${collection} ${why}. Drop it, then start again: ` +
      `db.${collection}.dropIndex(${JSON.stringify(name)})`,
  );
}
