import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Authenticator, createAuthenticator } from "@/server/access/authenticate";
import { me, signInSettings, usersAnswer, waysIn } from "@/server/contracts/access";
import { createApiRig, JSON_TYPE, read, refused } from "@/server/testing/api-rig";
import { createWanderer, type OidcPeer, startOidcPeer } from "@/server/testing/oidc-peer";
import type { Api } from "../runtime";
import type { VerbName } from "../verbs";
import { sessionCookie } from "./cookie";

const PORT = 3998;
const HERE = `http://127.0.0.1:${PORT}`;
const CALLBACK = `${HERE}/api/v1/sign-in/oidc/callback`;
const peer: OidcPeer = await startOidcPeer({
  redirect_uris: [CALLBACK],
  post_logout_redirect_uris: [`${HERE}/sign-in`],
});
const rig = createApiRig({
  PORT: String(PORT),
  OIDC_ISSUER: peer.issuer,
  OIDC_CLIENT_ID: peer.clientId,
  OIDC_CLIENT_SECRET: peer.clientSecret,
  OIDC_NAME: "Plant login",
  OIDC_ROLES: "admins=admin;watchers=viewer;a-ops=operator:plant-a;b-ops=operator:plant-b",
});
const cookies = sessionCookie(PORT);
let api: Api;
let authenticator: Authenticator;
beforeAll(() => {
  authenticator = createAuthenticator(rig.engines.pool, cookies.names);
  api = rig.compose({
    callerOf: (request) =>
      authenticator.callerOf({
        cookie: request.headers.get("cookie"),
        authorization: null,
        address: null,
        isHttps: false,
      }),
  });
});
afterAll(() => peer.stop());

const query = async <T extends object>(sql: string, values: unknown[] = []) =>
  (await rig.owner.query<T>(sql, values)).rows;
beforeEach(async () => {
  await query("TRUNCATE session, sign_in_failure, spent_token; DELETE FROM role_grant; DELETE FROM account");
  authenticator.forget("people");
  peer.people.clear();
});

function ask(verb: VerbName, address: string, { cookie = "", body }: { cookie?: string; body?: object } = {}) {
  const headers = { ...JSON_TYPE, host: `127.0.0.1:${PORT}`, "x-forwarded-for": "10.0.0.1", ...(cookie && { cookie }) };
  const how = body ? { method: "POST", body: JSON.stringify(body) } : {};
  return api.handle(verb, new Request(new URL(address, HERE), { ...how, headers }), {});
}

const setBy = (answer: Response) =>
  answer.headers
    .getSetCookie()
    .map((each) => each.split(";")[0]!)
    .filter((each) => !each.endsWith("="))
    .join("; ");
const whereTo = (answer: Response) => answer.headers.get("location")!;

/** Begins, goes to the provider and back. @returns the address the browser comes back to, and its cookies. */
async function goThere(to = "/", { prove = false, cookie = "", wanderer = createWanderer() } = {}) {
  const begun = await ask(
    "beginOidc",
    `/api/v1/sign-in/oidc?to=${encodeURIComponent(to)}${prove ? "&prove=true" : ""}`,
  );
  expect(begun.status).toBe(303);
  const back = await wanderer.follow(whereTo(begun), CALLBACK);
  return { back, cookie: [setBy(begun), cookie].filter(Boolean).join("; ") };
}

async function signInAs(subject: string, more: Parameters<typeof goThere>[1] & { to?: string } = {}) {
  peer.whoSignsIn = subject;
  const { back, cookie } = await goThere(more.to, more);
  const answer = await ask("finishOidc", back, { cookie });
  return { answer, cookie: setBy(answer), location: whereTo(answer) };
}

const whoIs = (cookie: string) => read(me, ask("getMe", "/", { cookie }));
const rowsOf = (verb: string) =>
  query<{ kind: string; outcome: string; detail: { trouble?: string } | null }>(
    `SELECT actor_kind AS kind, outcome, detail FROM audit_row WHERE verb = $1 ORDER BY id`,
    [verb],
  );

