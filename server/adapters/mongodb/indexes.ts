import { COLLECTIONS, type CollectionName } from "./collections";

/** How long documents are kept, in days; at least 1. */
export interface Retention {
  readonly archiveDays: number;
  readonly deadLetterDays: number;
}

/** An index Fieldwatch's questions need. */
export interface WantedIndex {
  readonly collection: CollectionName;
  readonly name: string;
  readonly key: Readonly<Record<string, 1 | -1>>;
  /** Only on the index by which MongoDB removes what is too old. */
  readonly expireAfterSeconds?: number;
}

/** MongoDB takes no more; 68 years. */
const MOST_SECONDS = 2 ** 31 - 1;

/** Every index Fieldwatch needs in MongoDB. Collections are searched by no others. */
export function wantedIndexes({ archiveDays, deadLetterDays }: Retention): readonly WantedIndex[] {
  const { messages, deadLetters } = COLLECTIONS;
  return [
    {
      collection: messages,
      name: "device_newest",
      key: { device: 1, ingestTime: -1, partition: -1, offset: -1 },
    },
    { collection: messages, name: "retention", key: { ingestTime: 1 }, expireAfterSeconds: seconds(archiveDays) },
    { collection: deadLetters, name: "newest", key: { ingestTime: -1, _id: -1 } },
    { collection: deadLetters, name: "reason_newest", key: { reason: 1, ingestTime: -1, _id: -1 } },
    { collection: deadLetters, name: "device_newest", key: { device: 1, ingestTime: -1, _id: -1 } },
    { collection: deadLetters, name: "retention", key: { ingestTime: 1 }, expireAfterSeconds: seconds(deadLetterDays) },
  ];
}

/** An index as `listIndexes` describes it. */
export interface FoundIndex {
  readonly name: string;
  readonly key: Readonly<Record<string, unknown>>;
  readonly unique?: boolean;
  readonly expireAfterSeconds?: unknown;
}

/** True if both indexes have the same fields in the same order and direction. */
export function sameKey(one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean {
  return keyText(one) === keyText(other);
}

/** True if documents expire alike by both, or by neither. */
export function sameExpiry(wanted: WantedIndex, found: FoundIndex): boolean {
  const { expireAfterSeconds } = found;
  return wanted.expireAfterSeconds === (expireAfterSeconds === undefined ? undefined : Number(expireAfterSeconds));
}

function keyText(key: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(key).map(([field, direction]) => [field, Number(direction)]));
}

function seconds(days: number): number {
  return Math.min(days * 24 * 3600, MOST_SECONDS);
}
