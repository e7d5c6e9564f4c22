import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { KafkaServer } from "./kafka";

const crc32c = createRequire(import.meta.url)("kafkajs/src/protocol/recordBatch/crc32C") as (data: Buffer) => number;

/** The offsets of the fields of a batch, in bytes from its beginning. */
const SIZE = 8;
const CRC = 17;
const ATTRIBUTES = 21;
const RECORDS = 61;

/**
 * Changes one batch of a partition where it lies on the broker's disk.
 * @param offset of the batch's first record.
 * @param crc right: made to match again, as if the producer had made it so; stale: as if the disk had.
 */
export function damageBatch(
  kafka: Pick<KafkaServer, "dataDir">,
  place: { readonly topic: string; readonly partition: number; readonly offset: number },
  change: (batch: Buffer) => void,
  crc: "right" | "stale",
): void {
  const folder = path.join(kafka.dataDir, "log", `${place.topic}-${place.partition}`);
  // Each file is named by the first offset in it.
  const files = readdirSync(folder).filter((name) => name.endsWith(".log") && parseInt(name, 10) <= place.offset);
  const file = path.join(folder, files.sort().at(-1) ?? "");
  const data = readFileSync(file);
  let at = 0;
  while (at < data.length && data.readBigInt64BE(at) !== BigInt(place.offset)) at += 12 + data.readInt32BE(at + SIZE);
  if (at >= data.length) throw new Error(`No batch begins at offset ${place.offset} in ${file}.`);
  const batch = data.subarray(at, at + 12 + data.readInt32BE(at + SIZE));
  change(batch);
  if (crc === "right") batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES)), CRC);
  const handle = openSync(file, "r+");
  writeSync(handle, batch, 0, batch.length, at);
  closeSync(handle);
}

/** Names a codec of that number, which its records aren't compressed by. */
export function withCodec(codec: number): (batch: Buffer) => void {
  return (batch) => void (batch[ATTRIBUTES + 1] = codec);
}

/** Overwrites most of its records. */
export function garbled(batch: Buffer): void {
  batch.fill(0xa5, RECORDS + ((batch.length - RECORDS) >> 2));
}
