import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import type { ArchivedMessage } from "@/server/ports/message-archive";

/**
 * A section of a block, packed: how many devices and messages, then each device's name and how many of the messages are its; then columns
 * (offset, ingest, event and processed time as steps from the message before, units of text), then all texts. Numbers have 6 or 7
 * bits a byte, the lowest first.
 */
const PACKING = {
  params: {
    // Of all that was measured (docs/decisions/025) this packs best for what it costs.
    [constants.BROTLI_PARAM_QUALITY]: 2,
    [constants.BROTLI_PARAM_LGWIN]: 18,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
  },
};
/** Bytes a number takes at most. */
const NUMBER_BYTES = 8;
const STEPS = [offsetOf, ingestTimeOf, eventTimeOf, processedTimeOf] as const;

/** Packs messages of one log and partition, in which those of a device lie together. */
export function packSection(messages: readonly ArchivedMessage[]): Buffer {
  const names: { readonly name: Buffer; count: number }[] = [];
  let previous: string | undefined;
  let nameBytes = 0;
  for (const { device } of messages) {
    if (device === previous) {
      names.at(-1)!.count++;
      continue;
    }
    const name = Buffer.from(device);
    nameBytes += name.length + 2 * NUMBER_BYTES;
    names.push({ name, count: 1 });
    previous = device;
  }
  const columns = Buffer.allocUnsafe(nameBytes + (2 + messages.length * (STEPS.length + 1)) * NUMBER_BYTES);
  let at = writeNumber(columns, writeNumber(columns, 0, names.length), messages.length);
  for (const { name, count } of names) {
    at = writeNumber(columns, writeNumber(columns, at, count), name.length);
    at += name.copy(columns, at);
  }
  for (const of of STEPS) {
    let before = 0;
    for (const message of messages) {
      const value = of(message);
      at = writeNumber(columns, at, value - before);
      before = value;
    }
  }
  for (const { body } of messages) at = writeNumber(columns, at, body.length);
  const texts = Buffer.from(messages.map(({ body }) => body).join(""));
  return brotliCompressSync(Buffer.concat([columns.subarray(0, at), texts]), PACKING);
}

/** Adds to `found` the messages of a section; only those of one device, if one is given. */
export function unpackSection(
  packed: Buffer,
  { log, partition }: { readonly log: string; readonly partition: number },
  device: string | undefined,
  found: ArchivedMessage[],
): void {
  const bytes = brotliDecompressSync(packed);
  const reader = { bytes, at: 0 };
  const deviceCount = readNumber(reader);
  const messageCount = readNumber(reader);
  const devices: string[] = [];
  for (let i = 0; i < deviceCount; i++) {
    const count = readNumber(reader);
    const length = readNumber(reader);
    const name = bytes.toString("utf8", reader.at, (reader.at += length));
    for (let k = 0; k < count; k++) devices.push(name);
  }
  if (device !== undefined && !devices.includes(device)) return;
  const [offsets, ingestTimes, eventTimes, processedTimes] = STEPS.map(() => {
    let value = 0;
    return Array.from({ length: messageCount }, () => (value += readNumber(reader)));
  }) as [number[], number[], number[], number[]];
  const lengths = Array.from({ length: messageCount }, () => readNumber(reader));
  const texts = bytes.toString("utf8", reader.at);
  let start = 0;
  for (let i = 0; i < messageCount; i++) {
    const end = start + lengths[i]!;
    if (device === undefined || devices[i] === device)
      found.push({
        position: { log, partition, offset: offsets[i]! },
        device: devices[i]!,
        ...{ eventTime: eventTimes[i]!, ingestTime: ingestTimes[i]!, processedTime: processedTimes[i]! },
        body: texts.slice(start, end),
      });
    start = end;
  }
}

function offsetOf({ position }: ArchivedMessage): number {
  return position.offset;
}

function ingestTimeOf({ ingestTime }: ArchivedMessage): number {
  return ingestTime;
}

function eventTimeOf({ eventTime }: ArchivedMessage): number {
  return eventTime;
}

function processedTimeOf({ processedTime }: ArchivedMessage): number {
  return processedTime;
}

/** Writes a whole number below 2⁵³ in size; the sign is the lowest bit of the first byte. @returns the place after it. */
function writeNumber(bytes: Buffer, at: number, value: number): number {
  const isNegative = value < 0;
  let rest = isNegative ? -value : value;
  const low = rest % 64;
  rest = (rest - low) / 64;
  bytes[at++] = (rest > 0 ? 128 : 0) | (low << 1) | (isNegative ? 1 : 0);
  while (rest > 0) {
    const part = rest % 128;
    rest = (rest - part) / 128;
    bytes[at++] = (rest > 0 ? 128 : 0) | part;
  }
  return at;
}

function readNumber(reader: { readonly bytes: Buffer; at: number }): number {
  const { bytes } = reader;
  let byte = bytes[reader.at++]!;
  const isNegative = (byte & 1) === 1;
  let value = (byte & 127) >> 1;
  for (let scale = 64; byte >= 128; scale *= 128) {
    byte = bytes[reader.at++]!;
    value += (byte & 127) * scale;
  }
  return isNegative ? -value : value;
}
