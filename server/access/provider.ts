import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from "jose";
import * as oidc from "openid-client";
import { keptFor } from "@/server/async/kept-for";
import type { ProviderTrouble } from "@/server/contracts/provider-troubles";
import { groupsIn, type RoleRule } from "@/server/domain/provider-roles";
import type { EpochMs } from "@/server/domain/terms";
import { type Attempt, nonceOf, stateOf, verifierOf } from "./provider-attempt";

/** What is known here of the identity provider. */
export interface ProviderSettings {
  /** As it names itself. */
  readonly issuer: string;
  readonly clientId: string;
  /** Null: a public client. */
  readonly clientSecret: string | null;
  readonly scope: string;
  readonly rolesClaim: string;
  readonly rules: readonly RoleRule[];
  /** What people call it. */
  readonly name: string;
}

/** What the provider says of somebody who has just signed in there. */
export interface Person {
  readonly issuer: string;
  /** Its own name for them, which stays the same; with the issuer the only thing that says who they are. */
  readonly subject: string;
  readonly name: string;
  readonly groups: readonly string[];
  /** Its own session, if it says so. */
  readonly session: string | null;
  /** When they last proved to the provider who they are; null when it doesn't say. */
  readonly provenAt: EpochMs | null;
}

/** A notice that somebody has signed out at the provider: one session of theirs, or with null all. */
export interface Logout {
  readonly issuer: string;
  readonly subject: string | null;
  readonly session: string | null;
  /** The notice's own name: it counts once. */
  readonly id: string;
  readonly expiresAt: EpochMs;
}

/** What asking the provider for its description last brought. */
interface ProviderState {
  readonly at: EpochMs;
  /** Why it could not be had; null when it could. */
  readonly why: string | null;
  readonly signsOut: boolean;
}

/** The identity provider, asked by OpenID Connect: code with PKCE, state and nonce. */
export interface Provider {
  readonly settings: ProviderSettings;
  /** Where to send a browser to sign in. @throws ProviderError */
  begin(attempt: Attempt, comeBackTo: string): Promise<string>;
  /** Who came back, by the address they came back to. @throws ProviderError */
  finish(attempt: Attempt, cameBackTo: URL): Promise<Person>;
  /** Where to send a browser to sign out of the provider too; null when it has no such place or doesn't answer. */
  signOutAt(comeBackTo: string): Promise<string | null>;
  /** Reads a notice of logout. @throws ProviderError when it isn't the provider's own, for us, and new. */
  readLogout(token: string): Promise<Logout>;
  /** What asking it last brought, at most some seconds ago. */
  state(): Promise<ProviderState>;
}

/** Signing in at the provider failed. `why` says the particulars, for the record: nothing of a secret is in it. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  constructor(
    readonly trouble: ProviderTrouble,
    readonly why: string,
  ) {
    super(`${trouble}: ${why}`);
  }
}

/** One request to the provider may take so long. */
const PATIENCE_S = 5;
/** So long its description is used, or that there is none, before it is asked again. */
const KEPT_MS = 10_000;
/** Who proves anew who they are must have done so within the time a sign-in may take. */
const PROVEN_WITHIN_S = 600;
/** A notice of logout is taken for so long after it was made. */
const NOTICE_S = 120;
const LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout";
/** Signatures that need the provider's private key; never `none`, never one that our own secret could make. */
const SIGNATURES = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const MOST_GROUPS = 200;

interface Description {
  readonly configuration: oidc.Configuration;
  readonly keys: ReturnType<typeof createRemoteJWKSet> | null;
}

type Asked = { readonly at: EpochMs; readonly found: Description } | { readonly at: EpochMs; readonly why: string };

