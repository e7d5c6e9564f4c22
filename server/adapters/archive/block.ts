import { crc32 } from "node:zlib";
import type { ArchivedMessage, IncomingMessage } from "@/server/ports/message-archive";
import type { EpochMs } from "@/server/domain/terms";
import { packSection, unpackSection } from "./section";

/**
 * Many messages of one log, one partition and one UTC day of ingest time, packed together. They lie sorted by device, in sections
 * that are unpacked alone, so that a device's messages cost no more than the sections they are in.
 */
export interface Block {
  readonly log: string;
  readonly partition: number;
  /** Days from 1970-01-01 to that of its ingest times. */
  readonly day: number;
  /** The lowest and the highest offset in it; not all between them need be. */
  readonly first: number;
  readonly last: number;
  readonly messages: number;
  /** The length of its texts: in bytes of those that came as bytes, else in UTF-16 units. */
  readonly size: number;
  readonly firstIngest: EpochMs;
  readonly lastIngest: EpochMs;
  /** Marks of its devices, ascending, each once. */
  readonly devices: readonly number[];
  /** The mark that each section begins with; a device's messages may go on into the next section. */
  readonly sectionDevices: readonly number[];
  /** The byte after each section in `sections`. */
  readonly sectionEnds: readonly number[];
  readonly sections: Buffer;
}

/** Most units of text in a block. Far below the 16 MB of a MongoDB document, even where nothing can be packed. */
const BLOCK_SIZE = 4 * 1024 * 1024;
/** Units of text after which a section ends: enough to pack well, little to unpack for one message. */
const SECTION_SIZE = 64 * 1024;
const DAY_MS = 24 * 3_600_000;

/** The number a device's name is looked up by, from 0 to 2³¹ − 1. Names may share one. */
export function deviceMark(device: string): number {
  return crc32(device) >>> 1;
}

/** The day of an ingest time, as {@link Block.day} counts. */
export function dayOf(ingestTime: EpochMs): number {
  return Math.floor(ingestTime / DAY_MS);
}

/** The moment a day begins. */
export function startOfDay(day: number): EpochMs {
  return day * DAY_MS;
}

/**
 * Packs messages into as few blocks as they fit in, whose stretches of offsets don't overlap within a day. Of several at one position the one that was
 * processed first is kept; of those processed at once the first in the list.
 */
export function packBlocks(messages: readonly IncomingMessage[]): Block[] {
  return byDay(messages).flatMap((some) => {
    const blocks: Block[] = [];
    let start = 0;
    let size = 0;
    for (const [at, { body }] of some.entries()) {
      if (at > start && size + body.length > BLOCK_SIZE) {
        blocks.push(packBlock(some.slice(start, at)));
        start = at;
        size = 0;
      }
      size += body.length;
    }
    blocks.push(packBlock(start === 0 ? some : some.slice(start)));
    return blocks;
  });
}

/** The sections, from one to before another, that may hold messages of the devices with a mark. */
export function sectionsOf({ sectionDevices }: Pick<Block, "sectionDevices">, mark: number): [number, number] {
  // A section ends where the next begins, so its last device may be the first of that one.
  let from = 0;
  while (from + 1 < sectionDevices.length && sectionDevices[from + 1]! < mark) from++;
  let to = from + 1;
  while (to < sectionDevices.length && sectionDevices[to]! <= mark) to++;
  return [from, to];
}

/** Every message of a block; of one device alone, only those that lie in the sections where they may be. */
export function unpackBlock(
  block: Pick<Block, "log" | "partition" | "sectionDevices" | "sectionEnds" | "sections">,
  device?: string,
): ArchivedMessage[] {
  const { sectionEnds, sections } = block;
  const [from, to] = device === undefined ? [0, sectionEnds.length] : sectionsOf(block, deviceMark(device));
  const messages: ArchivedMessage[] = [];
  for (let i = from; i < to; i++)
    unpackSection(sections.subarray(sectionEnds[i - 1] ?? 0, sectionEnds[i]), block, device, messages);
  return messages;
}

/** The messages of each log, partition and day, by offset and without repeats. */
function byDay(messages: readonly IncomingMessage[]): (readonly IncomingMessage[])[] {
  if (messages.length > 0 && messages.every((message) => alike(message, messages[0]!)))
    return [withoutRepeats(messages)];
  const groups = new Map<string, IncomingMessage[]>();
  let group: IncomingMessage[] | undefined;
  let previous: IncomingMessage | undefined;
  for (const message of messages) {
    if (group === undefined || previous === undefined || !alike(previous, message)) {
      const { log, partition } = message.position;
      const key = `${log}/${partition}/${dayOf(message.ingestTime)}`;
      group = groups.get(key);
      if (group === undefined) groups.set(key, (group = []));
    }
    group.push(message);
    previous = message;
  }
  return [...groups.values()].map(withoutRepeats);
}

function alike(one: IncomingMessage, other: IncomingMessage): boolean {
  const { log, partition } = one.position;
  return (
    partition === other.position.partition &&
    log === other.position.log &&
    dayOf(one.ingestTime) === dayOf(other.ingestTime)
  );
}

function withoutRepeats(messages: readonly IncomingMessage[]): readonly IncomingMessage[] {
  const isAscending = messages.every(
    ({ position }, i) => i === 0 || position.offset > messages[i - 1]!.position.offset,
  );
  if (isAscending) return messages;
  return [...messages]
    .sort((a, b) => a.position.offset - b.position.offset || a.processedTime - b.processedTime)
    .filter(({ position }, i, sorted) => i === 0 || position.offset !== sorted[i - 1]!.position.offset);
}

/** @param messages of one log, partition and day, by offset. */
function packBlock(messages: readonly IncomingMessage[]): Block {
  const { position, ingestTime } = messages[0]!;
  let [firstIngest, lastIngest, size] = [ingestTime, ingestTime, 0];
  const byDevice = new Map<string, IncomingMessage[]>();
  for (const message of messages) {
    const { device, body } = message;
    size += body.length;
    firstIngest = Math.min(firstIngest, message.ingestTime);
    lastIngest = Math.max(lastIngest, message.ingestTime);
    const ofDevice = byDevice.get(device);
    if (ofDevice === undefined) byDevice.set(device, [message]);
    else ofDevice.push(message);
  }
  const marked = [...byDevice.values()].map((ofDevice) => ({ mark: deviceMark(ofDevice[0]!.device), ofDevice }));
  marked.sort((a, b) => a.mark - b.mark);

  const sectionDevices: number[] = [];
  const sectionEnds: number[] = [];
  const sections: Buffer[] = [];
  let bytes = 0;
  let some: IncomingMessage[] = [];
  let someSize = 0;
  const endSection = () => {
    const section = packSection(some);
    sections.push(section);
    sectionDevices.push(deviceMark(some[0]!.device));
    sectionEnds.push((bytes += section.length));
    [some, someSize] = [[], 0];
  };
  for (const { ofDevice } of marked) {
    for (const message of ofDevice) {
      some.push(message);
      if ((someSize += message.body.length) >= SECTION_SIZE) endSection();
    }
  }
  if (some.length > 0) endSection();
  const devices = marked.map(({ mark }) => mark).filter((mark, i, all) => mark !== all[i - 1]);
  return {
    ...{ log: position.log, partition: position.partition, day: dayOf(ingestTime) },
    ...{ first: position.offset, last: messages.at(-1)!.position.offset, messages: messages.length, size },
    ...{ firstIngest, lastIngest, devices, sectionDevices, sectionEnds, sections: Buffer.concat(sections) },
  };
}
