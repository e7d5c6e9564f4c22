import { signatureOf, SYSTEM } from "@/server/domain/access";
import pg from "pg";
import pino from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { KeyKind, Role } from "@/server/domain/access";
import { prismaIn } from "@/server/postgres/prisma";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { until } from "@/server/testing/until";
import { type Authenticator, type Changed, createAuthenticator } from "./authenticate";
import { makeKey, type WantedKey } from "./keys";
import { beginSession } from "./sessions";
import { watchAccess } from "./watch";

const logger = pino({ level: "silent" });
const COOKIES = { secure: "__Host-fieldwatch", plain: "fieldwatch-1" };
let db: TestDatabase;
let authenticator: Authenticator;
beforeAll(async () => {
  db = await freshDatabase();
});
beforeEach(() => {
  authenticator = createAuthenticator(db.pool, COOKIES);
});
afterAll(() => db.drop());

const shown = { cookie: null, authorization: null, address: "10.0.0.1", isHttps: false };
const byKey = (text: string, more: object = {}, by = authenticator) =>
  by.callerOf({ ...shown, authorization: `Bearer ${text}`, ...more });
const byCookie = (secret: string, more: object = {}, by = authenticator) =>
  by.callerOf({ ...shown, cookie: `other=1; fieldwatch-1=${secret}`, ...more });
const why = async (caller: ReturnType<Authenticator["callerOf"]>) => {
  const found = await caller;
  return found.kind === "nobody" ? (found.why ?? "") : found;
};

async function newKey(wanted: Partial<WantedKey> & { role?: Role } = {}) {
  const { role, ...rest } = wanted;
  const kind: KeyKind = rest.kind ?? "site";
  const grants = role ? [{ role, siteId: null }] : [];
  return withTransaction(db.pool, (tx) =>
    makeKey(
      prismaIn(tx),
      { kind, name: "line 7", device: null, networks: [], expiresAt: null, grants, ...rest },
      signatureOf(SYSTEM),
    ),
  );
}

async function newSession(): Promise<{ secret: string; accountId: number }> {
  const { rows } = await db.pool.query<{ id: number }>(`INSERT INTO account (name) VALUES ('Ada') RETURNING id`);
  const accountId = rows[0]!.id;
  await db.pool.query(`INSERT INTO role_grant (account_id, role) VALUES ($1, 'editor')`, [accountId]);
  const secret = await withTransaction(db.pool, (tx) => beginSession(tx, accountId, { address: null, agent: null }));
  return { secret: secret!, accountId };
}

test("a key is told by its kind, its roles and its device, and that it was used is noted", async () => {
  const service = await newKey({ kind: "service", role: "viewer" });
  expect(await byKey(service.text)).toEqual({
    ...{ kind: "key", keyId: service.key.id, name: "line 7", of: "service", siteId: null, device: null },
    grants: [{ role: "viewer", siteId: null }],
  });
  const device = await newKey({ kind: "device", device: "press-1" });
  expect(await byKey(device.text)).toMatchObject({ of: "device", device: "press-1", grants: [] });
  await until(async () => {
    const { rows } = await db.pool.query(
      `SELECT 1 FROM access_key WHERE id = $1 AND last_used_from = '10.0.0.1' AND last_used_at > now() - interval '2 minutes'`,
      [device.key.id],
    );
    return rows.length === 1;
  });
});

test("what is no key, or not ours, or ended, is nobody with the reason", async () => {
  const { text, key } = await newKey();
  const mistyped = text.slice(0, 20) + (text[20] === "a" ? "b" : "a") + text.slice(21);
  const holdsNone = "The Authorization header holds no key: it must be `Bearer fw…`, whole.";
  for (const authorization of [
    `Bearer ${mistyped}`,
    `Bearer ${text.slice(0, -1)}`,
    `Basic ${text}`,
    text,
    "Bearer ",
    "",
  ])
    expect(await why(authenticator.callerOf({ ...shown, authorization }))).toBe(holdsNone);
  expect(await byKey(text)).toMatchObject({ kind: "key" });
  // The scheme's name is in any case; the key is not.
  expect(await authenticator.callerOf({ ...shown, authorization: `bearer ${text}` })).toMatchObject({ kind: "key" });

  const foreign = await withTransaction(db.pool, async (tx) => {
    const made = await makeKey(prismaIn(tx), wantedOf(), signatureOf(SYSTEM));
    await tx.query(`DELETE FROM access_key WHERE id = $1`, [made.key.id]);
    return made.text;
  });
  expect(await why(byKey(foreign))).toBe("The key is not known here.");

  await db.pool.query(`UPDATE access_key SET secret_hash = sha256('another') WHERE id = $1`, [key.id]);
  authenticator.forget("keys");
  expect(await why(byKey(text))).toBe("The key is not known here.");

  const revoked = await newKey();
  await db.pool.query(`UPDATE access_key SET revoked_at = now() WHERE id = $1`, [revoked.key.id]);
  expect(await why(byKey(revoked.text))).toBe("The key line 7 is revoked.");
  const expired = await newKey({ expiresAt: Date.now() - 1000 });
  expect(await why(byKey(expired.text))).toBe("The key line 7 is expired.");
});

