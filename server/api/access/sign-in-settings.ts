import type { Pool } from "pg";
import type { Provider } from "@/server/access/provider";
import { signInSettings } from "@/server/contracts/access";
import { toInstant } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";
import { CALLBACK, LOGOUT_NOTICES } from "./oidc";
import { originOf } from "./origin";
import type { SignInDeps } from "./sign-in";

export const getSignInSettings = verb(
  {
    method: "GET",
    path: "/api/v1/sign-in/settings",
    access: "administer",
    summary: "How people sign in, and whether the identity provider answers",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: signInSettings,
    status: 200,
    problems: [],
  },
  ({ pool, provider, passwordSignIn, publicUrl }: SignInDeps) =>
    async (_ctx, { request }) => ({
      passwordSignIn,
      provider: provider && (await describe(pool, provider, originOf(request, publicUrl))),
    }),
);

async function describe(pool: Pool, { settings, state }: Provider, origin: string) {
  const { name, issuer, clientId, clientSecret, scope, rolesClaim, rules } = settings;
  const [{ at, why, signsOut }, sites, people] = await Promise.all([
    state(),
    pool.query<{ name: string }>(
      `SELECT n.name FROM unnest($1::text[]) AS n (name) JOIN site s ON s.name = site_now(n.name)`,
      [rules.flatMap(({ site }) => site ?? [])],
    ),
    pool.query<{ count: number }>(`SELECT count(*)::integer AS count FROM provider_identity WHERE issuer = $1`, [
      issuer,
    ]),
  ]);
  const known = new Set(sites.rows.map((site) => site.name));
  return {
    ...{ name, issuer, clientId, hasSecret: clientSecret !== null, scope, rolesClaim, signsOut },
    rules: rules.map((rule) => ({ ...rule, isThere: rule.site === null || known.has(rule.site) })),
    addresses: { callback: origin + CALLBACK, logout: origin + LOGOUT_NOTICES, signedOut: `${origin}/sign-in` },
    asked: { at: toInstant(at), why },
    people: people.rows[0]!.count,
  };
}
