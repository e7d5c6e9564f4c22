import { z } from "zod";
import { countRefused } from "@/server/access/guessing";
import { endProviderSessions, letIn, spend } from "@/server/access/identities";
import type { Person, Provider } from "@/server/access/provider";
import { ProviderError } from "@/server/access/provider";
import { type Attempt, ATTEMPT_MS, newAttempt, readAttempt, writeAttempt } from "@/server/access/provider-attempt";
import type { Caller } from "@/server/domain/access";
import { SYSTEM } from "@/server/domain/access";
import { withTransaction } from "@/server/postgres/transaction";
import { text } from "@/server/contracts/common";
import { addressOf } from "../address";
import { parseFormBody } from "../form-body";
import { ProblemError } from "../problem";
import { elsewhere, NO_PARAMETERS, verb } from "../verb";
import type { Cookie } from "./cookie";
import { originOf } from "./origin";
import { record, refuse } from "./record";
import { beginRecorded, cookieBefore, type SignInDeps } from "./sign-in";

/** Where the provider sends people back to, and where it tells of logouts; it must know both. */
export const CALLBACK = "/api/v1/sign-in/oidc/callback";
export const LOGOUT_NOTICES = "/api/v1/sign-in/oidc/logout";
const BEGIN = "/api/v1/sign-in/oidc";

interface OidcDeps extends SignInDeps {
  /** The cookie of a browser on its way there and back. */
  readonly attemptCookie: Cookie;
  /** Who sends a request. */
  readonly callerOf: (request: Request) => Promise<Caller>;
}

/** A path of this site, as browsers read it; anything else leads to the overview. */
const path = text(2000)
  .regex(/^\/(?![/\\])/, "must be a path of this site")
  .default("/");

export const beginOidc = verb(
  {
    method: "GET",
    path: BEGIN,
    access: "public",
    summary: "Leads a browser to the identity provider, to sign in there",
    params: NO_PARAMETERS,
    query: z.object({
      to: path.describe("Where to go afterwards"),
      prove: z
        .literal("true")
        .optional()
        .describe("Has the provider ask anew who it is, for what takes a recent sign-in"),
    }),
    answer: elsewhere,
    status: 303,
    problems: ["not-found"],
  },
  ({ provider, publicUrl, attemptCookie }: OidcDeps) =>
    async ({ now }, { request, headers, query: { to, prove } }) => {
      const asked = required(provider);
      const here = originOf(request, undefined);
      const origin = originOf(request, publicUrl);
      // The cookie must be set where the provider will send the browser back to.
      if (here !== origin && new URL(here).host !== new URL(origin).host)
        return { location: `${origin}${BEGIN}?${new URLSearchParams({ to, ...(prove && { prove }) })}` };
      const attempt = newAttempt(prove ? "prove" : "in", to, now);
      try {
        const location = await asked.begin(attempt, origin + CALLBACK);
        headers.append("set-cookie", attemptCookie.set(request, writeAttempt(attempt)));
        return { location };
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        return { location: backWith(error, to) };
      }
    },
);

export const finishOidc = verb(
  {
    method: "GET",
    path: CALLBACK,
    access: "public",
    summary: "Takes back a browser from the identity provider, and signs it in",
    description: "Sets the session's cookie. What went wrong is told on the sign-in page.",
    params: NO_PARAMETERS,
    query: z.looseObject({ state: text(500).optional() }),
    answer: elsewhere,
    status: 303,
    problems: ["not-found"],
  },
  (deps: OidcDeps) =>
    async ({ now }, { request, headers, query: { state } }) => {
      const { pool, cookie, attemptCookie, publicUrl } = deps;
      const provider = required(deps.provider);
      headers.append("set-cookie", attemptCookie.set(request, null));
      const attempt = readAttempt(attemptCookie.read(request), state, now);
      try {
        if (attempt === null) throw new ProviderError("not-begun", "no sign-in of this browser is under way");
        const cameBackTo = new URL(originOf(request, publicUrl) + CALLBACK + new URL(request.url).search);
        const person = await provider.finish(attempt, cameBackTo);
        const session = await signIn(deps, provider, person, attempt, request);
        headers.append("set-cookie", cookie.set(request, session));
        return { location: attempt.to };
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        // Of refused ones not all are recorded.
        if (await countRefused(pool, addressOf(request)))
          await refuse(pool, "signInByOidc", null, request, { trouble: error.trouble, why: error.why });
        return { location: backWith(error, attempt?.to ?? "/") };
      }
    },
);

