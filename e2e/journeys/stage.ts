import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright";
import { type Product, ROOT, startProduct } from "../product";

/** Flags of every browser here. */
export const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The time a journey waits for one thing to be seen, in milliseconds: far longer than it takes, for slow or busy machines. */
export const PATIENCE_MS = 30_000;

/** Pages that are open now; a journey that fails tells what they say. */
export const openPages = new Set<Page>();

/** A running product and a browser to look at it. */
export interface Stage {
  readonly product: Product;
  /** Starts the product again on the same port and data. */
  restart(): Promise<void>;
  /** A new page on `route`, signed in as the owner, in a context of its own, after `prepare`. What the page throws, and what its policy stops, is collected in `errors`. */
  open(route: string, prepare?: (page: Page) => Promise<void>): Promise<Page>;
  readonly errors: string[];
  close(): Promise<void>;
}

/** The browser `npm run journeys` has found; a script that isn't run by it finds one itself. */
export async function browserToUse(): Promise<{ executablePath: string; env: Record<string, string> }> {
  const found = process.env.JOURNEY_BROWSER;
  if (found !== undefined) return JSON.parse(found) as Awaited<ReturnType<typeof browserToUse>>;
  // Imported by its address: bundled, it would look for its neighbours in the wrong place.
  const { findBrowser } = (await import(pathToFileURL(path.join(ROOT, "e2e/journeys/browser.mjs")).href)) as {
    findBrowser: () => Awaited<ReturnType<typeof browserToUse>>;
  };
  return findBrowser();
}

/** Starts the built product in a folder of its own and a browser. @param atPort its port; left out: a free one. */
export async function setStage(
  env: Readonly<Record<string, string>> = {},
  atPort?: number,
  build?: string,
): Promise<Stage> {
  const { executablePath, env: browserEnv } = await browserToUse();
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-journey-"));
  const options = {
    dataDir: path.join(folder, "data"),
    env: { DEMO_DEVICES: "5", SIMULATOR_INTERVAL_MS: "500", SIMULATOR_FAULTS_PER_HOUR: "0", ...env },
    ...(build !== undefined && { build }),
  };
  const browser: Browser = await chromium.launch({
    executablePath,
    args: FLAGS,
    env: { ...process.env, ...browserEnv } as Record<string, string>,
  });
  let product = await startProduct({ ...options, ...(atPort !== undefined && { port: atPort }) });
  await product.ready();
  const port = Number(new URL(product.url).port);
  const errors: string[] = [];
  const cookie = await product.cookie();
  return {
    get product() {
      return product;
    },
    errors,
    async restart() {
      await product.stop();
      product = await startProduct({ ...options, port });
      await product.ready();
    },
    async open(route, prepare) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, baseURL: product.url });
      await context.addCookies([cookie]);
      const page = await context.newPage();
      openPages.add(page);
      page.once("close", () => openPages.delete(page));
      page.setDefaultTimeout(PATIENCE_MS);
      page.on("pageerror", (error) => errors.push(String(error.stack ?? error)));
      page.on("console", (message) => {
        if (/Content Security Policy/i.test(message.text())) errors.push(message.text());
      });
      await page.addInitScript(() =>
        addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) =>
          console.error(`Content Security Policy: ${violatedDirective} ${blockedURI} ${sourceFile}:${lineNumber}`),
        ),
      );
      await prepare?.(page);
      await page.goto(route);
      return page;
    },
    async close() {
      await browser.close();
      await product.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Posts one message, as a device would. */
export async function post(product: Product, message: unknown): Promise<void> {
  const answer = await product.fetch("/api/v1/telemetry", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(message),
  });
  if (answer.status !== 202) throw new Error(`POST telemetry: ${answer.status} ${await answer.text()}`);
}
