import { z } from "zod";
import { invalid } from "./parse";

/** A moment in a cursor, epoch milliseconds: from year 1 to 9999, which every engine holds. */
export const momentPlace = z.int().min(-62_135_596_800_000).max(253_402_300_799_999);

/** Packs the place of a page's last item into a text that only {@link openCursor} reads. `order` is the order it belongs to. */
export function sealCursor(order: string, place: unknown): string {
  return Buffer.from(JSON.stringify([order, place])).toString("base64url");
}

/** Reads a cursor of this order. @throws ProblemError when it is broken or belongs to another order. */
export function openCursor<T extends z.ZodType>(
  order: string,
  schema: T,
  cursor: string | undefined,
): z.output<T> | null {
  if (cursor === undefined) return null;
  const place = schema.safeParse(unpack(order, cursor));
  if (!place.success)
    throw invalid([{ at: "cursor", message: "is not a cursor of this list in this order; begin without one" }]);
  return place.data;
}

function unpack(order: string, cursor: string): unknown {
  try {
    const read: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    return Array.isArray(read) && read[0] === order ? read[1] : undefined;
  } catch {
    return undefined;
  }
}
