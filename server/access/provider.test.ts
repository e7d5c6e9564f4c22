import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createProvider, type Provider, ProviderError } from "./provider";
import { newAttempt, nonceOf, stateOf } from "./provider-attempt";

const CALLBACK = "http://127.0.0.1:3000/api/v1/sign-in/oidc/callback";
const CLIENT = "fieldwatch";
const SECRET = "the client's secret, which the provider knows too";
const keys = await generateKeyPair("RS256");
const others = await generateKeyPair("RS256");
const ALG = { alg: "RS256", kid: "1" };
const nowS = () => Math.floor(Date.now() / 1000);

/** An issuer that answers whatever a test has it answer. */
let server: Server;
let issuer: string;
let idToken: (claims: JWTPayload) => Promise<string> | string;
let tokenAnswer: { status: number; body: object } | null;
let named: string;
let provider: Provider;

beforeAll(async () => {
  const jwk = { ...(await exportJWK(keys.publicKey)), ...ALG, use: "sig" };
  const answerTo = async (request: IncomingMessage, response: ServerResponse) => {
    const answer = (status: number, body: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const path = new URL(request.url!, issuer).pathname;
    if (path === "/.well-known/openid-configuration")
      return answer(200, {
        ...{ issuer: named, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token` },
        ...{ jwks_uri: `${issuer}/keys`, response_types_supported: ["code"], subject_types_supported: ["public"] },
        id_token_signing_alg_values_supported: ["RS256", "HS256", "none"],
        authorization_response_iss_parameter_supported: true,
      });
    if (path === "/keys") return answer(200, { keys: [jwk] });
    if (tokenAnswer !== null) return answer(tokenAnswer.status, tokenAnswer.body);
    const claims = {
      sub: "s-1",
      name: "Ada",
      groups: ["admins"],
      iss: issuer,
      aud: CLIENT,
      iat: nowS(),
      exp: nowS() + 60,
    };
    answer(200, { access_token: "a", token_type: "Bearer", id_token: await idToken(claims) });
  };
  server = createServer((request, response) => void answerTo(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  named = issuer;
  tokenAnswer = null;
  idToken = (claims) => signed(claims);
  provider = createProvider(
    {
      ...{ issuer, clientId: CLIENT, clientSecret: SECRET, scope: "openid", rolesClaim: "groups", name: "Test" },
      rules: [],
    },
    Date.now,
  );
});

const signed = (claims: JWTPayload, header: object = ALG, key: CryptoKey | Uint8Array = keys.privateKey) =>
  new SignJWT(claims).setProtectedHeader({ ...ALG, ...header }).sign(key);
const trouble = (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error: unknown) => (error instanceof ProviderError ? error.trouble : String(error)),
  );

/** Comes back from the provider as it should be, but for `change`. */
async function comeBack(change: Record<string, string | null> = {}, purpose: "in" | "prove" = "in") {
  const attempt = newAttempt(purpose, "/", Date.now());
  const back = new URL(CALLBACK);
  for (const [name, value] of Object.entries({ code: "c", state: stateOf(attempt), iss: issuer, ...change }))
    if (value !== null) back.searchParams.set(name, value);
  const told = idToken;
  idToken = (claims) => told({ nonce: nonceOf(attempt), ...claims });
  return provider.finish(attempt, back).finally(() => (idToken = told));
}

test("a token as it should be says who it is", async () => {
  const at = nowS() - 5;
  idToken = (claims) => signed({ ...claims, sid: "at-1", auth_time: at });
  expect(await comeBack()).toEqual({
    ...{ issuer, subject: "s-1", name: "Ada", groups: ["admins"], session: "at-1", provenAt: at * 1000 },
  });
});

test.each<[string, (claims: JWTPayload) => Promise<string> | string]>([
  ["another nonce", (claims) => signed({ ...claims, nonce: "x".repeat(43) })],
  ["no nonce", ({ nonce: _, ...claims }) => signed(claims)],
  ["another issuer", (claims) => signed({ ...claims, iss: "https://evil.example" })],
  ["another audience", (claims) => signed({ ...claims, aud: "somebody-else" })],
  ["several audiences, made for another", (claims) => signed({ ...claims, aud: [CLIENT, "x"], azp: "x" })],
  ["no signature", (claims) => new UnsecuredJWT(claims).encode()],
  ["a signature of our own secret", (claims) => signed(claims, { alg: "HS256" }, new TextEncoder().encode(SECRET))],
  ["another's signature", (claims) => signed(claims, ALG, others.privateKey)],
  [
    "a changed payload",
    async (claims) => {
      const [head, , mark] = (await signed(claims)).split(".");
      return `${head}.${Buffer.from(JSON.stringify({ ...claims, sub: "s-2" })).toString("base64url")}.${mark}`;
    },
  ],
  ["a past end", (claims) => signed({ ...claims, iat: nowS() - 600, exp: nowS() - 300 })],
  ["a start to come", (claims) => signed({ ...claims, nbf: nowS() + 300 })],
  ["no subject", ({ sub: _, ...claims }) => signed(claims)],
  ["a subject of control characters", (claims) => signed({ ...claims, sub: "a\0b" })],
])("a token with %s is not believed", async (_, make) => {
  idToken = make;
  expect(await trouble(comeBack())).toBe("not-believed");
});

test("another state, another issuer beside the code, or none where it must be, is not believed", async () => {
  for (const change of [
    { state: "x" },
    { state: null },
    { iss: "https://evil.example" },
    { iss: null },
    { code: null },
  ])
    expect([change, await trouble(comeBack(change))]).toEqual([change, "not-believed"]);
});

test("a proof of who one is must be of the last minutes", async () => {
  expect(await trouble(comeBack({}, "prove"))).toBe("not-believed");
  idToken = (claims) => signed({ ...claims, auth_time: nowS() - 1200 });
  expect(await trouble(comeBack({}, "prove"))).toBe("not-believed");
  idToken = (claims) => signed({ ...claims, auth_time: nowS() - 20 });
  expect(await trouble(comeBack({}, "prove"))).toBe("none");
});

test("what the provider refuses with has a word of its own, and what it says beyond that stays out", async () => {
  for (const [error, expected] of [
    ...([
      ["access_denied", "cancelled"],
      ["login_required", "cancelled"],
      ["server_error", "failed"],
    ] as const),
    ...([
      ["temporarily_unavailable", "away"],
      ["invalid_scope", "misconfigured"],
      ["<script>", "misconfigured"],
    ] as const),
  ])
    expect([error, await trouble(comeBack({ code: null, error, error_description: "click here" }))]).toEqual([
      error,
      expected,
    ]);
  tokenAnswer = { status: 400, body: { error: "invalid_grant" } };
  expect(await trouble(comeBack())).toBe("spent");
  tokenAnswer = { status: 401, body: { error: "invalid_client" } };
  expect(await trouble(comeBack())).toBe("misconfigured");
});

test("an issuer that calls itself otherwise, or doesn't answer, is away", async () => {
  named = "https://evil.example";
  expect(await trouble(comeBack())).toBe("away");
  expect((await provider.state()).why).toMatch(/issuer/);
});

const EVENT = { "http://schemas.openid.net/event/backchannel-logout": {} };
const notice = (change: Record<string, unknown> = {}): JWTPayload => ({
  ...{ iss: issuer, aud: CLIENT, iat: nowS(), exp: nowS() + 60, jti: "j-1", sub: "s-1", sid: "at-1", events: EVENT },
  ...change,
});

test("a notice of logout names whose session ends", async () => {
  const read = await provider.readLogout(await signed(notice(), { ...ALG, typ: "logout+jwt" }));
  expect(read).toMatchObject({ issuer, subject: "s-1", session: "at-1", id: "j-1" });
  expect(await provider.readLogout(await signed(notice({ sid: undefined })))).toMatchObject({ session: null });
});

test.each<[string, () => Promise<string> | string]>([
  ["another issuer", () => signed(notice({ iss: "https://evil.example" }))],
  ["another audience", () => signed(notice({ aud: "somebody-else" }))],
  ["no event", () => signed(notice({ events: {} }))],
  ["a nonce: an ID token", () => signed(notice({ nonce: "n" }))],
  ["nobody", () => signed(notice({ sub: undefined, sid: undefined }))],
  ["no name of its own", () => signed(notice({ jti: undefined }))],
  ["a past end", () => signed(notice({ exp: nowS() - 60 }))],
  ["a start long ago", () => signed(notice({ iat: nowS() - 600 }))],
  ["no signature", () => new UnsecuredJWT(notice()).encode()],
  ["a signature of our own secret", () => signed(notice(), { alg: "HS256" }, new TextEncoder().encode(SECRET))],
  ["another's signature", () => signed(notice(), ALG, others.privateKey)],
  ["no token", () => "x"],
])("a notice of logout with %s is not believed", async (_, make) => {
  expect(await trouble(provider.readLogout(await make()))).toBe("not-believed");
});
