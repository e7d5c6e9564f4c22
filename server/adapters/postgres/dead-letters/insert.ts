import type { Pool, PoolClient } from "pg";
import { type DeadLetter, MOST_EVENTS } from "@/server/ports/dead-letters";
import { storableText } from "@/server/postgres/text";
import { withTransaction } from "@/server/postgres/transaction";

/** Bytes of messages per statement; PostgreSQL takes at most 1 GB, and memory is dearer. */
const STATEMENT_BYTES = 16 * 1024 * 1024;
/** Separates the events of a letter; JSON never contains it unescaped. */
const BETWEEN_EVENTS = "\u001e";

/** Inserts the letters that aren't there yet. */
export async function insertLetters(pool: Pool, letters: readonly DeadLetter[]): Promise<void> {
  for (const some of bySize(letters))
    await withTransaction(pool, async (tx) => {
      await takePlaces(tx, some);
      await insert(tx, some);
    });
}

/**
 * Waits for others that insert letters of the same partitions of the log. A record without a time of its own comes again with
 * another one: the key, which has the time in it, doesn't tell that it is there already.
 */
async function takePlaces(tx: PoolClient, letters: readonly DeadLetter[]): Promise<void> {
  const places = [...new Set(letters.map(({ position }) => `dead letters ${position.log}/${position.partition}`))];
  await tx.query(
    `SELECT pg_advisory_xact_lock(place) FROM (SELECT DISTINCT hashtextextended(p, 0) AS place FROM unnest($1::text[]) p ORDER BY 1) l`,
    [places],
  );
}

async function insert(tx: PoolClient, letters: readonly DeadLetter[]): Promise<void> {
  // All messages travel as one binary parameter: an array of bytea would be sent as hexadecimal text.
  let at = 1;
  const starts = letters.map(({ raw }) => (at += raw.byteLength) - raw.byteLength);
  await tx.query(
    `INSERT INTO dead_letter (id, log, partition, "offset", reason, detail, device, field, ingest_time, processed_time, raw,
                              sender_site, resend_of, resends, history, source, delivery)
     SELECT l.id, l.log, l.partition, l."offset", l.reason, l.detail, l.device, l.field, to_timestamp(l.ingest_time / 1000),
            to_timestamp(l.processed_time / 1000), substring($1::bytea FROM l.start FOR l.size), l.sender_site, l.resend_of, l.resends,
            CASE WHEN l.history = '' THEN '{}' ELSE string_to_array(l.history, U&'\\001E') END,
            l.source, l.delivery::json
     FROM unnest($2::text[], $3::text[], $4::int[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::float8[],
                 $11::float8[], $12::int[], $13::int[], $14::text[], $15::text[], $16::int[], $17::text[], $18::text[], $19::text[])
       AS l (id, log, partition, "offset", reason, detail, device, field, ingest_time, processed_time, start, size,
             sender_site, resend_of, resends, history, source, delivery)
     WHERE NOT EXISTS (SELECT FROM dead_letter d WHERE d.id = l.id)
     ON CONFLICT DO NOTHING`,
    [
      Buffer.concat(letters.map(({ raw }) => raw)),
      letters.map(({ id }) => id),
      letters.map(({ position }) => position.log),
      letters.map(({ position }) => position.partition),
      letters.map(({ position }) => position.offset),
      letters.map(({ reason }) => reason),
      letters.map(({ detail }) => storableText(detail)),
      letters.map(({ device }) => (device === null ? null : storableText(device))),
      letters.map(({ field }) => (field === null ? null : storableText(field))),
      letters.map(({ ingestTime }) => ingestTime),
      letters.map(({ processedTime }) => processedTime),
      starts,
      letters.map(({ raw }) => raw.byteLength),
      letters.map(({ senderSite }) => senderSite),
      letters.map(({ resendOf }) => resendOf),
      letters.map(({ resends }) => resends),
      letters.map(({ history }) =>
        history
          .slice(-MOST_EVENTS)
          .map((event) => JSON.stringify(event))
          .join(BETWEEN_EVENTS),
      ),
      letters.map(({ source }) => source),
      letters.map(({ delivery }) => delivery && JSON.stringify(delivery)),
    ],
  );
}

function* bySize(letters: readonly DeadLetter[]): Generator<readonly DeadLetter[]> {
  let some: DeadLetter[] = [];
  let bytes = 0;
  for (const letter of letters) {
    if (some.length > 0 && bytes + letter.raw.byteLength > STATEMENT_BYTES) {
      yield some;
      some = [];
      bytes = 0;
    }
    some.push(letter);
    bytes += letter.raw.byteLength;
  }
  if (some.length > 0) yield some;
}
