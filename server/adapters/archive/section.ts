import { isAscii } from "node:buffer";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import type { ArchivedMessage, IncomingMessage } from "@/server/ports/message-archive";

/**
 * A section of a block, packed: how many devices and messages, then each device's name and how many of the messages are its; then columns
 * (offset, ingest, event and processed time as steps from the message before, units of text), then all texts. Numbers have 6 or 7
 * bits a byte, the lowest first.
 */
const CHUNK_BYTES = 64 * 1024;
/** The least that may be asked for at once. */
const LEAST_CHUNK_BYTES = 1024;
const PACKING = {
  // Of all that was measured (docs/decisions/025) this packs best for what it costs.
  [constants.BROTLI_PARAM_QUALITY]: 1,
  [constants.BROTLI_PARAM_LGWIN]: 18,
  [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
};
/** Bytes a number takes at most. */
const NUMBER_BYTES = 8;
const STEPS = [offsetOf, ingestTimeOf, eventTimeOf, processedTimeOf] as const;

/** Packs messages of one log and partition, in which those of a device lie together. */
export function packSection(messages: readonly IncomingMessage[]): Buffer {
  const names: { readonly name: Buffer; count: number }[] = [];
  let previous: string | undefined;
  let nameBytes = 0;
  let textBytes = 0;
  for (const { device, body } of messages) {
    textBytes += typeof body === "string" ? Buffer.byteLength(body) : body.length;
    if (device === previous) {
      names.at(-1)!.count++;
      continue;
    }
    const name = Buffer.from(device);
    nameBytes += name.length;
    names.push({ name, count: 1 });
    previous = device;
  }
  const numbers = 2 + 2 * names.length + messages.length * (STEPS.length + 1);
  const mostBefore = nameBytes + numbers * NUMBER_BYTES;
  const bytes = Buffer.allocUnsafe(mostBefore + textBytes);
  // The texts first, behind the room for the rest: how long each is goes by what is in them.
  const texts = bytes.subarray(mostBefore);
  let end = 0;
  for (const { body } of messages) {
    if (typeof body === "string") end += texts.write(body, end);
    else {
      texts.set(body, end);
      end += body.length;
    }
  }
  const isPlain = isAscii(texts);
  let at = writeNumber(bytes, writeNumber(bytes, 0, names.length), messages.length);
  for (const { name, count } of names) {
    at = writeNumber(bytes, writeNumber(bytes, at, count), name.length);
    at += name.copy(bytes, at);
  }
  for (const of of STEPS) {
    let before = 0;
    for (const message of messages) {
      const value = of(message);
      at = writeNumber(bytes, at, value - before);
      before = value;
    }
  }
  for (const { body } of messages) at = writeNumber(bytes, at, isPlain ? body.length : unitsOf(body));
  at += texts.copy(bytes, at);
  // A few messages need no large chunk, which the garbage collector would have to look after.
  const chunkSize = Math.min(CHUNK_BYTES, Math.max(LEAST_CHUNK_BYTES, at));
  return brotliCompressSync(bytes.subarray(0, at), { chunkSize, params: PACKING });
}

/** The UTF-16 units of a text. */
function unitsOf(body: string | Uint8Array): number {
  return typeof body === "string"
    ? body.length
    : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString().length;
}

/** Adds to `found` the messages of a section; only those of one device, if one is given. */
export function unpackSection(
  packed: Buffer,
  { log, partition }: { readonly log: string; readonly partition: number },
  device: string | undefined,
  found: ArchivedMessage[],
): void {
  const bytes = brotliDecompressSync(packed, { chunkSize: CHUNK_BYTES });
  const reader = { bytes, at: 0 };
  const deviceCount = readNumber(reader);
  const messageCount = readNumber(reader);
  const devices: string[] = [];
  // The messages wanted, from one to before another.
  let [from, to, next] = [messageCount, device === undefined ? messageCount : 0, 0];
  for (let i = 0; i < deviceCount; i++) {
    const count = readNumber(reader);
    const length = readNumber(reader);
    const name = bytes.toString("utf8", reader.at, (reader.at += length));
    if (device === undefined || device === name) {
      from = Math.min(from, next);
      to = next + count;
      for (let k = 0; k < count; k++) devices.push(name);
    }
    next += count;
  }
  if (from >= to) return;
  const steps = () => {
    const values: number[] = [];
    let value = 0;
    for (let i = 0; i < messageCount; i++) {
      value += readNumber(reader);
      if (i >= from && i < to) values.push(value);
    }
    return values;
  };
  const [offsets, ingestTimes, eventTimes, processedTimes] = [steps(), steps(), steps(), steps()];
  const lengths = Array.from({ length: messageCount }, () => readNumber(reader));
  const start = sum(lengths, 0, from);
  const end = start + sum(lengths, from, to);
  // Where every unit of text is a byte, the rest of the text needn't be read.
  const isPlain = bytes.length - reader.at === end + sum(lengths, to, messageCount);
  const text = isPlain
    ? bytes.toString("latin1", reader.at + start, reader.at + end)
    : bytes.toString("utf8", reader.at).slice(start, end);
  let at = 0;
  for (let i = 0; i < to - from; i++) {
    found.push({
      position: { log, partition, offset: offsets[i]! },
      device: devices[i]!,
      ...{ eventTime: eventTimes[i]!, ingestTime: ingestTimes[i]!, processedTime: processedTimes[i]! },
      body: text.slice(at, (at += lengths[from + i]!)),
    });
  }
}

function sum(numbers: readonly number[], from: number, to: number): number {
  let total = 0;
  for (let i = from; i < to; i++) total += numbers[i]!;
  return total;
}

function offsetOf({ position }: IncomingMessage): number {
  return position.offset;
}

function ingestTimeOf({ ingestTime }: IncomingMessage): number {
  return ingestTime;
}

function eventTimeOf({ eventTime }: IncomingMessage): number {
  return eventTime;
}

function processedTimeOf({ processedTime }: IncomingMessage): number {
  return processedTime;
}

/** Writes a whole number below 2⁵³ in size; the sign is the lowest bit of the first byte. @returns the place after it. */
function writeNumber(bytes: Buffer, at: number, value: number): number {
  const isNegative = value < 0;
  const size = isNegative ? -value : value;
  const low = size % 64;
  let rest = (size - low) / 64;
  bytes[at++] = (rest > 0 ? 128 : 0) | (low << 1) | (isNegative ? 1 : 0);
  for (; rest >= 2 ** 31; rest = Math.floor(rest / 128)) bytes[at++] = 128 | (rest % 128);
  for (; rest > 0; rest >>>= 7) bytes[at++] = (rest > 127 ? 128 : 0) | (rest & 127);
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
