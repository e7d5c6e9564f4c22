/**
 * Decoders: each makes trees of the bytes of a delivery, so that a mapping can point at their leaves. They know formats, never what is data in
 * them: that is the mapping's. A **part** is what one line, record or message of the payload became.
 */
import { type JsonReading, readJson } from "@/server/domain/json";
import type { Delivery, Part } from "@/server/domain/mapping/delivery";
import type { Mapping } from "@/server/domain/mapping/mapping";
import { MESSAGE_LIMITS } from "@/server/domain/terms";

/**
 * Reads a delivery; some formats need to be told of by the mapping. A part that can't be read carries its error, and the others are good all the same.
 * @throws UnreadableError when nothing of it can be read.
 */
export type Decoder = (delivery: Delivery, mapping?: Partial<Pick<Mapping, "csv" | "allTags">>) => readonly Part[];

/** The payload isn't what its decoder reads. The message says what is wrong, for the person who set the sender up. */
export class UnreadableError extends Error {
  override readonly name = "UnreadableError";
}

/** The payload holds more than is taken at once, of whatever kind. */
export class TooManyError extends UnreadableError {}

/** Bounds of one delivery, whatever its size packed; doors bound its bytes. */
export const DECODE_LIMITS = {
  /** Lines, records, points: together. */
  parts: 50_000,
  /** Levels of a tree. */
  depth: 2 * MESSAGE_LIMITS.depth,
} as const;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The body as text, without a byte order mark. @throws UnreadableError */
export function textOf({ body }: Pick<Delivery, "body">): string {
  try {
    return utf8.decode(body);
  } catch {
    throw new UnreadableError("it is not UTF-8 text");
  }
}

/** @throws UnreadableError for what isn't JSON, or is nested too deep. */
export function readTree(text: string): JsonReading {
  if (text.trim() === "") throw new UnreadableError("it is empty");
  try {
    return readJson(text, DECODE_LIMITS.depth);
  } catch (error) {
    throw new UnreadableError(`it is not JSON: ${(error as Error).message.slice(0, 200)}`);
  }
}

/** A part that is all of the payload. */
export function whole(value: JsonReading): Part[] {
  return [{ value, path: "", beside: {} }];
}

/** A part, or why there is none: `read` tells by throwing an UnreadableError. */
export function partAt(path: string, read: () => JsonReading): Part {
  try {
    return { value: read(), path, beside: {} };
  } catch (error) {
    if (error instanceof UnreadableError) return { path, error: error.message };
    throw error;
  }
}

/** @throws TooManyError when a payload has more parts than are taken at once. */
export function checkCount(count: number): void {
  if (count > DECODE_LIMITS.parts)
    throw new TooManyError(
      `it has more than ${DECODE_LIMITS.parts} parts (lines, records or points); send fewer at once`,
    );
}
