import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { createPerAddress } from "./connections";
import { createForwarding } from "./forwarding";
import { createFrontDoor, isPage } from "./front-door";
import type { Place } from "./hosts";
import type { Refusal } from "./refusal";
import { createSeldom } from "./seldom";

interface Asked {
  readonly method?: string;
  readonly url?: string;
  readonly peer?: string;
  readonly headers?: Record<string, string>;
}

function request({ method = "GET", url = "/", peer = "192.0.2.9", headers = { host: "localhost:3000" } }: Asked) {
  const rawHeaders = Object.entries(headers).flat();
  return {
    method,
    url,
    rawHeaders,
    headers: { ...headers },
    socket: { remoteAddress: peer },
  } as unknown as IncomingMessage;
}

function doorOf(place: Partial<Place> & { TRUSTED_PROXIES?: string[] } = {}) {
  const told: Refusal[] = [];
  const door = createFrontDoor({
    place: { HOST: "127.0.0.1", PORT: 3000, ALLOWED_HOSTS: [], TRUSTED_PROXIES: [], ...place },
    onRefused: (refusal) => told.push(refusal),
    now: () => 0,
  });
  const kind = (asked: Asked, wants: "answer" | "socket" = "answer") =>
    door.visit(request(asked), wants).refusal?.kind ?? null;
  return { door, kind, told, host: (host: string) => kind({ headers: { host } }) };
}

test.each(["localhost:3000", "LOCALHOST:3000", "127.0.0.1:3000", "[::1]:3000"])("%s is our own", (host) => {
  expect(doorOf().host(host)).toBeNull();
});

test.each([
  "evil.example:3000",
  "localhost",
  "localhost:3001",
  "localhost.evil.example:3000",
  "169.254.169.254",
  "a b",
  "localhost:3000@evil.example",
  "localhost:3000/",
  "",
  "localhost:99999999",
])("%j is not", (host) => {
  expect(doorOf().host(host)).toBe("foreign-host");
});

test("a request without Host is for nobody", () => {
  expect(doorOf().kind({ headers: {} })).toBe("foreign-host");
});

test("what is set is let in: the public address and further hosts at any port, others at theirs, the address listened on", () => {
  const { host } = doorOf({
    HOST: "192.0.2.1",
    PUBLIC_URL: "https://iot.example",
    ALLOWED_HOSTS: ["web", "lan:81", "[2001:db8::1]"],
  });
  for (const own of [
    "iot.example",
    "iot.example:8443",
    "web:3000",
    "web",
    "lan:81",
    "192.0.2.1:3000",
    "[2001:db8::1]:5",
  ])
    expect(host(own), own).toBeNull();
  for (const foreign of ["lan", "lan:82", "192.0.2.1", "0.0.0.0:3000", "x.iot.example"])
    expect(host(foreign), foreign).toBe("foreign-host");
  expect(doorOf({ HOST: "0.0.0.0" }).host("0.0.0.0:3000")).toBe("foreign-host");
  expect(doorOf({ PORT: 80 }).host("localhost")).toBeNull();
});

test("a foreign host is told once a minute, with what to set, never as a command that does more", () => {
  const { host, told } = doorOf();
  host("evil.example:3000");
  host("evil.example:3000");
  host("$(id).example");
  expect(told).toHaveLength(2);
  expect(told[0]!.detail).toContain('"evil.example:3000"');
  expect(told[0]!.fix).toContain("ALLOWED_HOSTS=evil.example:3000");
  expect(told[1]!.fix).toContain("ALLOWED_HOSTS=NAME");
});

