import type { Collection, Document } from "mongodb";
import type { DeadLetterReason } from "@/server/domain/reasons";
import type { DeadLetterGroup, DeadLetterGroups, DeadLetterGroupsQuery } from "@/server/ports/dead-letters";
import type { RefusedDelivery } from "@/server/domain/source-mark";
import { MAX_TIME_MS } from "../collections";
import { originalText } from "../text";
import { type Places, filterOf, type LetterDocument } from "./documents";
import { RESENDS } from "./older-words";

const HOUR = 3_600_000;

/** Groups all letters, then reads the newest one of each group it answers with. */
export async function findGroups(
  letters: Collection<LetterDocument>,
  { limit, trendFrom, ...filter }: DeadLetterGroupsQuery,
  places: Places,
): Promise<DeadLetterGroups> {
  const match = await filterOf(filter, places);
  const key = { reason: "$reason", device: "$device", field: "$field" };
  const options = { maxTimeMS: MAX_TIME_MS, allowDiskUse: true };
  const grouped: Document[] = [
    { $match: match },
    {
      $group: {
        _id: key,
        count: { $sum: 1 },
        resends: { $sum: RESENDS },
        first: { $min: "$ingestTime" },
        last: { $max: "$ingestTime" },
      },
    },
  ];
  const order: Document = { count: -1, last: -1, _id: 1 };
  const [found, counted, hours] = await Promise.all([
    letters.aggregate<Group>([...grouped, { $sort: order }, { $limit: limit }], options).toArray(),
    letters.aggregate<{ total: number }>([...grouped, { $count: "total" }], options).toArray(),
    letters
      .aggregate<{ _id: Group["_id"] & { hour: number }; count: number }>(
        [
          { $match: { $and: [match, { ingestTime: { $gte: new Date(trendFrom) } }] } },
          { $group: { _id: { ...key, hour: hourSince(trendFrom) }, count: { $sum: 1 } } },
        ],
        options,
      )
      .toArray(),
  ]);
  const trends = new Map<string, Map<number, number>>();
  for (const { _id, count } of hours) {
    const name = nameOf(_id);
    const trend = trends.get(name) ?? new Map<number, number>();
    trends.set(name, trend.set(Number(_id.hour), count));
  }
  const groups = await Promise.all(
    found.map(async (group): Promise<DeadLetterGroup> => {
      const { reason, device = null, field = null } = group._id;
      const newest = await letters.findOne(
        { reason, device, field, ingestTime: group.last },
        { sort: { _id: -1 }, projection: { detail: 1, source: 1, delivery: 1 }, maxTimeMS: MAX_TIME_MS },
      );
      return {
        reason,
        device: device === null ? null : originalText(device),
        field: field === null ? null : originalText(field),
        count: group.count,
        resends: group.resends,
        firstSeen: group.first.getTime(),
        lastSeen: group.last.getTime(),
        trend: trends.get(nameOf(group._id)) ?? new Map<number, number>(),
        example: originalText(newest?.detail ?? ""),
        source: newest?.source ?? null,
        mappingVersion: newest?.delivery ? (JSON.parse(newest.delivery) as RefusedDelivery).version : null,
      };
    }),
  );
  return { total: counted[0]?.total ?? 0, groups };
}

interface Group {
  readonly _id: { readonly reason: DeadLetterReason; readonly device?: string | null; readonly field?: string | null };
  readonly count: number;
  readonly resends: number;
  readonly first: Date;
  readonly last: Date;
}

/** Expression for the number of the hour since `from`. */
function hourSince(from: number): Document {
  return { $floor: { $divide: [{ $subtract: ["$ingestTime", new Date(from)] }, HOUR] } };
}

function nameOf({ reason, device, field }: Group["_id"]): string {
  return JSON.stringify([reason, device ?? null, field ?? null]);
}
