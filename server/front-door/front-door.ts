import type { IncomingMessage } from "node:http";
import { safeName } from "@/server/domain/fix";
import { createForwarding, type Sender } from "./forwarding";
import { createHosts, type Place } from "./hosts";
import type { Refusal } from "./refusal";
import { createSeldom } from "./seldom";

/** The settings and callbacks the front door depends on. */
export interface FrontDoorDeps {
  readonly place: Place & {
    /** Addresses of proxies whose forwarding headers are true. */ readonly TRUSTED_PROXIES: readonly string[];
  };
  /** Called about refused hosts and origins, once a minute for each. */
  readonly onRefused: (refusal: Refusal) => void;
  readonly now: () => number;
}

/** A request at the front door: its sender, and why it isn't let in (null if it is). */
interface Visit extends Sender {
  readonly refusal: Refusal | null;
}

export interface FrontDoor {
  /** Judges a request, and removes headers that its sender may not set. Must be called once for each, before anything reads it. */
  visit(request: IncomingMessage, wants: "answer" | "socket"): Visit;
  isTrusted(address: string): boolean;
}

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
const KNOWN = new Set([...SAFE, "POST", "PUT", "PATCH", "DELETE"]);
/** Pages are read, and nothing else: Next would look for a server action, and write of its absence. */
const READING = new Set(["GET", "HEAD"]);
/** What tells nothing of anybody: pages of other sites may ask for it. */
const FOR_ALL = /^\/api\/(livez|readyz|openapi\.json)(\?|$)/;
/** The ways to the identity provider and back: other sites may lead a browser there, whole, not in a frame or as a picture. */
const SIGN_IN = /^\/api\/v1\/sign-in\/oidc(\/callback)?(\?|$)/;
/** Values by which a browser marks a request that a page of this server, or the person at it, made. */
const OWN_SITES = new Set(["same-origin", "none"]);

/**
 * Lets in requests that are meant for this server: by one of its own names and, where they could change something, make an answer of the
 * API or open a socket, from no page of another origin. An address is never a reason to trust: a proxy on this machine makes every visitor a local one.
 */
export function createFrontDoor({ place, onRefused, now }: FrontDoorDeps): FrontDoor {
  const forwarding = createForwarding(place.TRUSTED_PROXIES);
  const hosts = createHosts(place);
  const mayTell = createSeldom(now);

  function judge(request: IncomingMessage, isSocket: boolean, isHttps: boolean): Refusal | null {
    const { method = "", url = "", headers } = request;
    const { host = "", origin } = headers;
    if (countOf(request, "host") > 1)
      return { kind: "unreadable-address", detail: "There is more than one Host header." };
    if (!hosts.isOwn(host)) return foreignHost(host, place);
    if (!url.startsWith("/"))
      return { kind: "unreadable-address", detail: "The address is not one that this server reads." };
    if (!isSocket && /^\/socket\.io(\/|\?|$)/.test(url))
      // Only WebSockets bring a key: what took Upgrade off lies between.
      return headers["sec-websocket-key"] !== undefined
        ? NO_UPGRADE
        : { kind: "unreadable-address", detail: "Here is a WebSocket, and nothing else." };
    const taken = isPage(url) ? READING : KNOWN;
    if (!taken.has(method)) {
      const detail = `${method.slice(0, 20)} is not taken here.`;
      return { kind: "method-not-allowed", detail, headers: { allow: [...taken].join(", ") } };
    }
    // Cookies are nothing there, and a key is no page's to show: whoever knows it may send from anywhere.
    if (isSourceDoor(url) && !isSocket) return null;
    const isReading = SAFE.has(method) && !isSocket;
    if (isReading && (isPage(url) || FOR_ALL.test(url))) return null;
    if (method === "GET" && headers["sec-fetch-dest"] === "document" && SIGN_IN.test(url)) return null;
    const site = headers["sec-fetch-site"];
    const isByCookie = headers.cookie !== undefined && headers.authorization === undefined;
    // Over plain HTTP on a network browsers don't say whose page asks: our pages are known by Origin or Referer, which they are told to send.
    if (isReading && isByCookie && site === undefined && !SIGN_IN.test(url)) {
      const page = origin ?? headers.referer;
      if (page === undefined || !hosts.isOwnOrigin(originIn(page), host, isHttps))
        return {
          kind: "foreign-origin",
          detail: "There is a cookie, and nothing that says that a page of ours asks.",
          fix: "Open it from its page in Fieldwatch. Programs show a key, as `Authorization: Bearer …`.",
        };
    }
    if (!isReading && origin === undefined && isByCookie)
      return {
        kind: "foreign-origin",
        detail: "There is a cookie, and no Origin that says whose page sent this.",
        fix: "Browsers send Origin by themselves. Programs show a key, as `Authorization: Bearer …`.",
      };
    if (!isReading && origin !== undefined && !hosts.isOwnOrigin(origin, host, isHttps))
      return foreignOrigin(origin, host);
    if (site !== undefined && !OWN_SITES.has(String(site)))
      return { kind: "foreign-origin", detail: "The browser says that a page of another site sent this." };
    return null;
  }

  return {
    visit(request, wants) {
      const sender = forwarding.settle(request);
      const refusal = judge(request, wants === "socket", sender.isHttps);
      const { host, origin } = request.headers;
      if (refusal?.kind === "foreign-host" && mayTell(`host ${host}`)) onRefused(refusal);
      if (refusal === NO_UPGRADE && mayTell("no upgrade")) onRefused(refusal);
      if (refusal?.kind === "foreign-origin" && mayTell(`origin ${origin} ${host}`)) onRefused(refusal);
      return { ...sender, isHttps: sender.isHttps || place.PUBLIC_URL?.startsWith("https:") === true, refusal };
    },
    isTrusted: forwarding.isTrusted,
  };
}