export function createProvider(settings: ProviderSettings, now: () => EpochMs): Provider {
  const { issuer, clientId, rolesClaim } = settings;
  const ask = keptFor<Asked>(KEPT_MS, now, async () => {
    try {
      return { at: now(), found: await describe(settings) };
    } catch (error) {
      return { at: now(), why: wordsOf(error) };
    }
  });
  const description = async (): Promise<Description> => {
    const asked = await ask();
    if ("why" in asked) throw new ProviderError("away", asked.why);
    return asked.found;
  };

  /** What the token says; what it leaves out, as many providers do, is asked for. */
  async function saidOf(configuration: oidc.Configuration, tokens: Tokens): Promise<oidc.IDToken> {
    const claims = tokens.claims()!;
    const isWhole = claims.name !== undefined && groupsIn(claims, rolesClaim) !== null;
    if (isWhole || configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
    return { ...(await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub)), ...claims };
  }

  return {
    settings,
    async begin(attempt, comeBackTo) {
      const { configuration } = await description();
      return oidc.buildAuthorizationUrl(configuration, {
        redirect_uri: comeBackTo,
        scope: ["openid", ...settings.scope.split(/\s+/).filter((each) => each !== "openid")].join(" "),
        state: stateOf(attempt),
        nonce: nonceOf(attempt),
        code_challenge: await oidc.calculatePKCECodeChallenge(verifierOf(attempt)),
        code_challenge_method: "S256",
        ...(attempt.purpose === "prove" && { prompt: "login", max_age: "0" }),
      }).href;
    },
    async finish(attempt, cameBackTo) {
      const { configuration } = await description();
      try {
        const tokens = await oidc.authorizationCodeGrant(configuration, cameBackTo, {
          expectedState: stateOf(attempt),
          expectedNonce: nonceOf(attempt),
          pkceCodeVerifier: verifierOf(attempt),
          idTokenExpected: true,
          ...(attempt.purpose === "prove" && { maxAge: PROVEN_WITHIN_S }),
        });
        const claims = await saidOf(configuration, tokens);
        return personOf(issuer, claims, groupsIn(claims, rolesClaim) ?? []);
      } catch (error) {
        throw new ProviderError(troubleOf(error), wordsOf(error));
      }
    },
    async signOutAt(comeBackTo) {
      const asked = await ask();
      if ("why" in asked || asked.found.configuration.serverMetadata().end_session_endpoint === undefined) return null;
      return oidc.buildEndSessionUrl(asked.found.configuration, { post_logout_redirect_uri: comeBackTo }).href;
    },
    async readLogout(token) {
      const { keys } = await description();
      if (keys === null) throw new ProviderError("misconfigured", "the provider names no keys");
      try {
        const checks = {
          issuer,
          audience: clientId,
          algorithms: SIGNATURES,
          clockTolerance: 30,
          maxTokenAge: NOTICE_S,
        };
        const { payload } = await jwtVerify(token, keys, { ...checks, requiredClaims: ["jti", "iat", "events"] });
        return logoutOf(issuer, payload);
      } catch (error) {
        throw error instanceof ProviderError ? error : new ProviderError(troubleOf(error), wordsOf(error));
      }
    },
    async state() {
      const asked = await ask();
      if ("why" in asked) return { at: asked.at, why: asked.why, signsOut: false };
      const { end_session_endpoint: end } = asked.found.configuration.serverMetadata();
      return { at: asked.at, why: null, signsOut: end !== undefined };
    },
  };
}

type Tokens = Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>;

/** Asks the provider for its description, which must be of the very issuer that is trusted. */
async function describe({ issuer, clientId, clientSecret }: ProviderSettings): Promise<Description> {
  const plain = new URL(issuer).protocol === "http:";
  const configuration = await oidc.discovery(new URL(issuer), clientId, {}, authentication(clientSecret), {
    timeout: PATIENCE_S,
    execute: [oidc.enableNonRepudiationChecks, ...(plain ? [oidc.allowInsecureRequests] : [])],
  });
  const { jwks_uri: keys } = configuration.serverMetadata();
  const patience = { timeoutDuration: PATIENCE_S * 1000 };
  return { configuration, keys: keys === undefined ? null : createRemoteJWKSet(new URL(keys), patience) };
}