async function signIn(
  { pool, cookie, callerOf }: OidcDeps,
  provider: Provider,
  person: Person,
  attempt: Attempt,
  request: Request,
): Promise<string> {
  const before = attempt.purpose === "prove" ? await callerOf(request) : null;
  return withTransaction(pool, async (tx) => {
    if (!(await spend(tx, attempt.secret, ATTEMPT_MS)))
      throw new ProviderError("spent", "this sign-in was finished before");
    const { accountId, isNew, roles } = await letIn(tx, person, provider.settings.rules);
    if (before !== null && (before.kind !== "user" || before.accountId !== accountId))
      throw new ProviderError("other-person", `account ${accountId} came back to prove who another is`);
    const { issuer, session, provenAt } = person;
    const how = { provider: { issuer, session, provenAt }, instead: cookieBefore(cookie, request) };
    const detail = { ...(isNew && { isNew }), ...(roles ?? {}) };
    const made = await beginRecorded(tx, accountId, request, "signInByOidc", how, detail);
    if (made === null) throw new ProviderError("disabled", `account ${accountId} is disabled`);
    return made;
  });
}

const noticeBody = z.looseObject({ logout_token: z.string().min(1).max(20_000) });

export const backChannelLogout = verb(
  {
    method: "POST",
    path: LOGOUT_NOTICES,
    access: "public",
    summary: "Takes the identity provider's notice that somebody has signed out there",
    description: "OpenID Connect Back-Channel Logout. It must be signed by the provider, be new, and counts once.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: z.object({ ended: z.int().describe("Sessions that were ended") }),
    status: 200,
    problems: ["not-found", "not-believed", "unsupported-media-type", "unreadable-body", "body-too-large"],
    bodies: {
      "application/x-www-form-urlencoded": {
        type: "object",
        required: ["logout_token"],
        properties: { logout_token: { type: "string" } },
      },
    },
  },
  ({ pool, provider }: OidcDeps) =>
    async ({ now }, { request }) => {
      const asked = required(provider);
      const { logout_token: token } = await parseFormBody(noticeBody, request);
      try {
        const logout = await asked.readLogout(token);
        return await withTransaction(pool, async (tx) => {
          // Longer than it is taken for, so that it can't come again in between.
          if (!(await spend(tx, `${logout.issuer} ${logout.id}`, Math.max(logout.expiresAt - now, 0) + ATTEMPT_MS)))
            throw new ProviderError("spent", "the notice came before");
          const ended = await endProviderSessions(tx, logout);
          await record(tx, SYSTEM, "backChannelLogout", null, "done", request, { ended });
          return { ended };
        });
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        if (await countRefused(pool, addressOf(request)))
          await refuse(pool, "backChannelLogout", null, request, { trouble: error.trouble, why: error.why });
        throw new ProblemError("not-believed", `The notice of logout is not taken: ${error.why}.`);
      }
    },
);

function required(provider: Provider | null): Provider {
  if (provider === null) throw new ProblemError("not-found", "No identity provider is set here (OIDC_ISSUER).");
  return provider;
}

/** The sign-in page, which has words for it. */
function backWith({ trouble }: ProviderError, to: string): string {
  return `/sign-in?${new URLSearchParams({ trouble, ...(to !== "/" && { to }) })}`;
}