test("a WebSocket whose Upgrade a proxy took off is told of once a minute, with what to set", () => {
  const { kind, told } = doorOf();
  const headers = { host: "localhost:3000", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
  for (let i = 0; i < 3; i++) expect(kind({ url: "/socket.io/?transport=websocket", headers })).not.toBeNull();
  expect(told.map(({ fix }) => fix)).toEqual([expect.stringContaining("proxy_set_header Upgrade")]);
  expect(kind({ url: "/socket.io/?transport=polling" })).not.toBeNull();
  expect(told).toHaveLength(1);
});

test("however many names are made up, few are told", () => {
  let now = 0;
  const mayTell = createSeldom(() => now);
  expect(Array.from({ length: 1000 }, (_, i) => mayTell(`${i}`)).filter(Boolean)).toHaveLength(20);
  now = 60_000;
  expect([mayTell("0"), mayTell("0")]).toEqual([true, false]);
});

const post = (headers: Record<string, string>) => ({
  method: "POST",
  url: "/api/v1/telemetry",
  headers: { host: "localhost:3000", ...headers },
});

test("who changes something is a page of ours, or no page", () => {
  const { kind, told } = doorOf();
  expect(kind(post({}))).toBeNull();
  expect(kind(post({ origin: "http://localhost:3000", "sec-fetch-site": "same-origin" }))).toBeNull();
  expect(kind(post({ "sec-fetch-site": "none" }))).toBeNull();
  for (const origin of [
    "http://evil.example",
    "http://localhost:3001",
    "http://127.0.0.1:3000",
    "null",
    "file://",
    "x",
  ])
    expect(kind(post({ origin })), origin).toBe("foreign-origin");
  for (const site of ["cross-site", "same-site", "x"])
    expect(kind(post({ origin: "http://localhost:3000", "sec-fetch-site": site })), site).toBe("foreign-origin");
  expect(told[0]!.fix).toContain("PUBLIC_URL=http://evil.example ");
});

test("who shows a cookie says from whose page it comes, to change something or open a socket; who shows a key needn't", () => {
  const { kind, told } = doorOf();
  const cookie = { cookie: "fieldwatch-3000=x" };
  const socket = (headers: Record<string, string>) =>
    kind({ url: "/socket.io/", headers: { host: "localhost:3000", ...headers } }, "socket");
  for (const ask of [(headers: Record<string, string>) => kind(post(headers)), socket]) {
    expect(ask(cookie)).toBe("foreign-origin");
    expect(ask({ ...cookie, "sec-fetch-site": "same-origin" })).toBe("foreign-origin");
    expect(ask({ ...cookie, origin: "http://localhost:3000" })).toBeNull();
    expect(ask({ ...cookie, authorization: "Bearer fwk_x" })).toBeNull();
    expect(ask({ authorization: "Bearer fwk_x" })).toBeNull();
  }
  expect(told[0]!.fix).toContain("Programs show a key");
});

test("who reads by a cookie where browsers don't say whose page asks is known by Origin or Referer", () => {
  const { kind } = doorOf();
  const read = (headers: Record<string, string>, url = "/api/v1/devices.csv") =>
    kind({ url, headers: { host: "localhost:3000", cookie: "fieldwatch-3000=x", ...headers } });
  expect(read({})).toBe("foreign-origin");
  for (const page of ["http://localhost:3001/devices", "http://evil.example/", "null", "x", ""])
    for (const name of ["referer", "origin"]) expect(read({ [name]: page }), page).toBe("foreign-origin");
  expect(read({ origin: "http://evil.example", referer: "http://localhost:3000/" })).toBe("foreign-origin");
  expect(read({ referer: "http://localhost:3000/devices?x" })).toBeNull();
  expect(read({ origin: "http://localhost:3000" })).toBeNull();
  for (const site of ["same-origin", "none"]) expect(read({ "sec-fetch-site": site })).toBeNull();
  // A key is nobody's by accident; what holds no data, and the way to sign in, need nothing.
  expect(read({ authorization: "Bearer fwk_x" })).toBeNull();
  for (const url of ["/devices", "/api/livez", "/api/v1/sign-in/oidc/callback?code=x"])
    expect(read({}, url)).toBeNull();
});

test("a page of ours asks the API, and so does who types an address; of another, only for what is for everybody", () => {
  const kind = (url: string, site: string | null, method = "GET") =>
    doorOf().kind({ method, url, headers: { host: "localhost:3000", ...(site && { "sec-fetch-site": site }) } });
  for (const url of [
    "/api/v1/audit.csv",
    "/api/v1/devices.csv?x",
    "/%61pi/v1/audit.csv",
    "/api/v1/sign-in/oidc",
    "/api",
  ])
    for (const method of ["GET", "HEAD", "OPTIONS"]) {
      for (const site of ["same-origin", "none", null]) expect(kind(url, site, method), url).toBeNull();
      for (const site of ["same-site", "cross-site", "x"]) expect(kind(url, site, method), url).toBe("foreign-origin");
    }
  for (const url of ["/api/livez", "/api/readyz?x", "/api/openapi.json"])
    expect(kind(url, "cross-site"), url).toBeNull();
  for (const url of ["/api/livez/x", "/api/v1/sign-in/oidc/callback/..", "/api/v1/x?/api/livez"])
    expect(kind(url, "cross-site"), url).toBe("foreign-origin");
});

test("a browser comes back from the identity provider, but no picture or frame of another site is taken there", () => {
  const kind = (url: string, dest: string | null, site = "cross-site") =>
    doorOf().kind({
      url,
      headers: { host: "localhost:3000", "sec-fetch-site": site, ...(dest && { "sec-fetch-dest": dest }) },
    });
  for (const url of ["/api/v1/sign-in/oidc?to=/", "/api/v1/sign-in/oidc/callback?code=x"]) {
    expect(kind(url, "document"), url).toBeNull();
    for (const dest of ["image", "iframe", "empty", null]) expect(kind(url, dest), url).toBe("foreign-origin");
    expect(kind(url, "image", "same-site")).toBe("foreign-origin");
  }
  expect(kind("/api/v1/devices.csv", "document")).toBe("foreign-origin");
});

test("links to pages are followed from anywhere", () => {
  const headers = { host: "localhost:3000", origin: "http://evil.example", "sec-fetch-site": "cross-site" };
  for (const method of ["GET", "HEAD"]) expect(doorOf().kind({ method, url: "/devices", headers })).toBeNull();
});

test("a socket is opened by a page of ours, or by no page", () => {
  const socket = (headers: Record<string, string>) =>
    doorOf().kind({ url: "/socket.io/", headers: { host: "localhost:3000", ...headers } }, "socket");
  expect(socket({})).toBeNull();
  expect(socket({ origin: "http://localhost:3000" })).toBeNull();
  expect(socket({ origin: "http://localhost:3001" })).toBe("foreign-origin");
  expect(socket({ origin: "http://localhost:3000", "sec-fetch-site": "cross-site" })).toBe("foreign-origin");
});

test("behind a proxy that puts a name of its own for Host, the public address is what pages come from", () => {
  const page = { ...post({ origin: "https://iot.example", "sec-fetch-site": "same-origin" }) };
  expect(doorOf().kind(page)).toBe("foreign-origin");
  expect(doorOf({ PUBLIC_URL: "https://iot.example" }).kind(page)).toBeNull();
  const kept = { ...page, headers: { ...page.headers, host: "iot.example" } };
  expect(doorOf({ ALLOWED_HOSTS: ["iot.example"] }).kind(kept)).toBeNull();
  const forwarded = { ...page, peer: "10.0.0.7", headers: { ...page.headers, "x-forwarded-host": "iot.example" } };
  const place = { ALLOWED_HOSTS: ["iot.example"], TRUSTED_PROXIES: ["10.0.0.0/8"] };
  expect(doorOf(place).kind(forwarded)).toBeNull();
  expect(doorOf({ ...place, TRUSTED_PROXIES: [] }).kind(forwarded)).toBe("foreign-origin");
});

test("methods nobody takes are refused", () => {
  const { kind } = doorOf();
  for (const method of ["TRACE", "PROPFIND", "CONNECT", ""])
    expect(kind({ method, url: "/api/v1/devices" }), method).toBe("method-not-allowed");
  expect(kind({ method: "DELETE", url: "/api/v1/devices" })).toBeNull();
  // Pages are only read.
  for (const method of ["POST", "DELETE", "OPTIONS"])
    expect(kind({ method, url: "/devices" }), method).toBe("method-not-allowed");
  expect(kind({ method: "HEAD", url: "/devices" })).toBeNull();
});

test("addresses that are none are refused", () => {
  const { kind } = doorOf();
  for (const url of ["http://evil.example/", "*", ""]) expect(kind({ url }), url).toBe("unreadable-address");
  const twice = request({});
  twice.rawHeaders.push("Host", "evil.example");
  expect(doorOf().door.visit(twice, "answer").refusal?.kind).toBe("unreadable-address");
});

test("what is for people and what is for programs", () => {
  expect(["/", "/devices", "/apis", "/_next/x"].map(isPage)).toEqual([true, true, true, true]);
  for (const url of ["/api", "/api/v1", "/api?x", "/%61p%69/v1", "/socket.io/?y"]) expect(isPage(url), url).toBe(false);
});

const settled = (proxies: string[], peer: string, headers: Record<string, string>) => {
  const asked = request({ peer, headers: { host: "localhost:3000", ...headers } });
  return { ...createForwarding(proxies).settle(asked), headers: asked.headers };
};

test("nobody but a trusted proxy says who sent a request", () => {
  const said = {
    "x-forwarded-for": "1.2.3.4",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
    "x-forwarded-port": "1",
    forwarded: "for=1.2.3.4",
  };
  const { address, isHttps, headers } = settled(["10.0.0.0/8"], "127.0.0.1", said);
  expect([address, isHttps]).toEqual(["127.0.0.1", false]);
  expect(headers).toEqual({
    host: "localhost:3000",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "http",
  });
  expect(settled(["10.0.0.0/8"], "::ffff:10.1.2.3", said)).toMatchObject({ address: "1.2.3.4", isHttps: true });
});

test("of what the client wrote itself and what proxies appended, the proxies' part counts", () => {
  const from = (list: string) => settled(["10.0.0.0/8", "fd00::/8"], "10.0.0.1", { "x-forwarded-for": list }).address;
  expect(from("6.6.6.6, 203.0.113.5")).toBe("203.0.113.5");
  expect(from("6.6.6.6, 203.0.113.5, fd00::7, 10.0.0.2")).toBe("203.0.113.5");
  expect(from("10.0.0.9")).toBe("10.0.0.9");
  expect(from("not an address")).toBe("10.0.0.1");
  expect(from("")).toBe("10.0.0.1");
});

test("one address has so many places, and gets them back", () => {
  const places = createPerAddress(2);
  const closing: (() => void)[] = [];
  const socket = { once: (_: string, then: () => void) => closing.push(then) } as never;
  expect([1, 2, 3].map(() => places.take("a", socket))).toEqual([true, true, false]);
  expect(places.take("b", socket)).toBe(true);
  closing[0]!();
  expect([places.take("a", socket), places.take("a", socket)]).toEqual([true, false]);
});
