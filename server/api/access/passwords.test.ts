import { expect, test, vi } from "vitest";
import { userLink } from "@/server/contracts/access";
import { read, refused } from "@/server/testing/api-rig";
import { scrypts } from "@/server/testing/lighter-scrypt";
import { cookieOf, createSignInRig, PASSWORD } from "@/server/testing/sign-in-rig";

vi.mock("node:crypto", async (original) =>
  (await import("@/server/testing/lighter-scrypt")).withLighterScrypt(await original()),
);

const rig = createSignInRig();
const { query, ask, byLink, byPassword, withPassword } = rig;

test("a sign-in beside a change of the password gives no session that outlives it", async () => {
  const { cookie, email } = await withPassword();
  scrypts.meanwhile = () => query("UPDATE account SET password = '$scrypt$ln=15,r=8,p=3$AAAA$AAAA'");
  expect((await byPassword(email, PASSWORD)).status).toBe(401);
  scrypts.meanwhile = undefined;
  expect(await query("SELECT 1 FROM session")).toHaveLength(1);
  expect((await ask("getMe", { cookie })).status).toBe(200);
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
  // A thousand questions take a machine seconds of its own, by which the wait of 512 s may be just over.
  await query("UPDATE sign_in_failure SET last_at = now()");
  expect((await byPassword(email, PASSWORD, { address: "10.9.9.9" })).status).toBe(429);
  await query("UPDATE sign_in_failure SET last_at = last_at - interval '901 seconds'");
  expect((await byPassword(email, PASSWORD, { address: "10.9.9.9" })).status).toBe(200);
  expect(await query("SELECT failures FROM sign_in_failure WHERE subject LIKE 'account:%'")).toEqual([{ failures: 0 }]);
}, 120_000);

test("who goes on guessing from one address keeps nobody waiting elsewhere, in a browser that is new as well", async () => {
  const { email } = await withPassword();
  let heard = 0;
  for (let second = 0; second < 100; second++) {
    if ((await byPassword(email, "wrong", { address: "203.0.113.9" })).status === 401) heard += 1;
    await query("UPDATE sign_in_failure SET last_at = last_at - interval '1 second'");
  }
  // 5 at once, then after 1, 2, 4 … 64 s.
  expect(heard).toBeLessThanOrEqual(12);
  expect((await byPassword(email, PASSWORD, { address: "203.0.113.9" })).status).toBe(429);
  expect((await byPassword(email, PASSWORD, { address: "203.0.113.10" })).status).toBe(200);
});

test("200 guesses at once are no more than one after the other", async () => {
  const { email } = await withPassword();
  scrypts.count = 0;
  const began = performance.now();
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => byPassword(email, "wrong", { address: `10.1.0.${i}` })),
  );
  // Five are free, and each further one has to wait: 1, 2, 4 … seconds, some of which a busy machine needs for them.
  const most = 6 + Math.floor(Math.log2(1 + (performance.now() - began) / 1000));
  expect(answers.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(most);
  expect(scrypts.count).toBeLessThanOrEqual(most);
});