test("who signs in at the provider comes in with the roles of their groups, and goes where they were going", async () => {
  peer.people.set("s-1", { name: "Ada", email: "ada@example.com", groups: ["admins", "staff"] });
  const { answer, cookie, location } = await signInAs("s-1", { to: "/devices?state=live" });
  expect([answer.status, location]).toEqual([303, "/devices?state=live"]);
  expect(cookie).toMatch(new RegExp(`^fieldwatch-${PORT}=[\\w-]{43}$`));
  expect(await whoIs(cookie)).toMatchObject({
    ...{ kind: "user", name: "Ada", email: null, hasPassword: false, role: "admin" },
    provider: { groups: ["admins", "staff"], missingSites: [] },
  });
  const asked = peer.asked.at(-1)!;
  expect(asked.get("code_challenge_method")).toBe("S256");
  for (const name of ["state", "nonce", "code_challenge"]) expect(asked.get(name)).toMatch(/^[\w-]{43}$/);
  expect(asked.get("prompt")).toBeNull();
  expect((await rowsOf("signInByOidc")).at(-1)).toMatchObject({
    ...{ kind: "user", outcome: "done" },
    detail: { isNew: true, before: [], after: [{ role: "admin", siteId: null }] },
  });
});

test("the same person is one account, whatever else is said of them; two tabs at once make one too", async () => {
  peer.people.set("s-1", { name: "Ada", groups: ["watchers"] });
  peer.whoSignsIn = "s-1";
  const tabs = await Promise.all([goThere(), goThere()]);
  const answers = await Promise.all(tabs.map(({ back, cookie }) => ask("finishOidc", back, { cookie })));
  expect(answers.map(whereTo)).toEqual(["/", "/"]);
  peer.people.set("s-1", { name: "Ada Lovelace", groups: ["watchers"] });
  await signInAs("s-1");
  expect(await query("SELECT name FROM account")).toEqual([{ name: "Ada Lovelace" }]);
});

test("an e-mail address links no accounts: another subject with the same one is somebody new, without rights", async () => {
  const [{ id }] = (await query(
    "INSERT INTO account (name, email, password) VALUES ('Ada', 'ada@example.com', 'x') RETURNING id",
  )) as [{ id: number }];
  await query("INSERT INTO role_grant (account_id, role) VALUES ($1, 'admin')", [id]);
  peer.people.set("s-2", { name: "Ada", email: "ada@example.com", groups: ["staff"] });
  const found = await whoIs((await signInAs("s-2")).cookie);
  expect(found.accountId).not.toBe(id);
  expect(found).toMatchObject({ email: null, role: null, permissions: [], provider: { groups: ["staff"] } });
});

test("roles for one site count there, and a site that isn't known yet is named", async () => {
  await query("INSERT INTO site (name) VALUES ('plant-a') ON CONFLICT DO NOTHING");
  peer.people.set("s-1", { name: "Otto", groups: ["a-ops", "b-ops"] });
  const { cookie } = await signInAs("s-1");
  expect(await whoIs(cookie)).toMatchObject({ provider: { missingSites: ["plant-b"] } });
  expect(await query("SELECT g.role, s.name FROM role_grant g JOIN site s ON s.id = g.site_id")).toEqual([
    { role: "operator", name: "plant-a" },
  ]);
});

test("a role taken away at the provider is gone at the next sign-in, and ends the sessions of before", async () => {
  peer.people.set("s-1", { name: "Ada", groups: ["admins"] });
  const before = await signInAs("s-1");
  const same = await signInAs("s-1");
  authenticator.forget("people");
  expect((await ask("getMe", "/", { cookie: before.cookie })).status).toBe(200);
  peer.people.set("s-1", { name: "Ada", groups: ["watchers"] });
  const after = await signInAs("s-1");
  expect(await whoIs(after.cookie)).toMatchObject({ role: "viewer" });
  authenticator.forget("people");
  for (const { cookie } of [before, same]) expect((await ask("getMe", "/", { cookie })).status).toBe(401);
  peer.people.set("s-1", { name: "Ada" });
  expect(await whoIs((await signInAs("s-1")).cookie)).toMatchObject({ role: null });
});

