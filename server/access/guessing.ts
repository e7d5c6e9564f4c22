import { isIP } from "node:net";
import type { Pool, PoolClient } from "pg";
import { withTransaction } from "@/server/postgres/transaction";
import { hashOf, isSecret, newSecret } from "./secrets";

/**
 * Wrong guesses an account may have from one address, and addresses it may have them from, before each further one has to wait: 1, 2, 4 … seconds,
 * at most 15 minutes.
 */
const FREE = 5;
const LONGEST_S = 900;
/** Wrong guesses an address may make, for whichever accounts, before it has to wait a minute. Of what else is refused, as many are recorded. */
const ADDRESS_FREE = 20;
const ADDRESS_WINDOW_S = 60;
/** So long an address and a browser from where the right password came have wrong guesses of their own. */
const KNOWN_DAYS = 30;
export const KNOWN_MS = KNOWN_DAYS * 86_400_000;

/** The account a guess is for, and the address it comes from. */
export interface Guess {
  readonly email: string;
  readonly address: string | null;
  /** What the browser holds since a right password came from it; null without. */
  readonly browser: string | null;
}

/**
 * Begins a guess of a password. It counts as wrong from now on, until {@link takeBackGuess}: of many at once, no more are listened
 * to than of as many one after the other. What has to wait leaves nothing behind.
 * @returns seconds to wait instead; 0 when it may be made. The right password has to wait too, or waiting would tell.
 */
export async function beginGuess(pool: Pool, guess: Guess): Promise<number> {
  await forgetOld(pool);
  const address = `address:${placeOf(guess.address)}`;
  return withTransaction(pool, async (tx) => {
    const browser = await knownBrowser(tx, guess);
    if (browser !== null) {
      // By itself: neither guesses for the account nor for others from the same address keep it waiting.
      const wait = await waitOf(tx, browser);
      if (wait === 0) await count(tx, [browser]);
      return wait;
    }
    const wait = await waitOf(tx, address);
    if (wait > 0) return wait;
    const known = await knownAddress(tx, guess);
    const own = known ?? placeSubject(guess);
    const ownWait = await waitOf(tx, own);
    if (ownWait > 0) return ownWait;
    if (known === null) {
      // One who goes on guessing from one address keeps nobody elsewhere waiting; many addresses do.
      const accountWait = await waitOf(tx, accountSubject(guess));
      if (accountWait > 0) return accountWait;
      await countForAccount(tx, guess);
    }
    await count(tx, [address, own]);
    return 0;
  });
}

/**
 * The guess was right: the wrong ones it was counted with are forgotten, the address's are one less, and address and browser are known.
 * @returns what the browser is to hold from now on.
 */
export async function takeBackGuess(tx: PoolClient, guess: Guess): Promise<string> {
  const known = await knownBrowser(tx, guess);
  if (known === null)
    await tx.query(`UPDATE sign_in_failure SET failures = greatest(0, failures - 1) WHERE subject = $1`, [
      `address:${placeOf(guess.address)}`,
    ]);
  const subject = known ?? (await knownAddress(tx, guess));
  await tx.query(`UPDATE sign_in_failure SET failures = 0 WHERE subject = ANY ($1)`, [
    subject === null ? [placeSubject(guess), accountSubject(guess)] : [subject],
  ]);
  // What somebody else has put into the browser is worth nothing: it gets one of ours.
  const browser = known === null ? newSecret() : guess.browser!;
  await tx.query(
    `INSERT INTO sign_in_failure (subject, failures, last_at)
     SELECT concat('known:', id, ' ', place), 0, clock_timestamp() FROM account, unnest($2::text[]) place WHERE email = $1
     ON CONFLICT (subject) DO UPDATE SET last_at = excluded.last_at`,
    [guess.email, [placeOf(guess.address), browserPlace(browser)]],
  );
  return browser;
}

/** Counts something else that was refused: a wrong link, which nobody can guess. Never one of the address's guesses. @returns whether to record it. */
export async function countRefused(pool: Pool, address: string | null): Promise<boolean> {
  await forgetOld(pool);
  const subject = `refused:${placeOf(address)}`;
  return withTransaction(pool, async (tx) => {
    if ((await waitOf(tx, subject)) > 0) return false;
    await count(tx, [subject]);
    return true;
  });
}

