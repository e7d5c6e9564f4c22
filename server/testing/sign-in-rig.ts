import { beforeAll, beforeEach, expect, vi } from "vitest";
import { type Authenticator, createAuthenticator } from "@/server/access/authenticate";
import { makeLink } from "@/server/access/links";
import { credentialsIn } from "@/server/api/address";
import { sessionCookie } from "@/server/api/access/cookie";
import type { Api } from "@/server/api/runtime";
import type { VerbName } from "@/server/api/verbs";
import { me } from "@/server/contracts/access";
import { withTransaction } from "@/server/postgres/transaction";
import { createApiRig, JSON_TYPE, read } from "./api-rig";

const PORT = 3999;
const EMPTY = "TRUNCATE session, sign_in_link, sign_in_failure; DELETE FROM role_grant; DELETE FROM account";

/** The password that `withPassword` sets. */
export const PASSWORD = "correct horse battery";

interface Asking {
  readonly cookie?: string;
  readonly body?: object;
  readonly params?: Record<string, string>;
  readonly address?: string;
  readonly headers?: Record<string, string>;
}

/** The session's cookie of an answer, as a browser sends it back. */
export function cookieOf(answer: Response): string {
  return answer.headers.get("set-cookie")!.split(";")[0]!;
}

/** The API as people meet it, with nobody in it before each test. Call it once, at the top of a test file. */
export function createSignInRig() {
  // Passwords are expensive on purpose: on a busy machine a dozen of them take longer than other tests may.
  vi.setConfig({ testTimeout: 120_000 });
  const rig = createApiRig({ PORT: String(PORT) });
  const cookies = sessionCookie(PORT);
  let api: Api;
  let authenticator: Authenticator;
  beforeAll(() => {
    authenticator = createAuthenticator(rig.engines.pool, cookies.names);
    api = rig.compose({
      callerOf: (request) => authenticator.callerOf(credentialsIn(request)),
    });
  });
  beforeEach(async () => {
    await query(EMPTY);
    authenticator.forget("people");
  });

  const query = async <T extends object>(sql: string, values: unknown[] = []) =>
    (await rig.owner.query<T>(sql, values)).rows;

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

  async function owner(): Promise<{ cookie: string; id: number; link: string }> {
    const link = await linkTo(null);
    const answer = await byLink(link);
    expect(answer.status).toBe(200);
    const [row] = await query<{ id: number }>("SELECT id FROM account");
    return { cookie: cookieOf(answer), id: row!.id, link };
  }

  /** The owner, with a password set. */
  async function withPassword(email = "ada@example.com") {
    const { cookie, id, link } = await owner();
    await read(me, ask("setOwnPassword", { cookie, body: { email, password: PASSWORD } }));
    return { cookie, id, link, email };
  }

  return {
    get pool() {
      return rig.engines.pool;
    },
    /** As when another process says that people have changed. */
    forget: () => authenticator.forget("people"),
    cookieName: cookies.names.plain,
    port: PORT,
    ...{ query, ask, linkTo, byLink, byPassword, owner, withPassword },
  };
}
