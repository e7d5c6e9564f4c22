import { expect, test, vi } from "vitest";
import { me, sessionsAnswer, userLink } from "@/server/contracts/access";
import { read, refused } from "@/server/testing/api-rig";
import { cookieOf, createSignInRig, PASSWORD } from "@/server/testing/sign-in-rig";
import { until } from "@/server/testing/until";

vi.mock("node:crypto", async (original) =>
  (await import("@/server/testing/lighter-scrypt")).withLighterScrypt(await original()),
);

const rig = createSignInRig();
const { query, ask, linkTo, byLink, byPassword, owner, withPassword } = rig;

test("cookies: for scripts invisible, of https under a name that http can't set, and nothing of the request gets into them", async () => {
  const link = await linkTo(null);
  const plain = (await byLink(link)).headers.get("set-cookie")!;
  expect(plain).toMatch(new RegExp(`^fieldwatch-${rig.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Lax$`));
  const [{ id }] = (await query<{ id: number }>("SELECT id FROM account")) as [{ id: number }];
  const https = { "x-forwarded-proto": "https" };
  const secure = (await byLink(await linkTo(id), { headers: https })).headers.get("set-cookie")!;
  expect(secure).toMatch(/^__Host-fieldwatch=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  const cookie = secure.split(";")[0]!;
  expect((await ask("getMe", { cookie, headers: https })).status).toBe(200);
  const out = await ask("signOut", { cookie, body: {}, headers: https });
  expect(out.headers.get("set-cookie")).toBe("__Host-fieldwatch=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0");
  rig.forget();
  expect((await refused(ask("getMe", { cookie, headers: https }))).detail).toContain("The session has ended.");
});

test("a session ends when it isn't used for 12 hours, and after 14 days in any case", async () => {
  const { cookie } = await owner();
  const status = async () => {
    rig.forget();
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
    rig.forget();
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

test("a sign-in beside the disabling of its account gives none that lives on when it is enabled again", async () => {
  const { id } = await owner();
  const link = await linkTo(id);
  const disabling = await rig.pool.connect();
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
