import type * as crypto from "node:crypto";
import { beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type Authenticator, createAuthenticator } from "@/server/access/authenticate";
import { makeLink } from "@/server/access/links";
import { me, sessionsAnswer, userLink, usersAnswer } from "@/server/contracts/access";
import { withTransaction } from "@/server/postgres/transaction";
import { createApiRig, JSON_TYPE, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";
import type { Api } from "../runtime";
import type { VerbName } from "../verbs";
import { sessionCookie } from "./cookie";

const scrypts = vi.hoisted(() => ({ count: 0 }));
vi.mock("node:crypto", async (original) => {
  const real = await original<typeof crypto>();
  const { promisify } = await import("node:util");
  // Counted, not replaced: the work itself is done. promisify goes by this symbol.
  const counted = Object.assign((...args: Parameters<typeof real.scrypt>) => real.scrypt(...args), {
    [promisify.custom]: (...args: unknown[]) => {
      scrypts.count += 1;
      return (promisify(real.scrypt) as (...args: unknown[]) => unknown)(...args);
    },
  });
  return { ...real, scrypt: counted };
});

// Passwords are expensive on purpose: on a busy machine a dozen of them take longer than other tests may.
vi.setConfig({ testTimeout: 120_000 });

const PORT = 3999;
const rig = createApiRig({ PORT: String(PORT) });
const cookies = sessionCookie(PORT);
let api: Api;
let authenticator: Authenticator;
beforeAll(() => {
  authenticator = createAuthenticator(rig.engines.pool, cookies.names);
  api = rig.compose({
    callerOf: (request) =>
      authenticator.callerOf({
        cookie: request.headers.get("cookie"),
        authorization: request.headers.get("authorization"),
        address: request.headers.get("x-forwarded-for"),
        isHttps: request.headers.get("x-forwarded-proto") === "https",
      }),
  });
});

const EMPTY = "TRUNCATE session, sign_in_link, sign_in_failure; DELETE FROM role_grant; DELETE FROM account";
beforeEach(async () => {
  await query(EMPTY);
  authenticator.forget("people");
});

const query = async <T extends object>(sql: string, values: unknown[] = []) =>
  (await rig.engines.pool.query<T>(sql, values)).rows;

interface Asking {
  readonly cookie?: string;
  readonly body?: object;
  readonly params?: Record<string, string>;
  readonly address?: string;
  readonly headers?: Record<string, string>;
}

function ask(verb: VerbName, { cookie, body, params = {}, address = "10.0.0.1", headers = {} }: Asking = {}) {
  const all = {
    ...JSON_TYPE,
    ...(cookie && { cookie }),
    "x-forwarded-for": address,
    "user-agent": "Firefox",
    ...headers,
  };
  const how = body ? { method: "POST", body: JSON.stringify(body) } : {};
  return api.handle(verb, new Request("http://here/api", { ...how, headers: all }), params);
}

const linkTo = (accountId: number | null) => withTransaction(rig.engines.pool, (tx) => makeLink(tx, accountId));
const byLink = (secret: string, more: Asking = {}) => ask("signInByLink", { ...more, body: { secret } });
const byPassword = (email: string, password: string, more: Asking = {}) =>
  ask("signIn", { ...more, body: { email, password } });
const cookieOf = (answer: Response) => answer.headers.get("set-cookie")!.split(";")[0]!;

async function owner(): Promise<{ cookie: string; id: number; link: string }> {
  const link = await linkTo(null);
  const answer = await byLink(link);
  expect(answer.status).toBe(200);
  const [row] = await query<{ id: number }>("SELECT id FROM account");
  return { cookie: cookieOf(answer), id: row!.id, link };
}

const PASSWORD = "correct horse battery";
async function withPassword(email = "ada@example.com") {
  const { cookie, id, link } = await owner();
  await read(me, ask("setOwnPassword", { cookie, body: { email, password: PASSWORD } }));
  return { cookie, id, link, email };
}

test("of 50 who take the first link at once one becomes the owner, with one session", async () => {
  const link = await linkTo(null);
  const answers = await Promise.all(Array.from({ length: 50 }, () => byLink(link)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(49);
  const one = answers.find(({ status }) => status === 200)!;
  expect(me.parse(await one.json())).toMatchObject({ kind: "user", name: "Owner", role: "admin" });
  expect(await query("SELECT role, site_id FROM role_grant")).toEqual([{ role: "admin", site_id: null }]);
  expect(await query("SELECT 1 FROM session")).toHaveLength(1);
  expect(await query("SELECT 1 FROM sign_in_link")).toEqual([]);
});

test("two first links taken at once make one owner", async () => {
  const links = [await linkTo(null), "b".repeat(43)];
  await query(
    "INSERT INTO sign_in_link (secret_hash, expires_at) VALUES (sha256($1::bytea), now() + interval '1 hour')",
    [links[1]],
  );
  const answers = await Promise.all(links.map((link) => byLink(link)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
  expect(await query("SELECT 1 FROM account")).toHaveLength(1);
});

test("links that are used, too old, replaced, guessed, or of a disabled account are refused, and all in the same words", async () => {
  const { id, link } = await owner();
  const old = await linkTo(id);
  await query("UPDATE sign_in_link SET expires_at = now()");
  const [replaced, valid] = [await linkTo(id), await linkTo(id)];
  const first = await linkTo(null);
  const words = new Set<string>();
  for (const secret of [link, old, replaced, first, "x".repeat(43), "x", "' OR true --", "\0"]) {
    const { status, detail } = await refused(byLink(secret));
    expect(status).toBe(401);
    words.add(detail!);
  }
  await query("UPDATE account SET disabled_at = now()");
  words.add((await refused(byLink(valid))).detail!);
  expect(words.size).toBe(1);
  await query("UPDATE account SET disabled_at = NULL");
  // The right one works, however many wrong ones came from there.
  for (let i = 0; i < 25; i++) await byLink("y".repeat(43));
  expect((await byLink(valid)).status).toBe(200);
});

test("wrong links fill neither the audit record nor the table of guesses", async () => {
  const rows = async () => (await query("SELECT 1 FROM audit_row")).length;
  const before = await rows();
  for (let i = 0; i < 40; i++) await byLink("y".repeat(43));
  expect((await rows()) - before).toBe(20);
  for (let i = 0; i < 40; i++) await refused(ask("listUsers", { cookie: `${cookies.names.plain}=${"z".repeat(43)}` }));
  expect((await rows()) - before).toBe(20);
  expect(await query("SELECT 1 FROM sign_in_failure")).toHaveLength(1);
});

test("an administrator makes links for others, and a recovery link lets the owner in again", async () => {
  const { cookie, id } = await owner();
  const made = await read(
    userLink,
    ask("addUser", { cookie, body: { name: "Grace", role: "viewer" }, headers: { host: "plant:3000" } }),
  );
  expect(made.link).toMatch(/^http:\/\/plant:3000\/sign-in#k=[\w-]{43}$/);
  const grace = await byLink(made.link.split("#k=")[1]!);
  expect(me.parse(await grace.json())).toMatchObject({
    name: "Grace",
    role: "viewer",
    permissions: ["view", "catalog"],
  });
  expect((await refused(ask("listUsers", { cookie: cookieOf(grace) }))).status).toBe(403);
  expect(me.parse(await (await byLink(await linkTo(id))).json())).toMatchObject({ name: "Owner", role: "admin" });
});

test("cookies: for scripts invisible, of https under a name that http can't set, and nothing of the request gets into them", async () => {
  const link = await linkTo(null);
  const plain = (await byLink(link)).headers.get("set-cookie")!;
  expect(plain).toMatch(new RegExp(`^fieldwatch-${PORT}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Lax$`));
  const [{ id }] = (await query<{ id: number }>("SELECT id FROM account")) as [{ id: number }];
  const https = { "x-forwarded-proto": "https" };
  const secure = (await byLink(await linkTo(id), { headers: https })).headers.get("set-cookie")!;
  expect(secure).toMatch(/^__Host-fieldwatch=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  const cookie = secure.split(";")[0]!;
  expect((await ask("getMe", { cookie, headers: https })).status).toBe(200);
  const out = await ask("signOut", { cookie, body: {}, headers: https });
  expect(out.headers.get("set-cookie")).toBe("__Host-fieldwatch=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0");
  authenticator.forget("people");
  expect((await refused(ask("getMe", { cookie, headers: https }))).detail).toContain("The session has ended.");
});

test("a session ends when it isn't used for 12 hours, and after 14 days in any case", async () => {
  const { cookie } = await owner();
  const status = async () => {
    authenticator.forget("people");
    return (await ask("getMe", { cookie })).status;
  };
  await query("UPDATE session SET last_used_at = now() - interval '11 hours 59 minutes'");
  expect(await status()).toBe(200);
  expect(await query("SELECT last_used_at > now() - interval '1 minute' AS used FROM session")).toEqual([
    { used: true },
  ]);
  await query("UPDATE session SET last_used_at = now() - interval '12 hours 1 second'");
  expect(await status()).toBe(401);
  await query("UPDATE session SET last_used_at = now()");
  expect(await query("SELECT ends_at - created_at = interval '14 days' AS fits FROM session")).toEqual([
    { fits: true },
  ]);
  await query("UPDATE session SET ends_at = now()");
  expect(await status()).toBe(401);
});

test("sessions end one by one, everywhere, by a new password, a new role, and when the account is disabled", async () => {
  const { cookie, id, email } = await withPassword();
  const again = async () => cookieOf(await byPassword(email, PASSWORD));
  const status = async (of: string) => {
    authenticator.forget("people");
    return (await ask("getMe", { cookie: of })).status;
  };
  const second = await again();
  const { items } = await read(sessionsAnswer, ask("listOwnSessions", { cookie }));
  expect(items.map(({ current, agent, address }) => ({ current, agent, address }))).toEqual(
    expect.arrayContaining([
      { current: true, agent: "Firefox", address: "10.0.0.1" },
      { current: false, agent: "Firefox", address: "10.0.0.1" },
    ]),
  );
  const other = items.find(({ current }) => !current)!;
  expect((await ask("endOwnSession", { cookie, params: { id: other.id } })).status).toBe(200);
  expect([await status(cookie), await status(second)]).toEqual([200, 401]);

  const third = await again();
  await read(me, ask("setOwnPassword", { cookie, body: { email, password: PASSWORD } }));
  expect([await status(cookie), await status(third)]).toEqual([200, 401]);

  const all = [cookie, await again(), await again()];
  await ask("endOwnSession", { cookie, params: { id: "all" } });
  for (const one of all) expect(await status(one)).toBe(401);

  const admin = await again();
  const params = { id: String(id) };
  const made = await read(userLink, ask("addUser", { cookie: admin, body: { name: "Grace", role: "admin" } }));
  const grace = cookieOf(await byLink(made.link.split("#k=")[1]!));
  expect((await ask("updateUser", { cookie: grace, params, body: { role: "operator" } })).status).toBe(200);
  expect(await status(admin)).toBe(401);
  const operator = await again();
  expect((await ask("updateUser", { cookie: grace, params, body: { disabled: true } })).status).toBe(200);
  expect(await status(operator)).toBe(401);
  expect((await byPassword(email, PASSWORD)).status).toBe(401);
  // What ended stays ended.
  expect((await ask("updateUser", { cookie: grace, params, body: { disabled: false } })).status).toBe(200);
  expect(await status(operator)).toBe(401);
});

test("nobody ends another's sessions, and the last administrator stays one, also when two leave at once", async () => {
  const { cookie, id } = await owner();
  const made = await read(userLink, ask("addUser", { cookie, body: { name: "Grace", role: "admin" } }));
  const grace = cookieOf(await byLink(made.link.split("#k=")[1]!));
  const [{ id: session }] = (await query<{ id: string }>("SELECT id FROM session WHERE account_id = $1", [id])) as [
    { id: string },
  ];
  expect(await (await ask("endOwnSession", { cookie: grace, params: { id: session } })).json()).toEqual({ ended: 0 });
  expect((await ask("getMe", { cookie })).status).toBe(200);
  const leave = (by: string, who: number) =>
    ask("updateUser", { cookie: by, params: { id: String(who) }, body: { role: "viewer" } });
  const answers = await Promise.all([leave(cookie, id), leave(grace, made.user.id)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
});

test("an e-mail address belongs to one account, also when two take it at once", async () => {
  const { cookie } = await owner();
  const add = (name: string) => ask("addUser", { cookie, body: { name, email: "One@Example.com", role: "viewer" } });
  const answers = await Promise.all([add("a"), add("b"), add("c")]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
  const taken = await refused(
    ask("setOwnPassword", { cookie, body: { email: "one@example.com", password: PASSWORD } }),
  );
  expect([taken.status, taken.detail]).toEqual([409, "Another account has that e-mail address."]);
  const { items } = await read(usersAnswer, ask("listUsers", { cookie }));
  const renamed = ask("updateUser", {
    cookie,
    params: { id: String(items[0]!.id) },
    body: { email: "one@example.com" },
  });
  expect((await refused(renamed)).status).toBe(409);
});

test("a sign-in beside a change of the password gives no session that outlives it", async () => {
  const { cookie, email } = await withPassword();
  scrypts.count = 0;
  const answering = byPassword(email, PASSWORD);
  await until(() => scrypts.count === 1);
  await query("UPDATE account SET password = '$scrypt$ln=15,r=8,p=3$AAAA$AAAA'");
  expect((await answering).status).toBe(401);
  expect(await query("SELECT 1 FROM session")).toHaveLength(1);
  expect((await ask("getMe", { cookie })).status).toBe(200);
});

test("a sign-in beside the disabling of its account gives none that lives on when it is enabled again", async () => {
  const { id } = await owner();
  const link = await linkTo(id);
  const disabling = await rig.engines.pool.connect();
  await disabling.query("BEGIN");
  await disabling.query("SELECT FROM account WHERE id = $1 FOR UPDATE", [id]);
  const answering = byLink(link);
  await until(
    async () =>
      (await query("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"))
        .length > 0,
  );
  await disabling.query("DELETE FROM session");
  await disabling.query("UPDATE account SET disabled_at = now() WHERE id = $1", [id]);
  await disabling.query("COMMIT");
  disabling.release();
  expect((await answering).status).toBe(401);
  expect(await query("SELECT 1 FROM session")).toEqual([]);
});

test("1,000 guesses for an account, one a second: few are listened to, and the right password waits too", async () => {
  const { email } = await withPassword();
  let heard = 0;
  scrypts.count = 0;
  for (let second = 0; second < 1000; second++) {
    // Each from another address; a second of the database's clock goes by between two.
    const answer = await byPassword(email, "wrong", { address: `10.${second % 250}.${second >> 8}.1` });
    if (answer.status === 401) heard += 1;
    else expect([answer.status, Number(answer.headers.get("retry-after")) > 0]).toEqual([429, true]);
    await query("UPDATE sign_in_failure SET last_at = last_at - interval '1 second'");
  }
  // 5 at once, then after 1, 2, 4 … 512 s: 15 within 1,000 s.
  expect(heard).toBeLessThanOrEqual(15);
  expect(heard).toBeGreaterThan(10);
  expect(scrypts.count).toBe(heard);
  expect((await byPassword(email, PASSWORD, { address: "10.9.9.9" })).status).toBe(429);
  await query("UPDATE sign_in_failure SET last_at = last_at - interval '901 seconds'");
  expect((await byPassword(email, PASSWORD, { address: "10.9.9.9" })).status).toBe(200);
  expect(await query("SELECT failures FROM sign_in_failure WHERE subject LIKE 'account:%'")).toEqual([{ failures: 0 }]);
}, 120_000);

test("200 guesses at once are no more than one after the other", async () => {
  const { email } = await withPassword();
  scrypts.count = 0;
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => byPassword(email, "wrong", { address: `10.1.0.${i}` })),
  );
  expect(answers.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(6);
  expect(scrypts.count).toBeLessThanOrEqual(6);
});

test("an address has 20 wrong guesses a minute, for all accounts and links together; one of IPv6 is its network", async () => {
  const { email } = await withPassword();
  const from = async (address: string) => (await byPassword(email, PASSWORD, { address })).status;
  const wrongFrom = async (addressOf: (i: number) => string) => {
    for (let i = 0; i < 18; i++) await byLink("y".repeat(43), { address: addressOf(i) });
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, i) => byPassword(`nobody-${i}@example.com`, "x", { address: addressOf(i) })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([401, 401, 429, 429]);
  };
  await wrongFrom(() => "192.0.2.1");
  expect(await from("::ffff:192.0.2.1")).toBe(429);
  expect(await from("192.0.2.2")).toBe(200);
  await wrongFrom((i) => `2001:db8:0:7::${i.toString(16)}`);
  expect([await from("2001:db8:0:7:8::1"), await from("2001:db8:0:8::1")]).toEqual([429, 200]);
  await query("UPDATE sign_in_failure SET last_at = last_at - interval '61 seconds'");
  expect(await from("192.0.2.1")).toBe(200);
});

test("right passwords use up nothing of an address", async () => {
  const { email } = await withPassword();
  await query("INSERT INTO sign_in_failure VALUES ('address:10.0.0.1', 19, now())");
  for (let i = 0; i < 3; i++) expect((await byPassword(email, PASSWORD)).status).toBe(200);
});

test("an unknown account, a disabled one and one without a password take the same work as a known one, and answer the same", async () => {
  const { cookie, email } = await withPassword();
  for (const [name, disabled] of [
    ["bob", false],
    ["eve", true],
  ] as const) {
    const { user } = await read(
      userLink,
      ask("addUser", { cookie, body: { name, email: `${name}@example.com`, role: "viewer" } }),
    );
    if (disabled) await query("UPDATE account SET disabled_at = now() WHERE id = $1", [user.id]);
  }
  const asked = vi.spyOn(rig.engines.pool, "query");
  const seen = [];
  for (const who of [email, "bob@example.com", "eve@example.com", "unknown@example.com"]) {
    scrypts.count = 0;
    asked.mockClear();
    const { status, detail, kind } = await refused(byPassword(who, "wrong password"));
    const statements = asked.mock.calls.map(([sql]) => String(sql).replace(/\s+/g, " "));
    seen.push({ status, detail, kind, scrypts: scrypts.count, statements });
  }
  asked.mockRestore();
  expect(seen[0]).toMatchObject({ status: 401, scrypts: 1 });
  for (const one of seen) expect(one).toEqual(seen[0]);
});

test("nothing in the database signs anybody in", async () => {
  const { cookie, id, email } = await withPassword();
  const key = (await (await ask("makeAccessKey", { cookie, body: { kind: "site", name: "line 7" } })).json()) as {
    text: string;
  };
  const link = await linkTo(id);
  const secrets = [
    cookie.split("=")[1]!,
    link,
    key.text,
    key.text.split("_").slice(2).join("_").slice(0, 43),
    PASSWORD,
  ];
  expect(secrets.every((secret) => secret.length >= 20)).toBe(true);
  const tables = await query<{ name: string }>(
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
  );
  let rows = 0;
  for (const { name } of tables) {
    for (const { row } of await query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`)) {
      rows += 1;
      for (const secret of secrets) {
        expect(row.includes(secret), name).toBe(false);
        expect(row.includes(Buffer.from(secret).toString("hex")), name).toBe(false);
        expect(row.includes(Buffer.from(secret, "base64url").toString("hex")), name).toBe(false);
      }
    }
  }
  expect(rows).toBeGreaterThan(10);
  expect((await byPassword(email, PASSWORD)).status).toBe(200);
});

test("while PostgreSQL is away signing in answers 503", async () => {
  const { email } = await withPassword();
  const away = () => Promise.reject(Object.assign(new Error("away"), { code: "ECONNREFUSED" })) as never;
  const cut = (["connect", "query"] as const).map((name) => vi.spyOn(rig.engines.pool, name).mockImplementation(away));
  expect((await byPassword(email, PASSWORD)).status).toBe(503);
  expect((await byLink("x".repeat(43))).status).toBe(503);
  expect((await byLink("x")).status).toBe(503);
  for (const one of cut) one.mockRestore();
});