/** Forgets from where somebody has signed in, and guesses for their e-mail address. */
export async function forgetGuesses(tx: PoolClient, accountId: number, email: string | null): Promise<void> {
  await tx.query(
    `DELETE FROM sign_in_failure WHERE subject = $1 OR starts_with(subject, $2) OR starts_with(subject, $3)`,
    [`account:${email}`, `known:${accountId} `, `at:${email} `],
  );
}

async function forgetOld(pool: Pool): Promise<void> {
  await pool.query(
    `DELETE FROM sign_in_failure WHERE subject IN (SELECT subject FROM sign_in_failure
       WHERE last_at < now() - make_interval(days => CASE WHEN subject LIKE 'known:%' THEN ${KNOWN_DAYS} ELSE 1 END) FOR UPDATE SKIP LOCKED)`,
  );
}

/** Seconds the subject has to wait. Others that ask about it wait for the end of the transaction, so an address goes before an account. */
async function waitOf(tx: PoolClient, subject: string): Promise<number> {
  await tx.query(
    `INSERT INTO sign_in_failure (subject, failures, last_at) VALUES ($1, 0, now()) ON CONFLICT DO NOTHING`,
    [subject],
  );
  const { rows } = await tx.query<{ wait: number }>(
    // last_at is rounded, so it may lie ahead: who has free guesses left doesn't wait for it.
    `SELECT CASE WHEN failures < CASE WHEN of_account THEN $2::integer ELSE $4::integer END THEN 0 ELSE
       ceil(greatest(0, extract(epoch FROM last_at - clock_timestamp()) +
         CASE WHEN of_account THEN least($3::integer, power(2, least(failures - $2, 20))) ELSE $5::integer END)) END::integer AS wait
     FROM (SELECT *, subject ~ '^(account|at|known):' AS of_account FROM sign_in_failure WHERE subject = $1 FOR UPDATE) f`,
    [subject, FREE, LONGEST_S, ADDRESS_FREE, ADDRESS_WINDOW_S],
  );
  return rows[0]?.wait ?? 0;
}

/** An address begins anew after a minute without a wrong guess, an account after a day. */
async function count(tx: PoolClient, subjects: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE sign_in_failure SET last_at = clock_timestamp(),
       failures = CASE WHEN subject ~ '^(address|refused):' AND last_at < clock_timestamp() - make_interval(secs => $2) THEN 1 ELSE failures + 1 END
     WHERE subject = ANY ($1)`,
    [subjects, ADDRESS_WINDOW_S],
  );
}

/** What a guess is counted for that comes from a browser of somebody's who has signed in there; null for any other. */
async function knownBrowser(tx: PoolClient, { email, browser }: Guess): Promise<string | null> {
  if (browser === null || !isSecret(browser)) return null;
  const { rows } = await tx.query<{ subject: string }>(
    `SELECT f.subject FROM account a JOIN sign_in_failure f ON f.subject = concat('known:', a.id, ' ', $2::text) WHERE a.email = $1`,
    [email, browserPlace(browser)],
  );
  return rows[0]?.subject ?? null;
}

function browserPlace(browser: string): string {
  return `browser ${hashOf(browser).toString("hex")}`;
}

/** Counts a guess for its account: the first one from an address, and once those are too many, each. */
async function countForAccount(tx: PoolClient, guess: Guess): Promise<void> {
  await tx.query(
    `UPDATE sign_in_failure SET last_at = clock_timestamp(), failures = failures + 1
     WHERE subject = $1 AND (failures >= $3 OR EXISTS (SELECT FROM sign_in_failure WHERE subject = $2 AND failures = 0))`,
    [accountSubject(guess), placeSubject(guess), FREE],
  );
}

function accountSubject({ email }: Guess): string {
  return `account:${email}`;
}

function placeSubject({ email, address }: Guess): string {
  return `at:${email} ${placeOf(address)}`;
}

/** What a guess is counted for that comes from an address from where the account's right password came: nobody elsewhere can keep it waiting. */
async function knownAddress(tx: PoolClient, { email, address }: Guess): Promise<string | null> {
  const { rows } = await tx.query<{ subject: string }>(
    `SELECT f.subject FROM account a JOIN sign_in_failure f ON f.subject = concat('known:', a.id, ' ', $2::text) WHERE a.email = $1`,
    [email, placeOf(address)],
  );
  return rows[0]?.subject ?? null;
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
