import type { Pool, PoolClient } from "pg";
import { z } from "zod";
import { beginGuess, countRefused, takeBackGuess } from "@/server/access/guessing";
import { takeLink } from "@/server/access/links";
import { isPassword } from "@/server/access/passwords";
import type { Provider } from "@/server/access/provider";
import { beginSession, endSessions, findSessions, issuerOfSession, type SignedIn } from "@/server/access/sessions";
import { isSecret } from "@/server/access/secrets";
import { linkBody, me, passwordBody, signedOut, waysIn } from "@/server/contracts/access";
import { withTransaction } from "@/server/postgres/transaction";
import { addressOf } from "../address";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb } from "../verb";
import type { Cookie } from "./cookie";
import { describeMe } from "./me";
import { originOf } from "./origin";
import { record, refuse } from "./record";

export interface SignInDeps {
  readonly pool: Pool;
  readonly cookie: Cookie;
  readonly knownCookie: Cookie;
  /** Whether passwords are taken. */
  readonly passwordSignIn: boolean;
  /** The identity provider; null without one. */
  readonly provider: Provider | null;
  /** The address people open, when it is settled. */
  readonly publicUrl: string | undefined;
}

const { $schema: _, ...LINK_SCHEMA } = z.toJSONSchema(linkBody, { io: "input" });
const { $schema: __, ...PASSWORD_SCHEMA } = z.toJSONSchema(passwordBody, { io: "input" });

export const listWaysIn = verb(
  {
    method: "GET",
    path: "/api/v1/sign-in",
    access: "public",
    summary: "How people can sign in",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: waysIn,
    status: 200,
    problems: [],
  },
  ({ passwordSignIn, provider }: Pick<SignInDeps, "passwordSignIn" | "provider">) =>
    async () => ({
      password: passwordSignIn,
      provider: provider && { name: provider.settings.name, isAway: (await provider.state()).why !== null },
    }),
);

export const signInByLink = verb(
  {
    method: "POST",
    path: "/api/v1/sign-in/link",
    access: "public",
    summary: "Signs in with a link that works once",
    description:
      "`npm start` prints the first one, which makes the owner's account; `npm run sign-in-link` makes more. Sets the session's cookie.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: me,
    status: 200,
    problems: ["not-signed-in", ...BODY_PROBLEMS],
    bodies: { "application/json": LINK_SCHEMA },
  },
  ({ pool, cookie }: SignInDeps) =>
    async (_ctx, { request, headers }) => {
      const { secret } = await parseJsonBody(linkBody, request);
      const session = await withTransaction(pool, async (tx) => {
        const accountId = await takeLink(tx, secret);
        const how = { instead: cookieBefore(cookie, request) };
        return accountId === null ? null : beginRecorded(tx, accountId, request, "signInByLink", how);
      });
      if (session === null) {
        // No link is kept waiting, nor keeps a password waiting; of wrong ones not all are recorded.
        if (await countRefused(pool, addressOf(request))) await refuse(pool, "signInByLink", null, request);
        throw new ProblemError(
          "not-signed-in",
          "This link is used, older than an hour, or not one of ours. `npm run sign-in-link` on the machine makes another.",
        );
      }
      headers.append("set-cookie", cookie.set(request, session));
      return described(pool, session);
    },
);

export const signIn = verb(
  {
    method: "POST",
    path: "/api/v1/sign-in",
    access: "public",
    summary: "Signs in with e-mail address and password",
    description:
      "Sets the session's cookie. After five wrong guesses each further one has to wait longer, up to 15 minutes; a sign-in link always works.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: me,
    status: 200,
    problems: ["not-signed-in", "not-allowed", "too-many-guesses", ...BODY_PROBLEMS],
    bodies: { "application/json": PASSWORD_SCHEMA },
  },
  ({ pool, cookie, knownCookie, passwordSignIn }: SignInDeps) =>
    async (_ctx, { request, headers }) => {
      if (!passwordSignIn)
        throw new ProblemError("not-allowed", "Passwords are not taken here (PASSWORD_SIGN_IN); a sign-in link is.");
      const { email, password } = await parseJsonBody(passwordBody, request);
      const guess = { email, address: addressOf(request), browser: knownCookie.read(request) };
      const wait = await beginGuess(pool, guess);
      if (wait > 0) {
        throw new ProblemError("too-many-guesses", `Try again in ${wait} s, or use a sign-in link.`, {
          headers: { "retry-after": String(wait) },
        });
      }
      const { rows } = await pool.query<{ id: number; password: string | null }>(
        `SELECT id, password FROM account WHERE email = $1 AND disabled_at IS NULL`,
        [email],
      );
      const account = rows[0] ?? null;
      const isRight = await isPassword(password, account?.password ?? null);
      const session =
        account !== null && isRight
          ? await withTransaction(pool, async (tx) => {
              const browser = await takeBackGuess(tx, guess);
              const how = { password: account.password, instead: cookieBefore(cookie, request) };
              const begun = await beginRecorded(tx, account.id, request, "signIn", how);
              return begun === null ? null : { secret: begun, browser };
            })
          : null;
      if (session === null) {
        await refuse(pool, "signIn", email, request);
        throw new ProblemError("not-signed-in", "E-mail address or password is wrong.");
      }
      headers.append("set-cookie", cookie.set(request, session.secret));
      headers.append("set-cookie", knownCookie.set(request, session.browser));
      return described(pool, session.secret);
    },
);

export const signOut = verb(
  {
    method: "POST",
    path: "/api/v1/sign-out",
    access: "signed-in",
    summary: "Ends this session",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: signedOut,
    status: 200,
    problems: [],
  },
  ({ pool, cookie, provider, publicUrl }: SignInDeps) =>
    async ({ caller }, { request, headers }) => {
      let next: string | null = null;
      if (caller.kind === "user") {
        if (provider !== null && (await issuerOfSession(pool, caller.sessionId)) === provider.settings.issuer)
          next = await provider.signOutAt(`${originOf(request, publicUrl)}/sign-in`);
        await withTransaction(pool, async (tx) => {
          await endSessions(tx, caller.accountId, caller.sessionId);
          await record(tx, caller, "signOut", null, "done", request);
        });
      }
      headers.append("set-cookie", cookie.set(request, null));
      return { next };
    },
);

/** What the browser was signed in by before: nobody can plant theirs, as a sign-in always begins another and ends this. */
export function cookieBefore(cookie: Cookie, request: Request): string | null {
  const secret = cookie.read(request);
  return secret !== null && isSecret(secret) ? secret : null;
}

/** Begins a session, and records who did. @returns null when the account may not come in any more. */
export async function beginRecorded(
  tx: PoolClient,
  accountId: number,
  request: Request,
  verbName: string,
  how: SignedIn,
  detail: object | null = null,
): Promise<string | null> {
  const origin = { address: addressOf(request), agent: request.headers.get("user-agent") };
  const secret = await beginSession(tx, accountId, origin, how);
  if (secret === null) return null;
  const [session] = await findSessions(tx, [secret]);
  await record(tx, session!.caller, verbName, null, "done", request, detail);
  return secret;
}

async function described(pool: Pool, secret: string) {
  const [session] = await findSessions(pool, [secret]);
  if (!session) throw new ProblemError("not-signed-in", "The session has ended.");
  return describeMe(pool, session.caller);
}
