import { randomUUID } from "node:crypto";
import type { Collection, Db, Document, Filter } from "mongodb";
import { nameFinder } from "@/server/domain/erased";
import {
  type CountedStatus,
  countsByJob,
  countsOf,
  type DeadLetterChange,
  type DeadLetterQuery,
  type DeadLetters,
  MOST_EVENTS,
} from "@/server/ports/dead-letters";
import { COLLECTIONS, MAX_TIME_MS, openCollection } from "./collections";
import {
  type Places,
  documentOf,
  eventDocumentOf,
  filterOf,
  type LetterDocument,
  letterOf,
} from "./dead-letters/documents";
import { findGroups } from "./dead-letters/groups";
import { RESENT_AS, sentAgain, statusOf, type StoredStatus, storedStatuses } from "./dead-letters/older-words";
import { withDocumentErrors } from "./errors";
import { storableText } from "./text";
import { insertNew, removeOlder } from "./writes";

/**
 * Dead letters in a collection of MongoDB. Words from outside are stored with lone surrogates escaped. Needs the
 * indexes of {@link import("./prepare").prepareMongo}. Sites are in another engine, so that what is there is asked for by `places`.
 */
export function createMongoDeadLetters(db: Db, places: Places): DeadLetters {
  const letters = openCollection<LetterDocument>(db, COLLECTIONS.deadLetters);
  const untyped = openCollection<Document>(db, COLLECTIONS.deadLetters);
  return {
    store: (stored) =>
      withDocumentErrors(() =>
        insertNew(letters, stored.map(documentOf), ({ raw, detail }) => raw.byteLength + detail.length),
      ),

    find: (query) =>
      withDocumentErrors(async () => {
        const found = await letters
          .find(await queryOf(query, places), {
            sort: { ingestTime: -1, _id: -1 },
            limit: query.limit,
            batchSize: query.limit,
            maxTimeMS: MAX_TIME_MS,
          })
          .toArray();
        return found.map(letterOf);
      }),

    count: (filter) =>
      withDocumentErrors(async () =>
        countsOf(
          await countLetters(letters, await filterOf(filter, places), filter.job === undefined ? NOT_ASKED : REFUSED),
        ),
      ),

    countByJob: (jobs) =>
      withDocumentErrors(async () =>
        countsByJob(await countLetters(letters, { job: { $in: [...jobs] } }, { ...REFUSED, job: "$job" })),
      ),

    groups: (query) => withDocumentErrors(() => findGroups(letters, query, places)),

    change: (changes) => withDocumentErrors(() => change(letters, changes)),

    removeBefore: (before, limit) =>
      withDocumentErrors(() => removeOlder(untyped, new Date(before), limit, NOT_ON_ITS_WAY)),

    erase: (device) =>
      withDocumentErrors(async () => {
        const ids = await idsOf(letters, device);
        for (let at = 0; at < ids.length; at += ERASED_AT_ONCE)
          await letters.deleteMany({ _id: { $in: ids.slice(at, at + ERASED_AT_ONCE) } });
        return ids.length;
      }),

    countOf: (device) => withDocumentErrors(async () => (await idsOf(letters, device)).length),
  };
}

const ERASED_AT_ONCE = 1000;

/** The dead letters of a device, and of those whose device could not be read the ones that hold its name. */
async function idsOf(letters: Collection<LetterDocument>, device: string): Promise<string[]> {
  const ids = (
    await letters.find({ device: storableText(device) }, { projection: { _id: 1 }, maxTimeMS: MAX_TIME_MS }).toArray()
  ).map(({ _id }) => _id);
  const unread = letters.find({ device: null }, { projection: { raw: 1, detail: 1, delivery: 1, history: 1 } });
  const holds = nameFinder(device);
  for await (const { _id, raw, ...words } of unread)
    if (holds(raw) || holds(Buffer.from(wordsOf(words)))) ids.push(_id);
  return ids;
}

function wordsOf({ detail, delivery, history }: Pick<LetterDocument, "detail" | "delivery" | "history">): string {
  return [detail, delivery ?? "", ...(history ?? []).map((event) => event.detail)].join(" ");
}

/** Stands in where no resend can have been refused: asking costs a look at the document. */
const NOT_ASKED = { refused: { $literal: false } };
const REFUSED = {
  refused: { $and: [{ $in: ["$status", storedStatuses(["resent"])] }, { $ne: [RESENT_AS, null] }] },
};
const NOT_ON_ITS_WAY = { status: { $nin: storedStatuses(["resending"]) } };

async function countLetters(
  letters: Collection<LetterDocument>,
  filter: Filter<LetterDocument>,
  by: Document,
): Promise<(CountedStatus & { readonly job: string })[]> {
  const found = await letters
    .aggregate<{ _id: { status: StoredStatus; refused: boolean; job: string }; count: number }>(
      [{ $match: filter }, { $group: { _id: { status: { $ifNull: ["$status", null] }, ...by }, count: { $sum: 1 } } }],
      { maxTimeMS: MAX_TIME_MS },
    )
    .toArray();
  return found.map(({ _id: { status, ...rest }, count }) => ({ ...rest, status: statusOf(status), count }));
}

/** Makes each change by a condition on its own document; a mark tells afterwards which of them were changed here. */
async function change(
  letters: Collection<LetterDocument>,
  changes: readonly DeadLetterChange[],
): Promise<ReadonlySet<string>> {
  if (changes.length === 0) return new Set();
  const mark = randomUUID();
  const { matchedCount } = await letters.bulkWrite(
    changes.map(({ id, from, resends, to, event, sends, resentAs, job }) => ({
      updateOne: {
        filter: {
          _id: id,
          status: { $in: storedStatuses(from) },
          ...sentAgain(resends),
        },
        update: {
          $set: {
            status: to,
            resends: resends + (sends === true ? 1 : 0),
            changedAt: new Date(event.time),
            changedBy: mark,
            ...(resentAs !== undefined && { resentAs }),
            ...(job !== undefined && { job }),
          },
          $push: { history: { $each: [eventDocumentOf(event)], $slice: -MOST_EVENTS } },
        },
      },
    })),
    { ordered: false },
  );
  const ids = changes.map(({ id }) => id);
  if (matchedCount === changes.length) return new Set(ids);
  const mine = await letters
    .find({ _id: { $in: ids }, changedBy: mark }, { projection: { _id: 1 }, maxTimeMS: MAX_TIME_MS })
    .toArray();
  return new Set(mine.map(({ _id }) => _id));
}

async function queryOf(
  { ids, after, limit: _, ...filter }: DeadLetterQuery,
  places: Places,
): Promise<Filter<LetterDocument>> {
  const conditions: Filter<LetterDocument>[] = [await filterOf(filter, places)];
  if (ids !== undefined) conditions.push({ _id: { $in: [...ids] } });
  if (after !== undefined) {
    const ingestTime = new Date(after.ingestTime);
    conditions.push({
      ingestTime: { $lte: ingestTime },
      $or: [{ ingestTime: { $lt: ingestTime } }, { _id: { $lt: after.id } }],
    });
  }
  return conditions.length === 1 ? conditions[0]! : { $and: conditions };
}
