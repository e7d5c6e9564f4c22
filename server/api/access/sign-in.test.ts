import { expect, test, vi } from "vitest";
import { me, userLink, usersAnswer } from "@/server/contracts/access";
import { read, refused } from "@/server/testing/api-rig";
import { cookieOf, createSignInRig, PASSWORD } from "@/server/testing/sign-in-rig";

vi.mock("node:crypto", async (original) =>
  (await import("@/server/testing/lighter-scrypt")).withLighterScrypt(await original()),
);

const rig = createSignInRig();
const { query, ask, linkTo, byLink, byPassword, owner, withPassword } = rig;

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
  for (let i = 0; i < 40; i++) await refused(ask("listUsers", { cookie: `${rig.cookieName}=${"z".repeat(43)}` }));
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
  const cut = (["connect", "query"] as const).map((name) => vi.spyOn(rig.pool, name).mockImplementation(away));
  expect((await byPassword(email, PASSWORD)).status).toBe(503);
  expect((await byLink("x".repeat(43))).status).toBe(503);
  expect((await byLink("x")).status).toBe(503);
  for (const one of cut) one.mockRestore();
});
