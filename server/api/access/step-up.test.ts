import { beforeAll, expect, test } from "vitest";
import { createAuthenticator } from "@/server/access/authenticate";
import { makeLink } from "@/server/access/links";
import type { Caller } from "@/server/domain/access";
import { withTransaction } from "@/server/postgres/transaction";
import { createApiRig, JSON_TYPE, refused } from "@/server/testing/api-rig";
import type { Api } from "../runtime";
import { type VerbName, VERBS } from "../verbs";
import { sessionCookie } from "./cookie";

const PORT = 3997;
const PASSWORD = "correct horse battery";
const rig = createApiRig({ PORT: String(PORT) });
const query = (sql: string) => rig.owner.query(sql);

test("what outlives a session, or removes for good, takes people who have proven within ten minutes who they are; keys can't prove it", async () => {
  const found = Object.entries(VERBS).flatMap(([name, { operation }]) => (operation.stepUp ? [name as VerbName] : []));
  expect(found.sort()).toEqual([
    ...[
      "addChannel",
      "addUser",
      "allowErased",
      "deleteChannel",
      "deleteDevice",
      "deleteMetric",
      "deleteSource",
      "deleteUser",
      "erasePerson",
      "makeAccessKey",
      "makeSourceKey",
      "makeUserLink",
      "mergeMetrics",
      "removeRetention",
      "removeRetentionRule",
      "renameMetric",
      "revokeAccessKey",
      "rotateAccessKey",
      "setOwnPassword",
      "setRetention",
      "setRetentionRule",
      "updateChannel",
      "updateUser",
    ],
  ]);
  const grants = [{ role: "admin", siteId: null }] as const;
  const person = (minutesAgo: number): Caller => ({
    ...{ kind: "user", accountId: 1, name: "Ada", sessionId: "00000000-0000-4000-8000-000000000000", grants },
    provenAt: Date.now() - minutesAgo * 60_000,
  });
  const key: Caller = { kind: "key", keyId: "k", name: "scripts", of: "service", siteId: null, device: null, grants };
  for (const name of found) {
    const kind = async (caller: Caller) => {
      const { method } = VERBS[name].operation;
      const request = new Request("http://here/api?no-parameter=1", { method, body: "{", headers: JSON_TYPE });
      return (await refused(rig.compose({ caller }).handle(name, request, {}))).kind;
    };
    expect([name, await kind(person(10))]).toEqual([name, "step-up"]);
    expect([name, await kind(person(9.9))]).toEqual([name, "invalid-parameters"]);
    expect([name, await kind(key)]).toEqual([name, "invalid-parameters"]);
  }
  const { rows } = await query("SELECT DISTINCT verb, outcome FROM audit_row WHERE actor_kind = 'user' ORDER BY verb");
  expect(rows).toEqual(found.map((verb) => ({ verb, outcome: "denied" })));
}, 120_000);

let api: Api;
beforeAll(() => {
  const authenticator = createAuthenticator(rig.engines.pool, sessionCookie(PORT).names);
  api = rig.compose({
    callerOf: (request) => {
      authenticator.forget("people");
      const cookie = request.headers.get("cookie");
      return authenticator.callerOf({ cookie, authorization: null, address: null, isHttps: false });
    },
  });
});

const ask = (verb: VerbName, cookie: string, body: object) =>
  api.handle(
    verb,
    new Request("http://here/api", { method: "POST", body: JSON.stringify(body), headers: { ...JSON_TYPE, cookie } }),
    {},
  );
const cookieOf = (answer: Response) => answer.headers.get("set-cookie")!.split(";")[0]!;

test("signing in again proves it, by link or password, in a session that takes the place of the one before", async () => {
  const link = async () => {
    const { rows } = await query("SELECT id FROM account");
    return withTransaction(rig.engines.pool, (tx) => makeLink(tx, (rows[0] as { id: number } | undefined)?.id ?? null));
  };
  const first = cookieOf(await ask("signInByLink", "", { secret: await link() }));
  const own = { email: "ada@example.com", password: PASSWORD };
  const later = () => query("UPDATE session SET proven_at = now() - interval '10 minutes'");
  await later();
  expect((await refused(ask("setOwnPassword", first, own))).kind).toBe("step-up");
  const second = cookieOf(await ask("signInByLink", first, { secret: await link() }));
  expect((await ask("setOwnPassword", second, own)).status).toBe(200);
  await later();
  expect((await refused(ask("setOwnPassword", second, own))).kind).toBe("step-up");
  const third = cookieOf(await ask("signIn", second, own));
  expect((await ask("setOwnPassword", third, own)).status).toBe(200);
  for (const before of [first, second]) expect((await refused(ask("setOwnPassword", before, own))).status).toBe(401);
  expect((await query("SELECT 1 FROM session")).rowCount).toBe(1);
});