const NO_UPGRADE: Refusal = {
  kind: "unreadable-address",
  detail:
    "A WebSocket came without its Upgrade header: the proxy in between passes no WebSockets, and pages are not live.",
  fix: "For nginx set proxy_http_version 1.1 and proxy_set_header Upgrade and Connection, as docs/exposing.md has it.",
};

/** Returns true for addresses that people look at: all that aren't for programs. */
export function isPage(url: string): boolean {
  const plain = decoded(url);
  return !isSourceDoor(plain) && !/^\/(api|socket\.io)(\/|\?|$)/.test(plain);
}

/** Returns true for doors of sources, where senders of any kind show a key. */
export function isSourceDoor(url: string): boolean {
  return /^\/(ingest(\/|\?|$)|(write|ping|query|v1\/metrics|api\/v2\/write|api\/v1\/prom\/write)(\?|$))/.test(url);
}

/** The address as routes are found by: `/%61pi` is `/api`. */
function decoded(url: string): string {
  try {
    return decodeURI(url);
  } catch {
    return url;
  }
}

/** The origin of a page's address; an origin stays as it is. */
function originIn(address: string): string {
  return URL.canParse(address) ? new URL(address).origin : address;
}

function foreignHost(host: string, { PORT }: Place): Refusal {
  const named = host === "" ? "The request names no host." : `The request is for the host ${quoted(host)}.`;
  return {
    kind: "foreign-host",
    detail: `${named} Fieldwatch answers only for hosts it was told of, so that no foreign site can reach it under a name of its own.`,
    fix: `On the machine itself open http://localhost:${PORT}. Elsewhere set PUBLIC_URL to the address people open, or ALLOWED_HOSTS=${safeName(host)}, and restart.`,
  };
}

function foreignOrigin(origin: string, host: string): Refusal {
  const url = URL.canParse(origin) ? new URL(origin) : null;
  return {
    kind: "foreign-origin",
    detail: `A page of ${quoted(origin)} sent this to the host ${quoted(host)}.`,
    ...(url && {
      fix: `Behind a reverse proxy set PUBLIC_URL=${url.protocol}//${safeName(url.host)} and restart.`,
    }),
  };
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

function countOf({ rawHeaders }: IncomingMessage, name: string): number {
  return rawHeaders.filter((each, i) => i % 2 === 0 && each.toLowerCase() === name).length;
}
