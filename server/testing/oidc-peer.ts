import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import { freePort } from "@/e2e/product";
import Provider, { type ClientMetadata } from "oidc-provider";

/** What the identity provider knows of somebody. */
interface PeerPerson {
  readonly name: string;
  readonly email?: string;
  readonly groups?: readonly string[];
}

/** A real identity provider, `oidc-provider`, on a port of this machine. */
export interface OidcPeer {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Whom it knows, by subject. */
  readonly people: Map<string, PeerPerson>;
  /** Who sits at the browser and signs in when asked; null: they cancel. */
  whoSignsIn: string | null;
  /** Bodies of its notices of logout, newest last. */
  readonly notices: string[];
  /** Parameters of the requests for signing in, newest last. */
  readonly asked: URLSearchParams[];
  stop(): Promise<void>;
  /** Listens again after stop(), at the same address. */
  start(): Promise<void>;
}

/** @param client what it knows of Fieldwatch: where to send browsers back to, where to tell of logouts. */
export async function startOidcPeer(
  client: Partial<ClientMetadata> & Pick<ClientMetadata, "redirect_uris">,
): Promise<OidcPeer> {
  let server: Server | undefined;
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const peer: OidcPeer = {
    issuer,
    clientId: "fieldwatch",
    clientSecret: "a secret of the test's own",
    people: new Map(),
    whoSignsIn: null,
    notices: [],
    asked: [],
    async start() {
      server = createServer((request, response) => void answer(request, response));
      await new Promise<void>((resolve) => server!.listen(port, "127.0.0.1", resolve));
    },
    async stop() {
      const stopped = new Promise<void>((resolve) => void server?.close(() => resolve()));
      server?.closeAllConnections();
      await stopped;
    },
  };
  const provider = new Provider(issuer, {
    clients: [
      { client_id: peer.clientId, client_secret: peer.clientSecret, grant_types: ["authorization_code"], ...client },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: "RS256", use: "sig", kid: "1" }] },
    cookies: { keys: ["a key of the test's own"] },
    claims: { openid: ["sub", "sid"], profile: ["name", "email", "groups"] },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        // Nobody is asked whether they mean it.
        logoutSource: (ctx, form) => {
          ctx.body = `<!doctype html><title>Signing out</title>${form}<script>document.forms[0].submit()</script>`;
        },
      },
    },
    findAccount: (_, sub) => {
      const person = peer.people.get(sub);
      return person && { accountId: sub, claims: () => ({ sub, ...person }) };
    },
    // Nobody is asked for consent either.
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client!.clientId,
        accountId: ctx.oidc.session!.accountId!,
      });
      grant.addOIDCScope("openid profile");
      await grant.save();
      return grant;
    },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    // By itself it tells nothing to addresses of this machine.
    fetch: (url, options) => {
      const { dispatcher: _, ...rest } = (options ?? {}) as RequestInit & { dispatcher?: unknown };
      peer.notices.push(String(rest.body));
      return fetch(url, rest);
    },
    ttl: { Session: 3600, Interaction: 600, Grant: 3600, AccessToken: 600, IdToken: 600 },
  });
  const callback = provider.callback();
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", issuer);
    if (url.pathname === "/auth") peer.asked.push(url.searchParams);
    if (!url.pathname.startsWith("/interaction/")) return callback(request, response);
    const result =
      peer.whoSignsIn === null
        ? { error: "access_denied", error_description: "<b>no</b>" }
        : { login: { accountId: peer.whoSignsIn } };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }
  await peer.start();
  return peer;
}

/** A browser without a screen: keeps cookies by host and port, and goes where it is sent. */
export function createWanderer() {
  const jars = new Map<string, Map<string, string>>();
  return {
    /** Goes to `address` and on, up to the first address that begins with `until`, which isn't asked for. */
    async follow(address: string, until: string): Promise<string> {
      let at = address;
      for (let steps = 0; steps < 12; steps++) {
        if (at.startsWith(until)) return at;
        const { host } = new URL(at);
        const jar = jars.get(host) ?? new Map<string, string>();
        jars.set(host, jar);
        const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
        const answer = await fetch(at, { redirect: "manual", headers: cookie === "" ? {} : { cookie } });
        for (const set of answer.headers.getSetCookie()) {
          const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
          if (value === "") jar.delete(name);
          else jar.set(name, value);
        }
        const next = answer.headers.get("location");
        if (next === null)
          throw new Error(`${at} leads nowhere: ${answer.status} ${(await answer.text()).slice(0, 500)}`);
        at = new URL(next, at).href;
      }
      throw new Error(`never came to ${until}, but to ${at}`);
    },
    /** The cookies of a host, as a header. */
    cookie: (host: string) => [...(jars.get(host) ?? [])].map(([name, value]) => `${name}=${value}`).join("; "),
  };
}
