import type { Pool } from "pg";

/** Wrong guesses an account may have before each further one has to wait: 1, 2, 4 … seconds, at most 15 minutes. */
const FREE = 5;
const LONGEST_S = 900;
/** Wrong guesses an address may make in a minute, for whichever accounts. */
const ADDRESS_FREE = 20;
const ADDRESS_WINDOW_S = 60;

/** The account and the address a guess is counted for. */
export interface Guess {
  readonly email: string;
  readonly address: string | null;
}

/** Seconds until the next guess is listened to; 0 when it is now. The right password has to wait too, or waiting would tell. */
export async function waitBeforeGuess(pool: Pool, guess: Guess): Promise<number> {
  const { rows } = await pool.query<{ wait: number }>(
    `SELECT ceil(greatest(0, max(extract(epoch FROM last_at - now()) +
       CASE WHEN subject LIKE 'account:%' THEN CASE WHEN failures < $2 THEN 0 ELSE least($3, power(2, least(failures - $2, 20))) END
            ELSE CASE WHEN failures < $4 THEN 0 ELSE $5 END END)))::integer AS wait
     FROM sign_in_failure WHERE subject = ANY($1)`,
    [subjects(guess), FREE, LONGEST_S, ADDRESS_FREE, ADDRESS_WINDOW_S],
  );
  return rows[0]?.wait ?? 0;
}

/** Counts a wrong guess. An address begins anew after a minute without one, an account after a day. */
export async function countWrongGuess(pool: Pool, guess: Guess): Promise<void> {
  await pool.query(`DELETE FROM sign_in_failure WHERE last_at < now() - interval '1 day'`);
  await pool.query(
    `INSERT INTO sign_in_failure AS f (subject, failures, last_at) SELECT unnest($1::text[]), 1, now()
     ON CONFLICT (subject) DO UPDATE SET last_at = now(),
       failures = CASE WHEN f.subject LIKE 'address:%' AND f.last_at < now() - make_interval(secs => $2) THEN 1 ELSE f.failures + 1 END`,
    [subjects(guess), ADDRESS_WINDOW_S],
  );
}

/** Forgets the wrong guesses of an account, after the right one. */
export async function forgetGuesses(pool: Pool, { email }: Pick<Guess, "email">): Promise<void> {
  await pool.query(`DELETE FROM sign_in_failure WHERE subject = $1`, [`account:${email}`]);
}

function subjects({ email, address }: Guess): string[] {
  return [`account:${email.slice(0, 320)}`, ...(address === null ? [] : [`address:${address}`])].sort();
}
