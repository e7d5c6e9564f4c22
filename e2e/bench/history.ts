import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { type Browser, chromium, type Page } from "playwright";
import type { ReadingsAnswer } from "@/server/contracts/devices";
import { type Product, startProduct } from "../product";
import { loadHistory, METRICS } from "./history-data";
import { machine, markdownTable, median } from "./report";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DEVICE = "bench-1hz";
const BAR_MS = 500;

/** The stretches measured, by their length and how long before now they end. */
const STRETCHES = [
  { name: "1 h", ms: HOUR, ago: 0 },
  { name: "24 h", ms: DAY, ago: 0 },
  { name: "7 d", ms: 7 * DAY, ago: 0 },
  { name: "30 d", ms: 30 * DAY, ago: 0 },
  { name: "zoom: an hour of 10 days ago", ms: HOUR, ago: 10 * DAY },
  { name: "zoom: 3 min of 10 days ago", ms: 180_000, ago: 10 * DAY },
] as const;

/**
 * 30 days of one-second readings of one device: how long the server takes to answer a chart's question, and how long it
 * takes from choosing a range to the chart on the screen. Fails when the 30 days take 500 ms or longer either way.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: { days: { type: "string", default: "30" }, rounds: { type: "string", default: "9" } },
  });
  const rounds = Number(values.rounds);
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-history-"));
  const product = await startProduct({ dataDir: path.join(folder, "data"), env: { DEMO_DEVICES: "0" } });
  try {
    await product.ready();
    const started = performance.now();
    const rows = await loadHistory(product.connectionString(), DEVICE, Number(values.days), Date.now());
    const took = (performance.now() - started) / 1000;
    console.log(`${machine()}\n${rows} rows of ${METRICS.length} metrics loaded in ${took.toFixed(1)} s\n`);
    const feed = feedLive(product);
    try {
      const table = await measure(product, rounds);
      const head = ["range", "server, median", "server, slowest", "points from", "to the screen, median", "slowest"];
      console.log(
        markdownTable(
          head,
          table.map((row) => row.cells),
        ),
      );
      console.log(`\n${await download(product)}`);
      const worst = table.find(({ name }) => name === "30 d")!.worst;
      if (worst < BAR_MS) return 0;
      console.error(`30 d took ${millis(worst)}; the bar is ${BAR_MS} ms`);
      return 1;
    } finally {
      await feed.stop();
    }
  } finally {
    await product.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Measured {
  readonly name: string;
  readonly cells: readonly string[];
  /** The slower of the two medians, ms. */
  readonly worst: number;
}

async function measure(product: Product, rounds: number): Promise<Measured[]> {
  const browser = await openBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.context().addCookies([await product.cookie()]);
    await page.goto(`${product.url}/devices/${DEVICE}?metric=temperature&range=1h`);
    await page.locator("[data-shown] svg").first().waitFor();
    const table: Measured[] = [];
    for (const { name, ms, ago } of STRETCHES) {
      const server: number[] = [];
      let answer: ReadingsAnswer | undefined;
      for (let round = 0; round < rounds; round++) {
        const to = Date.now() - ago - round * HOUR * Math.sign(ago);
        const query = `metric=temperature&maxPoints=250&from=${iso(to - ms)}&to=${iso(to)}`;
        const began = performance.now();
        answer = await product.get<ReadingsAnswer>(`/api/v1/devices/${DEVICE}/readings?${query}`);
        server.push(performance.now() - began);
      }
      const screen: number[] = [];
      for (let round = 0; round < rounds; round++) screen.push(await show(page, ms, ago, round));
      const made = answer!.bucketMs === 0 ? "every reading" : `${answer!.bucketMs / 1000} s of ${answer!.resolution}`;
      table.push({
        name,
        cells: [
          name,
          millis(median(server)),
          millis(Math.max(...server)),
          made,
          millis(median(screen)),
          millis(Math.max(...screen)),
        ],
        worst: Math.max(median(server), median(screen)),
      });
    }
    return table;
  } finally {
    await browser.close();
  }
}

/**
 * Shows a stretch on the page; milliseconds until its chart is painted. Each is another by a few milliseconds, so that
 * none comes from what the page keeps.
 */
async function show(page: Page, ms: number, ago: number, round: number): Promise<number> {
  await choose(page, "range=15m");
  const to = Date.now() - ago - round * HOUR * Math.sign(ago);
  return choose(page, `from=${iso(to - ms)}&to=${iso(to)}`);
}

/** Changes the address as the page's own controls do, and waits until the new chart is painted. */
function choose(page: Page, query: string): Promise<number> {
  return page.evaluate(async (wanted) => {
    const shown = () => document.querySelector("[data-shown]")?.getAttribute("data-shown") ?? "";
    const before = shown();
    const began = performance.now();
    window.history.pushState(null, "", `${location.pathname}?metric=temperature&${wanted}`);
    while (shown() === before || shown() === "") await new Promise((go) => requestAnimationFrame(go));
    // The frame after the one that holds the chart: by then it is on the screen.
    await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
    return performance.now() - began;
  }, query);
}

/** One message a second, so that the page is live while it is measured. */
function feedLive(product: Product): { stop(): Promise<void> } {
  let sending: Promise<unknown> = Promise.resolve();
  const send = () => {
    const body = JSON.stringify({
      device: DEVICE,
      time: new Date().toISOString(),
      readings: { temperature: 21, humidity: 48, vibration: 2 },
    });
    sending = product
      .fetch("/api/v1/telemetry", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      })
      .catch(() => undefined);
  };
  send();
  const timer = setInterval(send, 1000);
  return {
    async stop() {
      clearInterval(timer);
      await sending;
    },
  };
}

/** Measures how fast a day of every reading comes down as CSV. */
async function download(product: Product): Promise<string> {
  const to = Date.now() - 2 * DAY;
  const began = performance.now();
  const answer = await product.fetch(
    `/api/v1/devices/${DEVICE}/readings.csv?metric=${METRICS.join()}&from=${iso(to - 7 * DAY)}&to=${iso(to)}`,
  );
  const text = await answer.text();
  const lines = text.split("\r\n").length - 2;
  const took = performance.now() - began;
  return `CSV of 7 d, every reading: ${lines} rows, ${(text.length / 2 ** 20).toFixed(1)} MB in ${(took / 1000).toFixed(2)} s`;
}

async function openBrowser(): Promise<Browser> {
  const system = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) =>
    (process.env.PATH ?? "").split(path.delimiter).map((folder) => path.join(folder, name)),
  );
  const executablePath = process.env.CHROMIUM_PATH ?? system.find((file) => existsSync(file));
  if (executablePath === undefined) throw new Error("No Chromium found. Install one, or set CHROMIUM_PATH.");
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function millis(ms: number): string {
  return `${Math.round(ms)} ms`;
}
