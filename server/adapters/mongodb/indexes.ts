import { COLLECTIONS, type CollectionName } from "./collections";

/** Retention of MongoDB's documents, in days; at least 1. */
export interface Retention {
  readonly archiveDays: number;
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

const LETTERS_BY_STATUS = { status: 1, ingestTime: -1, _id: -1, reason: 1, device: 1, field: 1 } as const;

/** Indexes of versions before that others have taken the place of. */
export const FORMER_INDEXES: readonly WantedIndex[] = [
  { collection: COLLECTIONS.deadLetters, name: "status_newest", key: { ...LETTERS_BY_STATUS, replays: 1 } },
];

/** Every index Fieldwatch needs in MongoDB. Collections are searched by no others. */
export function wantedIndexes({ archiveDays }: Retention): readonly WantedIndex[] {
  const { archive, messages, deadLetters } = COLLECTIONS;
  return [
    { collection: archive, name: "block_device_newest", key: { devices: 1, lastIngest: -1, _id: -1 } },
    { collection: archive, name: "block_stretch", key: { state: 1, log: 1, partition: 1, day: 1, last: 1 } },
    { collection: archive, name: "block_retention", key: { lastIngest: 1 }, expireAfterSeconds: seconds(archiveDays) },
    {
      collection: messages,
      name: "device_newest",
      key: { device: 1, ingestTime: -1, partition: -1, offset: -1 },
    },
    { collection: messages, name: "retention", key: { ingestTime: 1 }, expireAfterSeconds: seconds(archiveDays) },
    { collection: deadLetters, name: "newest", key: { ingestTime: -1, _id: -1 } },
    { collection: deadLetters, name: "reason_newest", key: { reason: 1, ingestTime: -1, _id: -1 } },
    { collection: deadLetters, name: "device_newest", key: { device: 1, ingestTime: -1, _id: -1 } },
    // Lists by status, and groups of them without a look at the documents.
    {
      collection: deadLetters,
      name: "status_newest_resends",
      key: { ...LETTERS_BY_STATUS, resends: 1, replays: 1 },
    },
    { collection: deadLetters, name: "source_newest", key: { source: 1, status: 1, ingestTime: -1, _id: -1 } },
    { collection: deadLetters, name: "job", key: { job: 1, status: 1 } },
    // There is no expiry: a letter that is being sent again must stay, so the worker removes them.
    { collection: deadLetters, name: "retention", key: { ingestTime: 1 } },
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
