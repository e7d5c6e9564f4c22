import { isIP } from "node:net";
import type { Pool, PoolClient } from "pg";
import { withTransaction } from "@/server/postgres/transaction";

/** Wrong guesses an account may have before each further one has to wait: 1, 2, 4 … seconds, at most 15 minutes. */
const FREE = 5;
const LONGEST_S = 900;
/** Wrong guesses an address may make, for whichever accounts, before it has to wait a minute. */
const ADDRESS_FREE = 20;
const ADDRESS_WINDOW_S = 60;

/** The account, if it is for one, and the address a guess is counted for. */
export interface Guess {
  readonly email: string | null;
  readonly address: string | null;
}

/**
 * Begins a guess. It counts as wrong from now on, until {@link takeBackGuess}: of many at once, no more are listened to
 * than of as many one after the other.
 * @returns seconds to wait instead; 0 when it may be made. The right password has to wait too, or waiting would tell.
 */
export async function beginGuess(pool: Pool, guess: Guess): Promise<number> {
  const of = subjects(guess);
  await pool.query(
    `DELETE FROM sign_in_failure WHERE subject IN (SELECT subject FROM sign_in_failure WHERE last_at < now() - interval '1 day' FOR UPDATE SKIP LOCKED)`,
  );
  return withTransaction(pool, async (tx) => {
    await tx.query(
      `INSERT INTO sign_in_failure (subject, failures, last_at) SELECT unnest($1::text[]), 0, now() ON CONFLICT DO NOTHING`,
      [of],
    );
    const { rows } = await tx.query<{ wait: number }>(
      `SELECT ceil(greatest(0, max(extract(epoch FROM last_at - clock_timestamp()) +
         CASE WHEN subject LIKE 'account:%' THEN CASE WHEN failures < $2 THEN 0 ELSE least($3, power(2, least(failures - $2, 20))) END
              ELSE CASE WHEN failures < $4 THEN 0 ELSE $5 END END)))::integer AS wait
       FROM (SELECT * FROM sign_in_failure WHERE subject = ANY($1) ORDER BY subject FOR UPDATE) f`,
      [of, FREE, LONGEST_S, ADDRESS_FREE, ADDRESS_WINDOW_S],
    );
    const { wait } = rows[0]!;
    if (wait > 0) return wait;
    // An address begins anew after a minute without a wrong guess, an account after a day.
    await tx.query(
      `UPDATE sign_in_failure SET last_at = clock_timestamp(),
         failures = CASE WHEN subject LIKE 'address:%' AND last_at < clock_timestamp() - make_interval(secs => $2) THEN 1 ELSE failures + 1 END
       WHERE subject = ANY($1)`,
      [of, ADDRESS_WINDOW_S],
    );
    return 0;
  });
}

/** The guess was right: the account's wrong ones are forgotten, and the address's are one less. */
export async function takeBackGuess(tx: PoolClient, guess: Guess): Promise<void> {
  const of = subjects(guess);
  await tx.query(`SELECT FROM sign_in_failure WHERE subject = ANY($1) ORDER BY subject FOR UPDATE`, [of]);
  await tx.query(
    `UPDATE sign_in_failure SET failures = CASE WHEN subject LIKE 'account:%' THEN 0 ELSE greatest(0, failures - 1) END WHERE subject = ANY($1)`,
    [of],
  );
}

function subjects({ email, address }: Guess): string[] {
  return [...(email === null ? [] : [`account:${email}`]), `address:${placeOf(address)}`].sort();
}

/** Whoever has an IPv6 address has 2^64 of them: they count as one. */
function placeOf(address: string | null): string {
  const plain = address?.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "") ?? "unknown";
  if (isIP(plain) !== 6) return plain.slice(0, 100);
  // The URL standard writes it in one way, with at most one ::.
  const [head = "", tail = ""] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split("::");
  const groups = [head, tail].map((part) => (part === "" ? [] : part.split(":")));
  const [before, after] = groups as [string[], string[]];
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0");
  return `${[...before, ...zeros, ...after].slice(0, 4).join(":")}::/64`;
}
