import { counted } from "./counted";
import type { EpochMs } from "./terms";

/** The reason why a batch of the log can't be read. */
export type UnreadableReason = "unknownCodec" | "wrongChecksum" | "undecompressable" | "tooLarge" | "brokenRecords";

/** A batch of records in one partition of the log whose content can't be read; its header can. */
export interface UnreadableBatch {
  readonly partition: number;
  /** Offset of the first record that is out of reach. */
  readonly from: number;
  /** Offset of the last one. */
  readonly to: number;
  /** The count of its records, by the batch's header. */
  readonly records: number;
  readonly reason: UnreadableReason;
  /** The codec: gzip, snappy, lz4, zstd or its number; null if the batch isn't compressed. */
  readonly codec: string | null;
  /** The finding, in words for people. */
  readonly detail: string;
}

/** A batch that stops its partition now. */
export interface StoppingBatch extends UnreadableBatch {
  readonly since: EpochMs;
}

/** A batch that a person skipped: its messages were never read. */
export interface SkippedBatch extends UnreadableBatch {
  readonly skippedAt: EpochMs;
  /** The caller who skipped it. */
  readonly skippedBy: string;
}

type Told = Pick<UnreadableBatch, "partition" | "codec" | "detail">;

const TEXTS: Record<UnreadableReason, { cause: (batch: Told) => string; fix: (batch: Told) => string }> = {
  unknownCodec: {
    cause: ({ codec }) => `It is compressed by codec ${codec}, which Fieldwatch does not know.`,
    fix: () => "Set compression.type of its producer to gzip, snappy, lz4, zstd or none; then skip this batch.",
  },
  wrongChecksum: {
    cause: () => "Its CRC does not match its bytes: they were damaged on the broker's disk or on the way.",
    fix: ({ partition }) =>
      `Fieldwatch goes on asking for it. If it stays so, make another replica the leader of partition ${partition}; if there is none, skip this batch.`,
  },
  undecompressable: {
    cause: ({ codec, detail }) => `It can't be decompressed by ${codec}: ${detail}.`,
    fix: () => "Update the Kafka client of its producer, or set its compression.type to none; then skip this batch.",
  },
  tooLarge: {
    cause: ({ detail }) => `It is larger than the worker takes into memory: ${detail}.`,
    fix: () => "Set batch.size of its producer to 1 MiB or less; then skip this batch.",
  },
  brokenRecords: {
    cause: ({ detail }) => `Its records can't be told apart: ${detail}.`,
    fix: () => "Update the Kafka client of its producer; then skip this batch.",
  },
};

/** Says why it can't be read, and what to do, in sentences. */
export function unreadableInWords(batch: Told & { readonly reason: UnreadableReason }): {
  readonly cause: string;
  readonly fix: string;
} {
  const { cause, fix } = TEXTS[batch.reason];
  return { cause: cause(batch), fix: fix(batch) };
}

/** Says what the batch holds: "20 messages at offsets 100–119". */
export function extentInWords({ from, to, records }: Pick<UnreadableBatch, "from" | "to" | "records">): string {
  return `${counted(records, "message")} at ${from === to ? `offset ${from}` : `offsets ${from}–${to}`}`;
}
