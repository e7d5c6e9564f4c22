import type { ArchivedMessage, MessageQuery } from "@/server/ports/message-archive";
import type { EpochMs } from "@/server/domain/terms";
import { type Block, unpackBlock } from "./block";

/** A block as far as one question needs it: the sections where the device's messages may be. */
export interface BlockPart extends Pick<Block, "log" | "partition" | "sectionDevices" | "sectionEnds" | "sections"> {
  /** The order in which blocks were stored. */
  readonly stored: number | string;
}

/** Some of the blocks that may hold a device's messages. */
export interface Round {
  readonly parts: readonly BlockPart[];
  /** No message of the rounds that follow has a later ingest time. */
  readonly rest: EpochMs;
}

/**
 * The newest messages of a device, by rounds of blocks, of which no more are taken than needed. Of messages at one position,
 * as a batch that came again leaves them, one is given: the one processed first; of those processed at once the one stored first.
 * @param others messages that lie in no block; they count as stored before all blocks.
 */
export async function takeNewest(
  { device, limit, after }: MessageQuery,
  others: readonly ArchivedMessage[],
  rounds: AsyncIterable<Round>,
): Promise<ArchivedMessage[]> {
  const found = new Map<string, { readonly message: ArchivedMessage; readonly stored: number | string | null }>();
  for (const message of others) found.set(keyOf(message), { message, stored: null });
  for await (const { parts, rest } of rounds) {
    for (const part of parts) {
      for (const message of unpackBlock(part, device)) {
        if (after !== undefined && !isAfter(message, after)) continue;
        const key = keyOf(message);
        const other = found.get(key);
        if (other === undefined || isBefore(message, part.stored, other))
          found.set(key, { message, stored: part.stored });
      }
    }
    let settled = 0;
    for (const { message } of found.values()) if (message.ingestTime > rest) settled++;
    if (settled >= limit) break;
  }
  return [...found.values()]
    .map(({ message }) => message)
    .sort(newestFirst)
    .slice(0, limit);
}

function isBefore(
  message: ArchivedMessage,
  stored: number | string,
  other: { readonly message: ArchivedMessage; readonly stored: number | string | null },
): boolean {
  const by = message.processedTime - other.message.processedTime;
  return by < 0 || (by === 0 && other.stored !== null && stored < other.stored);
}

function keyOf({ position }: ArchivedMessage): string {
  return `${position.offset}/${position.partition}/${position.log}`;
}

function isAfter({ ingestTime, position }: ArchivedMessage, after: NonNullable<MessageQuery["after"]>): boolean {
  if (ingestTime !== after.ingestTime) return ingestTime < after.ingestTime;
  if (position.partition !== after.partition) return position.partition < after.partition;
  return position.offset < after.offset;
}

function newestFirst(a: ArchivedMessage, b: ArchivedMessage): number {
  return (
    b.ingestTime - a.ingestTime ||
    b.position.partition - a.position.partition ||
    b.position.offset - a.position.offset ||
    (a.position.log < b.position.log ? -1 : 1)
  );
}