/** Shows the secret in the header, which is the standard's way, unless the provider only takes it in the body. */
function authentication(secret: string | null): oidc.ClientAuth {
  if (secret === null) return oidc.None();
  const [basic, post] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)];
  return (server, ...rest) => {
    const taken = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
    return (taken.includes("client_secret_basic") ? basic : post)(server, ...rest);
  };
}

function personOf(issuer: string, claims: oidc.IDToken, groups: readonly string[]): Person {
  const { sub, sid, auth_time: provenAt } = claims;
  if (!/^[^\p{Cc}]{1,255}$/u.test(sub)) throw new ProviderError("not-believed", "the subject is no name");
  const named = [claims.name, claims.preferred_username, claims.email, sub];
  const name = named
    .map((each) => (typeof each === "string" ? plain(each, 100).trim() : ""))
    .find((each) => each !== "");
  return {
    issuer,
    subject: sub,
    name: name ?? sub,
    groups: [...new Set(groups)].slice(0, MOST_GROUPS).map((each) => plain(each, 200)),
    session: typeof sid === "string" ? plain(sid, 255) : null,
    provenAt: typeof provenAt === "number" ? provenAt * 1000 : null,
  };
}

/** What the standard asks of a notice beyond its signature. https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation */
function logoutOf(issuer: string, { sub, sid, jti, iat, exp, events, nonce }: JWTPayload): Logout {
  const isNotice = typeof events === "object" && events !== null && Object.hasOwn(events, LOGOUT_EVENT);
  if (!isNotice || nonce !== undefined) throw new ProviderError("not-believed", "it is no notice of logout");
  if (sub === undefined && typeof sid !== "string") throw new ProviderError("not-believed", "it names nobody");
  return {
    issuer,
    subject: sub === undefined ? null : plain(sub, 255),
    session: typeof sid === "string" ? plain(sid, 255) : null,
    id: jti!,
    expiresAt: (exp ?? iat! + NOTICE_S) * 1000,
  };
}

/** Names of others on one line, and not longer than is of use. */
function plain(text: string, most: number): string {
  return text.replace(/\p{Cc}/gu, " ").slice(0, most);
}

/** The provider's words for why it sends somebody back, https://openid.net/specs/openid-connect-core-1_0.html#AuthError. */
const REFUSALS: Readonly<Record<string, ProviderTrouble>> = {
  access_denied: "cancelled",
  login_required: "cancelled",
  interaction_required: "cancelled",
  consent_required: "cancelled",
  account_selection_required: "cancelled",
  server_error: "failed",
  temporarily_unavailable: "away",
  // Of the code, when it is to be exchanged.
  invalid_grant: "spent",
};

function troubleOf(error: unknown): ProviderTrouble {
  if (error instanceof ProviderError) return error.trouble;
  if (error instanceof oidc.AuthorizationResponseError || error instanceof oidc.ResponseBodyError)
    return Object.hasOwn(REFUSALS, error.error) ? REFUSALS[error.error]! : "misconfigured";
  if (error instanceof errors.JWKSTimeout) return "away";
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  if (code === "OAUTH_TIMEOUT") return "away";
  // What fetch throws when nobody answers.
  if (error instanceof TypeError && cause?.code !== undefined) return "away";
  return "not-believed";
}

/** What went wrong and, below that, why; one line. */
function wordsOf(error: unknown): string {
  const words: string[] = [];
  for (let at = error; at instanceof Error && words.length < 3; at = at.cause) {
    const { message, code, error: named } = at as Error & { code?: unknown; error?: unknown };
    words.push([message, code, named].filter((each) => typeof each === "string" && each !== "").join(" "));
  }
  return plain(words.join(": ") || String(error), 300);
}
