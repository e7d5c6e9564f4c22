import { gzipSync } from "node:zlib";
import type { Page } from "playwright";
import type { DevicesAnswer } from "@/server/contracts/devices";
import { PAGES, PEOPLE_PAGES } from "../journeys/pages";
import { setStage, type Stage } from "../journeys/stage";
import { until } from "../waiting";
import { markdownTable } from "./report";

/** Most JavaScript a page may need before it shows its content, gzip. */
const MOST_KB = 300;
const OTHERS = ["/alerts", "/alerts/rules", "/alerts/silences", "/alerts/channels", "/events"];
/** A page is done loading when no script came for so long. */
const QUIET_MS = 3000;

interface Load {
  readonly path: string;
  /** Requests of the page's own HTML, needed before it works. */
  readonly first: number;
  /** The same and what came after it without anybody doing anything: charts. */
  readonly all: number;
  readonly files: number;
}

/**
 * How much JavaScript each page loads in a new browser, nothing cached and nothing touched: what it needs first, and what it brings
 * after that by itself. Fails when a page needs more than 300 KB first.
 */
export async function main(): Promise<number> {
  const stage = await setStage({ DEMO_DEVICES: "5" });
  const loads: Load[] = [];
  try {
    const device = await firstDevice(stage);
    const paths = [
      ...new Set([...PAGES, ...PEOPLE_PAGES].map(({ route }) => route)),
      "/?wall=1",
      `/devices/${device}`,
      ...OTHERS,
    ];
    for (const one of paths) {
      const load = await measure(stage, one);
      if (load) loads.push(load);
    }
  } finally {
    await stage.close();
  }
  const kb = (bytes: number) => `${Math.round(bytes / 1024)} KB`;
  console.log(
    markdownTable(
      ["page", "needed first", "with what follows by itself", "files"],
      loads.map(({ path: page, first, all, files }) => [page, kb(first), kb(all), String(files)]),
    ),
  );
  const heavy = loads.filter(({ first }) => first > MOST_KB * 1024);
  for (const { path: page, first } of heavy)
    console.error(`${page} needs ${kb(first)} first, more than ${MOST_KB} KB.`);
  return heavy.length > 0 ? 1 : 0;
}

async function firstDevice(stage: Stage): Promise<string> {
  let id: string | undefined;
  await until(
    async () => {
      id = (await stage.product.get<DevicesAnswer>("/api/v1/devices?limit=1")).items[0]?.id;
      return id !== undefined;
    },
    { timeoutMs: 20_000, what: "a device" },
  );
  return encodeURIComponent(id!);
}

/** Null when there is no such page. */
async function measure(stage: Stage, route: string): Promise<Load | null> {
  const named = await namedScripts(stage, route);
  if (named === null) return null;
  const page = await stage.open("about:blank");
  const sizes = new Map<string, Promise<number>>();
  let latest = performance.now();
  page.on("response", (response) => {
    if (response.request().resourceType() !== "script") return;
    latest = performance.now();
    const { pathname } = new URL(response.url());
    sizes.set(
      pathname,
      response.body().then((body) => gzipSync(body).length),
    );
  });
  await page.goto(route);
  await connected(page);
  await until(async () => performance.now() - latest > QUIET_MS, { timeoutMs: 30_000, what: "the last script" });
  const found = await Promise.all([...sizes].map(async ([file, size]) => ({ file, size: await size })));
  await page.context().close();
  const isNamed = ({ file }: { file: string }) => named.has(file);
  const sum = (list: typeof found) => list.reduce((total, { size }) => total + size, 0);
  return { path: route, first: sum(found.filter(isNamed)), all: sum(found), files: found.length };
}

/** Paths of the scripts that a page's own HTML names; null when there is no such page. */
async function namedScripts(stage: Stage, route: string): Promise<ReadonlySet<string> | null> {
  const answer = await stage.product.fetch(route);
  if (answer.status === 404) return null;
  const named = (await answer.text()).matchAll(/<script[^>]+src="([^"?]+)[^>]*>/g);
  // What is for browsers without modules is loaded by none that works here.
  return new Set([...named].flatMap(([tag, file]) => (/\snomodule/i.test(tag) ? [] : [file!])));
}

/** Bytes (gzip) of the scripts that a page names, which it needs before it works. */
export async function firstBytes(stage: Stage, route: string): Promise<number> {
  const files = [...((await namedScripts(stage, route)) ?? [])];
  const scripts = await Promise.all(files.map(async (file) => (await stage.product.fetch(file)).arrayBuffer()));
  return scripts.reduce((sum, script) => sum + gzipSync(Buffer.from(script)).length, 0);
}

async function connected(page: Page): Promise<void> {
  await page.locator("[data-connection=connected]").first().waitFor();
}
