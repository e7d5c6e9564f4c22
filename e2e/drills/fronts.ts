import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect } from "node:tls";
import { parseArgs } from "node:util";
import { type Browser, chromium, type Page } from "playwright";
import { makeCertificate } from "@/server/testing/certificate";
import { browserToUse, FLAGS, PATIENCE_MS } from "../journeys/stage";
import { freePort, type Product, runProduct, startProduct } from "../product";
import { until } from "../waiting";
import { type Checks, createChecks } from "./checks";
import { findCaddy, findNginx, type Front, type FrontPlace, recipes, startCaddy, startNginx } from "./front-programs";
import type { Found } from "../made-programs";

const HOST = "iot.example";
const URL_OF_IT = `https://${HOST}`;

/** Left of the recipe when somebody writes no more than where to go: nginx then speaks HTTP/1.0 and takes Upgrade off. */
const NGINX_ALONE = `server {
  listen 443 ssl;
  ssl_certificate /etc/ssl/iot.example.crt;
  ssl_certificate_key /etc/ssl/iot.example.key;
  location / { proxy_pass http://127.0.0.1:3000; }
}
`;

interface Scene {
  readonly checks: Checks;
  readonly browser: Browser;
  readonly place: FrontPlace;
  readonly dataDir: string;
}

/**
 * Real reverse proxies in front of the built product, by the recipes of docs/exposing.md, and our own TLS, each in a browser. Short: each program with
 * its whole recipe alone, and Caddy only if it was built before.
 */