test("an address has 20 wrong guesses a minute, for all accounts together; one of IPv6 is its network", async () => {
  const { email } = await withPassword();
  const from = async (address: string) => (await byPassword(email, PASSWORD, { address })).status;
  const wrongFrom = async (addressOf: (i: number) => string) => {
    for (let i = 0; i < 18; i++) await byPassword(`somebody-${i}@example.com`, "x", { address: addressOf(i) });
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

test("what is refused by the limit of an address leaves no row", async () => {
  await query("INSERT INTO sign_in_failure VALUES ('address:10.0.0.9', 20, now())");
  for (let i = 0; i < 30; i++)
    expect((await byPassword(`made-up-${i}@example.com`, "x", { address: "10.0.0.9" })).status).toBe(429);
  expect(await query("SELECT subject FROM sign_in_failure")).toEqual([{ subject: "address:10.0.0.9" }]);
});

test("wrong links from an address keep nobody's password there waiting, and wrong passwords no link", async () => {
  const { email, id } = await withPassword();
  for (let i = 0; i < 60; i++) expect((await byLink("y".repeat(43))).status).toBe(401);
  expect((await byPassword(email, PASSWORD)).status).toBe(200);
  await query("UPDATE sign_in_failure SET failures = 20, last_at = now() WHERE subject LIKE 'address:%'");
  expect((await byPassword(email, PASSWORD)).status).toBe(429);
  expect((await byLink(await rig.linkTo(id))).status).toBe(200);
});

test("from where the right password came before, wrong ones from elsewhere keep it waiting no more; wrong ones from there do", async () => {
  const { cookie, email, id } = await withPassword();
  const from = async (address: string, password = PASSWORD) => (await byPassword(email, password, { address })).status;
  expect(await from("192.0.2.1")).toBe(200);
  expect(await from("10.3.0.1", "wrong")).toBe(401);
  await query("UPDATE sign_in_failure SET failures = 20, last_at = now() WHERE subject LIKE 'account:%'");
  expect([await from("192.0.2.2"), await from("192.0.2.1")]).toEqual([429, 200]);
  // It doesn't give the others more guesses.
  expect(await from("10.3.0.9", "wrong")).toBe(429);
  expect(await from("192.0.2.1", "wrong")).toBe(401);
  const known = (what: string) => query(`${what} WHERE subject ~ '^known:\\d+ 192'`);
  expect(await known("SELECT failures FROM sign_in_failure")).toEqual([{ failures: 1 }]);
  await known("UPDATE sign_in_failure SET failures = 15, last_at = now()");
  expect(await from("192.0.2.1")).toBe(429);

  const other = await read(userLink, ask("addUser", { cookie, body: { name: "Bob", role: "admin" } }));
  const admin = await byLink(other.link.split("#k=")[1]!);
  await ask("deleteUser", { cookie: cookieOf(admin), params: { id: String(id) } });
  expect(await query("SELECT subject FROM sign_in_failure WHERE subject ~ '^(known|account):'")).toEqual([]);
});

test("a browser from which the right password came isn't kept waiting by others, wherever it is; its own wrong guesses do that", async () => {
  const { email } = await withPassword();
  const held = (answer: Response) => answer.headers.getSetCookie().find((one) => one.startsWith("fieldwatch-known"))!;
  const first = held(await byPassword(email, PASSWORD, { address: "192.0.2.1" }));
  expect(first).toMatch(/^fieldwatch-known-3999=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=2592000$/);
  const browser = first.split(";")[0]!;
  const from = async (address: string, cookie: string, password = PASSWORD) =>
    (await byPassword(email, password, { address, cookie })).status;
  const busy = () =>
    query(`INSERT INTO sign_in_failure SELECT s, 20, now() FROM unnest(ARRAY['account:${email}', 'address:198.51.100.7']) s
      ON CONFLICT (subject) DO UPDATE SET failures = 20, last_at = now()`);
  await busy();
  // From a new address, and from that of whoever guesses.
  expect(await from("198.51.100.8", "other=1")).toBe(429);
  expect(await from("198.51.100.8", browser)).toBe(200);
  expect(await from("198.51.100.7", browser)).toBe(200);
  // What is no browser's of this account counts for nothing, and isn't taken over.
  await busy();
  const made = `fieldwatch-known-3999=${"x".repeat(43)}`;
  expect(await from("198.51.100.9", made)).toBe(429);
  await query("TRUNCATE sign_in_failure");
  expect(held(await byPassword(email, PASSWORD, { cookie: made }))).not.toContain("x".repeat(43));

  const [again] = held(await byPassword(email, PASSWORD)).split(";");
  let heard = 0;
  for (let second = 0; second < 200; second++) {
    const status = await from(`10.9.${second}.1`, again!, "wrong");
    if (status === 401) heard += 1;
    await query("UPDATE sign_in_failure SET last_at = last_at - interval '1 second'");
  }
  // 5 at once, then after 1, 2, 4 … 128 s, as for anybody.
  expect(heard).toBeLessThanOrEqual(13);
  expect(await from("10.8.0.1", again!)).toBe(429);
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
  const asked = vi.spyOn(rig.pool, "query");
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