test("what the provider says of somebody can't be changed here, but they can be kept out", async () => {
  peer.people.set("boss", { name: "Boss", groups: ["admins"] });
  peer.people.set("s-1", { name: "Otto", groups: ["watchers"] });
  const { cookie } = await signInAs("boss", { prove: false });
  const otto = await signInAs("s-1");
  await query("UPDATE session SET proven_at = now()");
  authenticator.forget("people");
  const { items } = await read(usersAnswer, ask("listUsers", "/", { cookie }));
  expect(items.map(({ name, fromProvider }) => [name, fromProvider])).toEqual([
    ["Boss", true],
    ["Otto", true],
  ]);
  const update = (body: object) => {
    const headers = { ...JSON_TYPE, cookie };
    const request = new Request(HERE, { method: "PATCH", body: JSON.stringify(body), headers });
    return api.handle("updateUser", request, { id: String(items[1]!.id) });
  };
  for (const body of [{ role: "admin" }, { name: "X" }, { email: "x@example.com" }])
    expect((await refused(update(body))).status).toBe(409);
  const own = { email: "o@example.com", password: "long enough, and more" };
  expect((await refused(ask("setOwnPassword", "/", { cookie: otto.cookie, body: own }))).status).toBe(409);
  expect((await update({ disabled: true })).status).toBe(200);
  const again = await signInAs("s-1");
  expect([again.location, again.cookie]).toEqual(["/sign-in?trouble=disabled", ""]);
});

test("who cancels there, or comes back without having gone, is told so, and it is recorded", async () => {
  peer.whoSignsIn = null;
  const { back, cookie } = await goThere("/jobs");
  expect(new URL(back).searchParams.get("error")).toBe("access_denied");
  const cancelled = await ask("finishOidc", back, { cookie });
  expect(whereTo(cancelled)).toBe("/sign-in?trouble=cancelled&to=%2Fjobs");
  expect(cancelled.headers.getSetCookie().some((each) => each.includes("Max-Age=0"))).toBe(true);
  const withoutCookie = await ask("finishOidc", back);
  expect(whereTo(withoutCookie)).toBe("/sign-in?trouble=not-begun");
  expect((await rowsOf("signInByOidc")).slice(-2)).toMatchObject([
    { kind: "nobody", outcome: "denied", detail: { trouble: "cancelled" } },
    { kind: "nobody", outcome: "denied", detail: { trouble: "not-begun" } },
  ]);
});

test("refused: another's state, a changed cookie, a cookie of long ago, and coming back twice", async () => {
  peer.people.set("s-1", { name: "Ada", groups: ["admins"] });
  peer.whoSignsIn = "s-1";
  const mine = await goThere();
  const other = await goThere();
  const refusedAs = async (back: string, cookie: string) => {
    const answer = await ask("finishOidc", back, { cookie });
    expect(setBy(answer)).toBe("");
    return new URL(whereTo(answer), HERE).searchParams.get("trouble");
  };
  expect(await refusedAs(mine.back, other.cookie)).toBe("not-begun");
  const [name, value] = mine.cookie.split("=") as [string, string];
  const [secret, begun, , to] = value.split(".") as [string, string, string, string];
  const old = (Number.parseInt(begun, 36) - 601_000).toString(36);
  const evil = Buffer.from("//evil.example/").toString("base64url");
  for (const changed of [
    `${secret}.${begun}.prove.${to}`,
    `${secret}.${old}.in.${to}`,
    `${secret}.${begun}.in.${evil}`,
    "x",
    "....",
  ])
    expect([changed, await refusedAs(mine.back, `${name}=${changed}`)]).toEqual([changed, "not-begun"]);
  expect((await ask("finishOidc", mine.back, { cookie: mine.cookie })).headers.get("location")).toBe("/");
  // The cookie is gone from the browser then; whoever has kept all of it gets nothing for it.
  expect(await refusedAs(mine.back, mine.cookie)).toBe("spent");
});

