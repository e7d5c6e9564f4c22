import type { Pool, PoolClient } from "pg";
import { z } from "zod";
import { addDeed, type Deed } from "@/server/access/audit/deeds";
import { Personal } from "@/server/access/audit/personal";
import { beginGuess, takeBackGuess } from "@/server/access/guessing";
import { takeLink } from "@/server/access/links";
import { isPassword } from "@/server/access/passwords";
import { beginSession, endSessions, findSessions } from "@/server/access/sessions";
import { linkBody, me, passwordBody } from "@/server/contracts/access";
import { type Caller, NOBODY } from "@/server/domain/access";
import { withTransaction } from "@/server/postgres/transaction";
import { addressOf } from "../address";
import { parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb } from "../verb";
import type { SessionCookie } from "./cookie";
import { describeMe } from "./me";

interface Deps {
  readonly pool: Pool;
  readonly cookie: SessionCookie;
}

const { $schema: _, ...LINK_SCHEMA } = z.toJSONSchema(linkBody, { io: "input" });
const { $schema: __, ...PASSWORD_SCHEMA } = z.toJSONSchema(passwordBody, { io: "input" });

const BODY_PROBLEMS = ["unsupported-media-type", "unreadable-body", "body-too-large"] as const;

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
  ({ pool, cookie }: Deps) =>
    async (_ctx, { request, headers }) => {
      const { secret } = await parseJsonBody(linkBody, request);
      const session = await withTransaction(pool, async (tx) => {
        const accountId = await takeLink(tx, secret);
        return accountId === null ? null : begin(tx, accountId, request, "signInByLink");
      });
      if (session === null) {
        // The right link is never kept waiting; of wrong ones no more are recorded than passwords may be guessed.
        if ((await beginGuess(pool, { email: null, address: addressOf(request) })) === 0)
          await refuse(pool, "signInByLink", null, request);
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
    problems: ["not-signed-in", "too-many-guesses", ...BODY_PROBLEMS],
    bodies: { "application/json": PASSWORD_SCHEMA },
  },
  ({ pool, cookie }: Deps) =>
    async (_ctx, { request, headers }) => {
      const { email, password } = await parseJsonBody(passwordBody, request);
      const guess = { email, address: addressOf(request) };
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
              await takeBackGuess(tx, guess);
              return begin(tx, account.id, request, "signIn", account.password);
            })
          : null;
      if (session === null) {
        await refuse(pool, "signIn", email, request);
        throw new ProblemError("not-signed-in", "E-mail address or password is wrong.");
      }
      headers.append("set-cookie", cookie.set(request, session));
      return described(pool, session);
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
    answer: z.object({}),
    status: 200,
    problems: [],
  },
  ({ pool, cookie }: Deps) =>
    async ({ caller }, { request, headers }) => {
      if (caller.kind === "user") {
        await withTransaction(pool, async (tx) => {
          await endSessions(tx, caller.accountId, caller.sessionId);
          await record(tx, caller, "signOut", null, "done", request);
        });
      }
      headers.append("set-cookie", cookie.set(request, null));
      return {};
    },
);

/**
 * Begins a session, and records who did. A browser that was signed in before gets a new one: nobody can plant theirs.
 * @returns null when the account may not come in any more.
 */
async function begin(
  tx: PoolClient,
  accountId: number,
  request: Request,
  verbName: string,
  password?: string | null,
): Promise<string | null> {
  const origin = { address: addressOf(request), agent: request.headers.get("user-agent") };
  const secret = await beginSession(tx, accountId, origin, password);
  if (secret === null) return null;
  const [session] = await findSessions(tx, [secret]);
  await record(tx, session!.caller, verbName, null, "done", request);
  return secret;
}

async function described(pool: Pool, secret: string) {
  const [session] = await findSessions(pool, [secret]);
  if (!session) throw new ProblemError("not-signed-in", "The session has ended.");
  return describeMe(pool, session.caller);
}

/** @param email what was typed; whose it is, is found out when theirs is to be erased. */
function refuse(pool: Pool, verbName: string, email: string | null, request: Request): Promise<void> {
  return record(pool, NOBODY, verbName, email === null ? null : new Personal(email, null), "denied", request);
}

async function record(
  tx: Pool | PoolClient,
  caller: Caller,
  verbName: string,
  target: Deed["target"],
  outcome: "done" | "denied",
  request: Request,
): Promise<void> {
  await addDeed(tx, caller, { verb: verbName, target, outcome, address: addressOf(request), detail: null });
}