export async function main(argv: string[]): Promise<number> {
  const { short } = parseArgs({ args: argv, options: { short: { type: "boolean", default: false } } }).values;
  const checks = createChecks("fronts");
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-fronts-"));
  const [port, upstream] = [await freePort(), await freePort()];
  const place: FrontPlace = { folder, port, upstream, ...makeCertificate(folder, HOST) };
  const { executablePath, env } = await browserToUse();
  const browser = await chromium.launch({
    executablePath,
    args: [...FLAGS, `--host-resolver-rules=MAP ${HOST}:443 127.0.0.1:${port}`],
    env: { ...process.env, ...env } as Record<string, string>,
  });
  const scene: Scene = { checks, browser, place, dataDir: path.join(folder, "data") };
  const nginx = counterpart("nginx", findNginx(), startNginx);
  const caddy = counterpart("Caddy", findCaddy(!short), startCaddy);
  const [nginxFull = "", nginxLeast = ""] = recipes("nginx");
  const [caddyPlain = "", caddyOwnHost = ""] = recipes("caddyfile");
  const withUrl = { PUBLIC_URL: URL_OF_IT };
  const trusting = { ...withUrl, TRUSTED_PROXIES: "127.0.0.1" };
  try {
    if (!short) {
      await withProduct(scene, {}, async (product) => {
        await nginx(scene, nginxLeast, (name) => saysWhatToSet(scene, product, name, "403"));
        await nginx(scene, nginxFull, (name) => saysWhatToSet(scene, product, name, "421"));
        await caddy(scene, caddyOwnHost, (name) => saysWhatToSet(scene, product, name, "403"));
        await caddy(scene, caddyPlain, (name) => saysWhatToSet(scene, product, name, "421"));
      });
      await withProduct(scene, withUrl, async (product) => {
        await nginx(scene, nginxLeast, (name) => works(scene, product, `${name}, the least`, false));
        await nginx(scene, NGINX_ALONE, (name) => saysNothingIsLive(scene, product, `${name} without Upgrade`));
      });
    }
    await withProduct(scene, trusting, async (product) => {
      await nginx(scene, nginxFull, (name) => works(scene, product, name, true));
      await caddy(scene, caddyPlain, (name) => works(scene, product, name, true));
      if (!short) await caddy(scene, caddyOwnHost, (name) => works(scene, product, `${name} with its own Host`, true));
    });
    await ownTls(scene);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return checks.finish();
}

type Trial = (scene: Scene, recipe: string, look: (name: string) => Promise<void>) => Promise<void>;

/** Tries recipes of one program; without it, each says so and fails nothing. */
function counterpart(
  name: string,
  found: Found,
  run: (program: string, recipe: string, place: FrontPlace) => Front,
): Trial {
  if ("missing" in found) console.log(`  left out: ${name} (${found.missing})`);
  return async ({ checks, place }, recipe, look) => {
    if ("missing" in found) return;
    const front = run(found.program, recipe, place);
    try {
      await until(() => ask(place.port, "/api/livez").then(isAnswer, () => false), {
        timeoutMs: PATIENCE_MS,
        what: `${name}: ${front.said()}`,
      });
      await look(name);
    } catch (error) {
      checks.that(`${name}: ${(error as Error).message} ${front.said().slice(-500)}`, false);
    } finally {
      await front.stop();
    }
  };
}

const isAnswer = ({ status }: { status: number }) => status < 500;

async function withProduct(
  { dataDir, place }: Scene,
  env: Readonly<Record<string, string>>,
  look: (product: Product) => Promise<void>,
): Promise<void> {
  const settings = { DEMO_DEVICES: "2", SIMULATOR_INTERVAL_MS: "500", SIMULATOR_FAULTS_PER_HOUR: "0", ...env };
  const product = await startProduct({ dataDir, port: place.upstream, env: settings });
  try {
    const isReady = async () => isAnswer(await askPlain(env, place.upstream));
    await until(() => isReady().catch(() => false), {
      timeoutMs: 60_000,
      what: `the product: ${product.log().slice(-2000)}`,
    });
    await look(product);
  } finally {
    await product.stop();
  }
}

async function askPlain(env: Readonly<Record<string, string>>, port: number): Promise<{ status: number }> {
  return env.TLS_CERT_FILE === undefined
    ? fetch(`http://127.0.0.1:${port}/api/readyz`)
    : ask(port, "/api/readyz", { host: `localhost:${port}` });
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** Asks whatever encrypts at this port, as a program would. */
function ask(
  port: number,
  route: string,
  { body, host = HOST, ...headers }: { readonly [header: string]: string } & { readonly body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      ...{ host: "127.0.0.1", port, path: route, rejectUnauthorized: false, servername: host.split(":")[0] },
      method: body === undefined ? "GET" : "POST",
      headers: { host, ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    };
    const asked = request(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => (text += chunk));
      answer.on("end", () => resolve({ status: answer.statusCode!, text, headers: answer.headers }));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

/** The link for signing in, as printed on the machine. */
async function linkOf({ dataDir, place }: Scene, env: Readonly<Record<string, string>>): Promise<string> {
  const own = { FIELDWATCH_DATA_DIR: dataDir, PORT: String(place.upstream), ...env };
  const { output } = await runProduct(["sign-in-link"], own);
  const link = /https?:\/\/\S+#k=[\w-]+/.exec(output)?.[0];
  if (link === undefined) throw new Error(`no link: ${output}`);
  return link;
}

/** A page that belongs to nobody yet; what its policy stops, and what it throws, is told in `errors`. */
async function newPage(browser: Browser): Promise<{ page: Page; errors: string[] }> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const errors: string[] = [];
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (/Content Security Policy|Mixed Content/i.test(message.text())) errors.push(message.text());
  });
  return { page, errors };
}

const connected = (page: Page) => page.getByRole("status").getByText("Connected").waitFor();

async function works(scene: Scene, product: Product, name: string, isTold: boolean): Promise<void> {
  const { checks, browser, place } = scene;
  const { page, errors } = await newPage(browser);
  const link = await linkOf(scene, { PUBLIC_URL: URL_OF_IT });
  checks.that(`${name}: the link leads to PUBLIC_URL`, link.startsWith(`${URL_OF_IT}/sign-in#`));
  await page.goto(`${URL_OF_IT}/devices`);
  await page.getByLabel("E-mail address").waitFor();
  await page.goto(link);
  await page.getByRole("button", { name: "Account of Owner" }).waitFor();
  await page.goto(`${URL_OF_IT}/devices`);
  await connected(page);
  checks.that(`${name}: pages, sign-in and the live channel`, true);

  const device = `${name.replaceAll(/\W+/g, "-")}-${Date.now() % 1000}`;
  const send = async (n: number) => {
    const body = JSON.stringify({ device, time: Date.now(), readings: { n } });
    return (await ask(place.port, "/api/v1/telemetry", { ...(await product.authorization()), body })).status;
  };
  checks.equal(`${name}: a device sends`, await send(1), 202);
  const isThere = async () => (await product.fetch(`/api/v1/devices/${device}`)).ok;
  await until(isThere, { timeoutMs: PATIENCE_MS, what: `${device} to be in the catalog` });
  await page.goto(`${URL_OF_IT}/devices/${device}`);
  await connected(page);
  await send(473);
  await page.getByText("473").first().waitFor();
  checks.that(`${name}: what it sends appears on the open page`, true);
  const did = await page.evaluate(async (id) => {
    const change = { method: "PATCH", headers: { "content-type": "application/json" }, body: '{"notes":"by a front"}' };
    const url = `/api/v1/devices/${id}`;
    return [(await fetch(url, change)).status, ((await (await fetch(url)).json()) as { notes: string }).notes];
  }, device);
  checks.equal(`${name}: REST from the page`, did, [200, "by a front"]);
  const [cookie] = (await page.context().cookies()).filter((one) => one.name.includes("fieldwatch") && one.httpOnly);
  if (isTold)
    checks.equal(`${name}: the cookie is for https alone`, [cookie?.name, cookie?.secure], ["__Host-fieldwatch", true]);
  const { headers } = await ask(place.port, "/sign-in");
  checks.that(`${name}: HSTS`, headers["strict-transport-security"] !== undefined);
  const polling = await ask(place.port, "/socket.io/?EIO=4&transport=polling");
  checks.equal(`${name}: polling is refused in words`, [polling.status, /WebSocket/.test(polling.text)], [400, true]);
  for (const route of ["/", "/health", "/keys"]) {
    await page.goto(URL_OF_IT + route);
    await connected(page);
  }
  checks.equal(`${name}: nothing is stopped or thrown`, errors, []);
  await page.context().close();
}

/** Without PUBLIC_URL: the page of who can't get in, and the log, name it. */
async function saysWhatToSet(scene: Scene, product: Product, name: string, as: "403" | "421"): Promise<void> {
  const { checks, browser } = scene;
  const { page } = await newPage(browser);
  const link = await linkOf(scene, {});
  const answer = await page.goto(URL_OF_IT + new URL(link).pathname + new URL(link).hash);
  if (as === "403") await page.getByText("PUBLIC_URL").first().waitFor();
  else checks.equal(`${name}, Host passed on, without PUBLIC_URL: refused`, answer!.status(), 421);
  const said = await page.innerText("body");
  const wanted = as === "403" ? `PUBLIC_URL=${URL_OF_IT}` : "PUBLIC_URL";
  checks.that(
    `${name}, ${as}, without PUBLIC_URL: the page says what to set`,
    said.includes(wanted),
    said.slice(0, 300),
  );
  checks.that(`${name}, ${as}: so does the log`, product.log().includes(wanted));
  await page.context().close();
}

async function saysNothingIsLive(scene: Scene, product: Product, name: string): Promise<void> {
  const { checks, browser } = scene;
  const { page } = await newPage(browser);
  await page.goto(await linkOf(scene, { PUBLIC_URL: URL_OF_IT }));
  await page.getByRole("button", { name: "Account of Owner" }).waitFor();
  await page.goto(`${URL_OF_IT}/devices`);
  await page.getByText("no WebSocket gets to it").first().waitFor();
  checks.that(`${name}: pages work, and say why nothing is live`, true);
  await until(() => product.log().includes("Upgrade"), { timeoutMs: PATIENCE_MS, what: "the log to name Upgrade" });
  checks.that(`${name}: so does the log`, true);
  await page.context().close();
}

/** Our own TLS in a browser; a certificate that is renewed meanwhile is taken up, and costs no connection. */
async function ownTls(scene: Scene): Promise<void> {
  const { checks, browser, place } = scene;
  const folder = path.join(place.folder, "tls");
  mkdirSync(folder);
  const { cert, key } = makeCertificate(folder, "localhost");
  const env = { TLS_CERT_FILE: cert, TLS_KEY_FILE: key };
  await withProduct(scene, env, async () => {
    const at = `https://localhost:${place.upstream}`;
    const { page, errors } = await newPage(browser);
    const link = await linkOf(scene, env);
    checks.that("own TLS: the link is https", link.startsWith("https:"), link.split("#")[0]);
    await page.goto(`${at}/sign-in${new URL(link).hash}`);
    await page.getByRole("button", { name: "Account of Owner" }).waitFor();
    await page.goto(`${at}/devices`);
    await connected(page);
    const sockets: string[] = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    const before = await serialAt(place.upstream);
    const next = path.join(folder, "next");
    mkdirSync(next);
    const renewed = makeCertificate(next, "localhost");
    renameSync(renewed.key, key);
    renameSync(renewed.cert, cert);
    await until(async () => (await serialAt(place.upstream)) !== before, {
      timeoutMs: 60_000,
      what: "the renewed certificate",
    });
    const other = await newPage(browser);
    await other.page.goto(`${at}/sign-in`);
    await other.page.getByLabel("E-mail address").waitFor();
    await connected(page);
    checks.equal("own TLS: a renewed certificate is served, and the open page keeps its socket", sockets, []);
    checks.equal("own TLS: nothing is stopped or thrown", [...errors, ...other.errors], []);
    await other.page.context().close();
    await page.context().close();
  });
}

/** The number of the certificate that a new connection is shown. */
function serialAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, servername: "localhost", rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.end();
    });
    socket.on("error", reject);
  });
}