test("where to go afterwards is a path of this site, or refused", async () => {
  for (const to of ["//evil.example", "/\\evil.example", "https://evil.example/", "evil"])
    expect((await ask("beginOidc", `/api/v1/sign-in/oidc?to=${encodeURIComponent(to)}`)).status).toBe(400);
});

test("proving anew who one is: the provider asks again, and only the same person will do", async () => {
  peer.people.set("s-1", { name: "Ada", groups: ["admins"] });
  peer.people.set("s-2", { name: "Eve", groups: ["admins"] });
  const wanderer = createWanderer();
  const { cookie } = await signInAs("s-1", { wanderer });
  // The provider doesn't say when: that is no proof.
  const add = (by: string) => ask("addUser", "/", { cookie: by, body: { name: "Bob", role: "viewer" } });
  expect((await refused(add(cookie))).kind).toBe("step-up");
  const proven = await signInAs("s-1", { wanderer, prove: true, cookie });
  expect([peer.asked.at(-1)?.get("prompt"), proven.location]).toEqual(["login", "/"]);
  expect((await add(proven.cookie)).status).toBe(200);
  authenticator.forget("people");
  expect((await ask("getMe", "/", { cookie })).status).toBe(401);
  const other = await signInAs("s-2", { prove: true, cookie: proven.cookie });
  expect([other.location, other.cookie]).toEqual(["/sign-in?trouble=other-person", ""]);
});

test("signing out here leads to signing out there, for those who came from there", async () => {
  peer.people.set("s-1", { name: "Ada", groups: ["watchers"] });
  const { cookie } = await signInAs("s-1");
  const { next } = (await (await ask("signOut", "/", { cookie, body: {} })).json()) as { next: string };
  const url = new URL(next);
  expect(url.origin + url.pathname).toBe(`${peer.issuer}/session/end`);
  expect(url.searchParams.get("post_logout_redirect_uri")).toBe(`${HERE}/sign-in`);
  expect((await fetch(next)).status).toBe(200);
});

test("while the provider is away sessions live on, others are told, and the settings say why", async () => {
  peer.people.set("s-1", { name: "Ada", groups: ["admins"] });
  const { cookie } = await signInAs("s-1");
  expect(await read(waysIn, ask("listWaysIn", "/"))).toEqual({
    password: true,
    provider: { name: "Plant login", isAway: false },
  });
  expect(await read(signInSettings, ask("getSignInSettings", "/", { cookie }))).toMatchObject({
    passwordSignIn: true,
    provider: {
      ...{
        issuer: peer.issuer,
        clientId: "fieldwatch",
        hasSecret: true,
        asked: { why: null },
        signsOut: true,
        people: 1,
      },
      addresses: { callback: CALLBACK },
    },
  });
  await peer.stop();
  const later = rig.compose({
    callerOf: async () => authenticator.callerOf({ cookie, authorization: null, address: null, isHttps: false }),
  });
  try {
    const asked = (verb: VerbName, path = "/") => later.handle(verb, new Request(HERE + path), {});
    expect((await read(waysIn, asked("listWaysIn"))).provider).toEqual({ name: "Plant login", isAway: true });
    expect(whereTo(await asked("beginOidc", "/x?to=/jobs"))).toBe("/sign-in?trouble=away&to=%2Fjobs");
    expect((await read(me, asked("getMe"))).name).toBe("Ada");
    const { provider } = await read(signInSettings, asked("getSignInSettings"));
    expect(provider?.asked.why).toContain("fetch failed");
  } finally {
    await peer.start();
  }
});
