import { createHmac, timingSafeEqual } from "node:crypto";
import { FROM_HEADER } from "@/server/domain/from-mark";
import { PROBE_HEADER } from "@/server/domain/probe-message";
import { MARK_HEADERS } from "@/server/domain/resend-mark";
import { SITE_HEADER } from "@/server/domain/site-mark";
import { REFUSED_HEADER } from "@/server/domain/source-mark";
import type { EpochMs } from "@/server/domain/terms";
import type { EventLog, LogRecord, RecordHeaders, StoredRecord } from "@/server/ports/event-log";

/** What headers of ours are signed with. */
export interface LogKey {
  readonly key: Buffer;
  /** Records that the log took before may be unsigned: the version before wrote them. Null: there was none. */
  readonly unsignedBefore: EpochMs | null;
}

/** Headers that change what is done with a message, so that only our own processes may set them. */
const SIGNED = new Set([PROBE_HEADER, ...MARK_HEADERS, REFUSED_HEADER, FROM_HEADER]);
const SIGNATURE = "fieldwatch-signature";

/**
 * An event log in which headers of ours are signed: those of a record are for its key and value alone, and what is unsigned or signed by
 * anybody else is taken off, so that the record is a message like any other. Who may write to the log's topics needn't be trusted.
 */
export function signHeaders(log: EventLog, keyOf: () => Promise<LogKey>): EventLog {
  return {
    ensureTopics: (topics) => log.ensureTopics(topics),
    describe: (topic, group) => log.describe(topic, group),
    close: () => log.close(),
    async append(topic, records, before) {
      if (!records.some(({ headers }) => hasSigned(headers))) return log.append(topic, records, before);
      const { key } = await keyOf();
      const signed = records.map((record) =>
        hasSigned(record.headers)
          ? { ...record, headers: { ...record.headers, [SIGNATURE]: signatureOf(record, key) } }
          : record,
      );
      return log.append(topic, signed, before);
    },
    consume: (subscription) =>
      log.consume({
        ...subscription,
        async onBatch(batch, signal) {
          if (!batch.records.some(({ headers }) => hasSigned(headers) || SIGNATURE in headers))
            return subscription.onBatch(batch, signal);
          const logKey = await keyOf();
          return subscription.onBatch({ ...batch, records: batch.records.map((one) => judged(one, logKey)) }, signal);
        },
      }),
  };
}

/** The record with those of our headers that we set. */
function judged(record: StoredRecord, { key, unsignedBefore }: LogKey): StoredRecord {
  const { headers, ingestTime } = record;
  const isOld = unsignedBefore !== null && ingestTime < unsignedBefore && !(SIGNATURE in headers);
  const isOurs = isOld || (hasSigned(headers) && isSignedBy(key, record));
  return { ...record, headers: without(headers, (name) => name === SIGNATURE || (!isOurs && SIGNED.has(name))) };
}

function isSignedBy(key: Buffer, record: StoredRecord): boolean {
  const [found, right] = [Buffer.from(record.headers[SIGNATURE] ?? ""), Buffer.from(signatureOf(record, key))];
  return found.length === right.length && timingSafeEqual(found, right);
}

/**
 * Each part with its length before it, so that no two records have the same words. A sender's site is covered where anything of ours is: a dead
 * letter sent again is worth nothing with another site than it came with.
 */
function signatureOf({ key: recordKey, value, headers = {} }: LogRecord, key: Buffer): string {
  const hmac = createHmac("sha256", key);
  const names = [...SIGNED, SITE_HEADER].filter((name) => name in headers).sort();
  const words = [recordKey === null ? "" : `key ${recordKey}`, ...names.flatMap((name) => [name, headers[name]!])];
  for (const part of [...words.map((word) => Buffer.from(word)), value]) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    hmac.update(length).update(part);
  }
  return hmac.digest("base64url");
}

function hasSigned(headers: RecordHeaders = {}): boolean {
  for (const name in headers) if (SIGNED.has(name)) return true;
  return false;
}

function without(headers: RecordHeaders, isLeftOut: (name: string) => boolean): RecordHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isLeftOut(name)));
}
