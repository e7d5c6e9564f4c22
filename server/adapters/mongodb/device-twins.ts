import { setTimeout as delay } from "node:timers/promises";
import { type AnyBulkWriteOperation, type Collection, type Db, ObjectId } from "mongodb";
import type { DeviceTwins, Twin, TwinUpdate, TwinValue } from "@/server/ports/device-twins";
import { DocumentsUnavailableError } from "@/server/domain/unavailable";
import { COLLECTIONS, inParts, MAX_TIME_MS, openCollection } from "./collections";
import { onlyDuplicates, withDocumentErrors } from "./errors";
import { originalText, storableText } from "./text";
import { bringIn, latestEventTime, type TwinState } from "../twin-state";

/** Twins read and written per round. */
const CHUNK = 500;
/** Rounds before giving up: each is lost only to another writer that won. */
const ATTEMPTS = 50;
const LONGEST_PAUSE_MS = 100;

/**
 * Twins in a collection of MongoDB, one document each. Without transactions: a twin is replaced only if it still is
 * the one that was read, else it is read and merged again, which changes nothing that is there already.
 */
export function createMongoDeviceTwins(db: Db): DeviceTwins {
  const twins = openCollection<TwinDocument>(db, COLLECTIONS.twins);
  return {
    merge: (updates) =>
      withDocumentErrors(async () => {
        const worth = updates.filter(({ values }) => values.size > 0);
        for (const part of inParts(worth, CHUNK, () => 1)) await mergePart(twins, part);
      }),

    forget: (devices, field) =>
      withDocumentErrors(async () => {
        for (const part of inParts(devices, CHUNK, () => 1)) {
          const those = { _id: { $in: [...part] } };
          if (field === null) await twins.deleteMany(those);
          else {
            const name = storableText(field);
            // Another revision, so that whoever read it before reads it again.
            const change = { $pull: { values: { name } }, $set: { revision: new ObjectId() } };
            await twins.updateMany({ ...those, "values.name": name }, change);
            await twins.deleteMany({ ...those, values: { $size: 0 } });
          }
        }
      }),

    get: (devices) =>
      withDocumentErrors(async () => {
        const found = new Map<string, Twin>();
        for (const part of inParts(devices, CHUNK, () => 1)) {
          for (const [device, { state }] of await read(twins, part)) {
            found.set(device, { device, eventTime: latestEventTime(state), values: state });
          }
        }
        return found;
      }),

    latest: (field) =>
      withDocumentErrors(async () => {
        const name = storableText(field);
        const found = await twins
          .find({ "values.name": name }, { projection: { values: { $elemMatch: { name } } }, maxTimeMS: MAX_TIME_MS })
          .batchSize(10_000)
          .toArray();
        const latest = new Map<string, number>();
        for (const { _id, values } of found) {
          const value = values[0]?.value;
          if (typeof value === "number" || typeof value === "boolean") latest.set(_id, Number(value));
        }
        return latest;
      }),
  };
}

interface TwinDocument {
  /** The device's name. */
  readonly _id: string;
  /** Another with every write, so that no state is ever taken for one that was written in between. */
  readonly revision: ObjectId;
  readonly eventTime: Date;
  /** A list, because names of fields may hold what names in BSON may not. */
  readonly values: readonly {
    readonly name: string;
    readonly value: TwinValue["value"];
    readonly time: Date;
    readonly isState?: true;
  }[];
}

interface StoredTwin {
  readonly revision: ObjectId;
  readonly state: TwinState;
}

async function mergePart(twins: Collection<TwinDocument>, updates: readonly TwinUpdate[]): Promise<void> {
  let waiting = updates;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await delay(Math.random() * Math.min(LONGEST_PAUSE_MS, 2 ** attempt));
    const stored = await read(
      twins,
      waiting.map(({ device }) => device),
    );
    const writes: AnyBulkWriteOperation<TwinDocument>[] = [];
    waiting = waiting.filter((update) => {
      const write = writeOf(update, stored.get(update.device));
      if (write !== null) writes.push(write);
      return write !== null;
    });
    if (writes.length === 0 || (await writeAll(twins, writes))) return;
  }
  throw new DocumentsUnavailableError(
    `${waiting.length} twins could not be written in ${ATTEMPTS} attempts, because others keep changing them: ${waiting[0]?.device}, …`,
  );
}

/** The write that brings `update` in, or null if there is nothing newer in it. */
function writeOf(update: TwinUpdate, stored: StoredTwin | undefined): AnyBulkWriteOperation<TwinDocument> | null {
  const { device, values } = update;
  const state: TwinState = stored?.state ?? new Map();
  if (!bringIn(state, values)) return null;
  const replacement = {
    revision: new ObjectId(),
    eventTime: new Date(latestEventTime(state)),
    values: [...state].map(([field, { value, eventTime, isState }]) => ({
      name: storableText(field),
      value: typeof value === "string" ? storableText(value) : value,
      time: new Date(eventTime),
      ...(isState && { isState }),
    })),
  };
  if (stored === undefined) return { insertOne: { document: { _id: device, ...replacement } } };
  return { replaceOne: { filter: { _id: device, revision: stored.revision }, replacement } };
}

/** True if every write took effect, false if another writer was faster with one of them. */
async function writeAll(
  twins: Collection<TwinDocument>,
  writes: readonly AnyBulkWriteOperation<TwinDocument>[],
): Promise<boolean> {
  try {
    const { insertedCount, matchedCount } = await twins.bulkWrite(writes, { ordered: false });
    return insertedCount + matchedCount === writes.length;
  } catch (error) {
    if (onlyDuplicates(error)) return false;
    throw error;
  }
}

async function read(twins: Collection<TwinDocument>, devices: readonly string[]): Promise<Map<string, StoredTwin>> {
  const found = await twins
    .find({ _id: { $in: [...devices] } }, { batchSize: CHUNK, maxTimeMS: MAX_TIME_MS })
    .toArray();
  return new Map(found.map(({ _id, revision, values }) => [_id, { revision, state: stateOf(values) }]));
}

function stateOf(values: TwinDocument["values"]): TwinState {
  return new Map(
    values.map(({ name, value, time, isState }) => [
      originalText(name),
      {
        value: typeof value === "string" ? originalText(value) : value,
        eventTime: time.getTime(),
        ...(isState && { isState }),
      },
    ]),
  );
}