function wantedOf(): WantedKey {
  return { kind: "site", name: "gone", device: null, networks: [], expiresAt: null, grants: [] };
}

test("a known key ends when it expires, however long it would be remembered", async () => {
  const { text } = await newKey({ expiresAt: Date.now() + 700 });
  expect(await byKey(text)).toMatchObject({ kind: "key" });
  await until(async () => (await why(byKey(text))) === "The key line 7 is expired.", { timeoutMs: 3000 });
});

test("a key of some networks is refused from others, known or not", async () => {
  const { text } = await newKey({ networks: ["10.1.0.0/16", "2001:db8::/32", "192.0.2.7"] });
  for (const address of ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1", "192.0.2.7"])
    expect(await byKey(text, { address })).toMatchObject({ kind: "key" });
  for (const address of ["10.2.0.1", "2001:db9::1", "192.0.2.8", "::1", "localhost", ""])
    expect(await why(byKey(text, { address }))).toBe(`The key line 7 may not be used from ${address}.`);
  expect(await why(byKey(text, { address: null }))).toBe("The key line 7 may not be used from there.");
});

test("a key shown as a cookie is nobody, and so is a cookie shown as a key", async () => {
  const { text } = await newKey({ networks: ["192.0.2.7"] });
  await byKey(text, { address: "192.0.2.7" });
  expect(await why(byCookie(text))).toBe("The session has ended.");
  const { secret } = await newSession();
  await byCookie(secret);
  expect((await byKey(secret)).kind).toBe("nobody");
});

test("over https only the cookie of https counts, over http only the other", async () => {
  const { secret } = await newSession();
  expect((await byCookie(secret)).kind).toBe("user");
  expect((await byCookie(secret, { isHttps: true })).kind).toBe("nobody");
  const cookie = `fieldwatch-1=${"x".repeat(43)}; __Host-fieldwatch=${secret}`;
  expect((await authenticator.callerOf({ ...shown, cookie, isHttps: true })).kind).toBe("user");
  expect((await authenticator.callerOf({ ...shown, cookie })).kind).toBe("nobody");
});

test("of several session cookies the one that is a session counts; with two sessions it is nobody, whichever comes first", async () => {
  const [{ secret: own }, { secret: foreign }] = [await newSession(), await newSession()];
  for (const [first, second] of [
    [own, foreign],
    [foreign, own],
  ])
    expect(await why(byCookie(`${first}; fieldwatch-1=${second}`))).toMatch(/^There are two session cookies: clear/);
  // What another page has made up keeps nobody out.
  for (const junk of ["x", "y".repeat(43)])
    for (const [first, second] of [
      [own, junk],
      [junk, own],
    ])
      expect(await byCookie(`${first}; fieldwatch-1=${second}`)).toMatchObject({ kind: "user" });
  const many = Array.from({ length: 9 }, (_, i) => `fieldwatch-1=${String(i).repeat(43)}`).join("; ");
  expect((await byCookie(`${own}; ${many}`)).kind).toBe("nobody");
  expect(await byCookie(`${own}; fieldwatch-1=${own}`)).toMatchObject({ kind: "user" });
  expect(await byCookie(`${own}; fieldwatch-2=${foreign}; fieldwatch-1=`)).toMatchObject({ kind: "user" });
});

test("while PostgreSQL is away, callers from before stay known; others can't be told, and a revoked one isn't let in", async () => {
  const pool = new pg.Pool({ connectionString: db.connectionString });
  pool.on("error", () => {});
  const cut = createAuthenticator(pool, COOKIES);
  const [known, unknown, revoked] = [await newKey(), await newKey(), await newKey()];
  const { secret } = await newSession();
  for (const { text } of [known, revoked]) await byKey(text, {}, cut);
  await byCookie(secret, {}, cut);
  const query = pool.query.bind(pool);
  pool.query = (() => Promise.reject(Object.assign(new Error("away"), { code: "ECONNREFUSED" }))) as typeof pool.query;
  cut.forget("anything");
  expect((await byKey(known.text, {}, cut)).kind).toBe("key");
  expect((await byCookie(secret, {}, cut)).kind).toBe("user");
  await expect(byKey(unknown.text, {}, cut)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  // What was heard to have changed is not told from before.
  cut.forget("keys");
  await expect(byKey(revoked.text, {}, cut)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  // A PostgreSQL that hangs is one that is away.
  pool.query = (() => new Promise(() => {})) as typeof pool.query;
  cut.forget("anything");
  expect((await byCookie(secret, {}, cut)).kind).toBe("user");
  pool.query = query;
  await pool.end();
});

test("an answer from before a change doesn't undo it, and many who ask at once are one question", async () => {
  const { text, key } = await newKey();
  let asked = 0;
  let release = () => {};
  const hold = new Promise<void>((resolve) => (release = resolve));
  const query = (async (...args: Parameters<typeof db.pool.query>) => {
    const answer = await db.pool.query(...args);
    if (String(args[0]).includes("secret_hash")) {
      asked += 1;
      await hold;
    }
    return answer;
  }) as unknown as pg.Pool["query"];
  const slow = createAuthenticator({ query } as pg.Pool, COOKIES);
  const before = Promise.all(Array.from({ length: 100 }, () => byKey(text, {}, slow)));
  await until(() => asked === 1);
  await db.pool.query(`UPDATE access_key SET revoked_at = now() WHERE id = $1`, [key.id]);
  slow.forget("keys");
  release();
  expect(new Set((await before).map(({ kind }) => kind))).toEqual(new Set(["key"]));
  expect(await why(byKey(text, {}, slow))).toBe("The key line 7 is revoked.");
  expect(asked).toBe(2);
});

test("10,000 keys are all remembered, and 2,000 guesses push none of them out", async () => {
  await db.pool.query(
    `INSERT INTO access_key (id, kind, name, secret_hash, made_by) SELECT 'k' || lpad(i::text, 11, '0'), 'site', 'k', sha256(('s' || i)::bytea), 'test' FROM generate_series(1, 10000) i`,
  );
  let queries = 0;
  const query = ((...args: Parameters<typeof db.pool.query>) => {
    queries += 1;
    return db.pool.query(...args);
  }) as unknown as pg.Pool["query"];
  const counted = createAuthenticator({ query } as pg.Pool, COOKIES);
  const texts = await Promise.all(Array.from({ length: 12_000 }, async () => textOfNew()));
  const [ours, guesses] = [texts.slice(0, 10_000), texts.slice(10_000)];
  await db.pool.query(
    `UPDATE access_key k SET id = n.id, secret_hash = sha256(n.secret::bytea)
     FROM unnest($1::text[], $2::text[], $3::text[]) n (old, id, secret) WHERE k.id = n.old`,
    [
      ours.map((_, i) => `k${String(i + 1).padStart(11, "0")}`),
      ours.map((text) => text.split("_")[1]),
      ours.map((text) => text.slice(17, 60)),
    ],
  );
  const kinds = async (all: string[]) =>
    new Set((await Promise.all(all.map((text) => byKey(text, {}, counted)))).map((c) => c.kind));
  expect(await kinds(ours)).toEqual(new Set(["key"]));
  // Asked for by hundreds, not one by one.
  expect(queries).toBeLessThan(100);
  expect(await kinds(guesses)).toEqual(new Set(["nobody"]));
  queries = 0;
  expect(await kinds(ours)).toEqual(new Set(["key"]));
  expect(queries).toBe(0);
});

test("keys in use are asked for again by hundreds, each as it is now, and idle ones not at all", async () => {
  let questions: (readonly string[])[] = [];
  const query = ((...args: Parameters<typeof db.pool.query>) => {
    if (String(args[0]).includes("secret_hash")) questions.push((args as unknown as [string, [string[]]])[1][0]);
    return db.pool.query(...args);
  }) as unknown as pg.Pool["query"];
  const counted = createAuthenticator({ query } as pg.Pool, COOKIES);
  const made = await Promise.all(Array.from({ length: 30 }, () => newKey()));
  const [idle, ...busy] = made;
  const all = async (keys: typeof made) =>
    Promise.all(keys.map(async ({ text }) => (await byKey(text, {}, counted)).kind));
  await all(made);
  await all(busy);
  questions = [];
  const [first, revoked, ...others] = busy;
  await db.pool.query(`UPDATE access_key SET revoked_at = now() WHERE id = $1`, [revoked!.key.id]);
  // Only heard to be in doubt, as after a notification that was lost.
  counted.forget("anything");
  expect((await byKey(first!.text, {}, counted)).kind).toBe("key");
  expect((await byKey(revoked!.text, {}, counted)).kind).toBe("nobody");
  expect(new Set(await all(others))).toEqual(new Set(["key"]));
  expect(questions.map((ids) => ids.toSorted())).toEqual([busy.map(({ key }) => key.id).sort()]);
  await all([idle!]);
  expect(questions.at(-1)).toEqual([idle!.key.id]);
});

async function textOfNew(): Promise<string> {
  const { newKey: make } = await import("./secrets");
  return make("site").text;
}

test("every change of what callers may do is told, by whomever it is made, and what changes nothing is not", async () => {
  const heard: Changed[] = [];
  const stop = watchAccess(db.connectionString, logger, (changed) => heard.push(changed));
  await until(() => heard.length === 1);
  const { accountId } = await newSession();
  const { key } = await newKey({ kind: "service", role: "viewer" });
  const told = async (sql: string) => {
    // Everything is heard in order: what comes between two of these was told by the statement.
    for (const statement of ["SELECT", sql]) {
      heard.length = 0;
      await db.pool.query(statement);
      await db.pool.query(`NOTIFY fieldwatch_access, 'end of it'`);
      await until(() => heard.at(-1) === "anything");
    }
    return heard.slice(0, -1);
  };
  const ofAccount = `WHERE account_id = ${accountId}`;
  expect(await told(`UPDATE account SET name = 'Ada L' WHERE id = ${accountId}`)).toEqual(["people"]);
  expect(await told(`UPDATE account SET disabled_at = now() WHERE id = ${accountId}`)).toEqual(["people"]);
  expect(await told(`UPDATE role_grant SET role = 'viewer' ${ofAccount}`)).toEqual(["people"]);
  expect(await told(`INSERT INTO role_grant (account_id, role) VALUES (${accountId}, 'admin')`)).toEqual(["people"]);
  expect(await told(`DELETE FROM role_grant ${ofAccount}`)).toEqual(["people"]);
  expect(await told(`UPDATE session SET ends_at = now() ${ofAccount}`)).toEqual(["people"]);
  expect(await told(`DELETE FROM session ${ofAccount}`)).toEqual(["people"]);
  expect(await told(`DELETE FROM account WHERE id = ${accountId}`)).toEqual(["people"]);
  for (const change of ["revoked_at = now()", "expires_at = now()", "networks = '{10.0.0.0/8}'", "secret_hash = ''"])
    expect(await told(`UPDATE access_key SET ${change} WHERE id = '${key.id}'`)).toEqual(["keys"]);
  expect(await told(`DELETE FROM role_grant WHERE key_id = '${key.id}'`)).toEqual(["keys"]);
  expect(await told(`DELETE FROM access_key WHERE id = '${key.id}'`)).toEqual(["keys"]);
  expect(await told(`TRUNCATE session`)).toEqual(["people"]);

  const other = await newSession();
  expect(await told(`DELETE FROM session WHERE account_id = 0`)).toEqual([]);
  expect(await told(`UPDATE session SET last_used_at = now() WHERE account_id = ${other.accountId}`)).toEqual([]);
  expect(await told(`UPDATE access_key SET last_used_at = now()`)).toEqual([]);
  await stop();
});

test("two processes learn of a revocation within 2 s, also after their connections were lost", async () => {
  const two = [createAuthenticator(db.pool, COOKIES), createAuthenticator(db.pool, COOKIES)];
  const stops = two.map((one) => watchAccess(db.connectionString, logger, (changed) => one.forget(changed)));
  const listening = async () => {
    const { rows } = await db.pool.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'fieldwatch access' AND query LIKE '%LISTEN%' AND state = 'idle'`,
    );
    return rows[0]!.n === 2;
  };
  for (const round of ["first", "after the connections were lost"]) {
    await until(listening, { timeoutMs: 15_000, what: round });
    const { text, key } = await newKey();
    for (const one of two) expect((await byKey(text, {}, one)).kind).toBe("key");
    await db.pool.query(`UPDATE access_key SET revoked_at = now() WHERE id = $1`, [key.id]);
    for (const one of two)
      await until(async () => (await byKey(text, {}, one)).kind === "nobody", { timeoutMs: 2000, what: round });
    await db.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'fieldwatch access'`,
    );
  }
  for (const stop of stops) await stop();
});
