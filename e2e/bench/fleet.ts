import { parseArgs } from "node:util";
import type { CDPSession, Locator, Page } from "playwright";
import type { FleetOrder } from "@/server/contracts/fleet";
import { setStage, type Stage } from "../journeys/stage";
import { pause, until } from "../waiting";
import { registerFleet, startFleetLoad } from "./fleet-load";
import { machine, markdownTable, median } from "./report";

interface Watched {
  /** Milliseconds since the page was asked for, until the first row with values stood there. */
  firstRows: number | null;
  longTasks: { at: number; ms: number }[];
}

/**
 * The list of devices with many of them and messages coming in all the time: time to the first rows, long tasks while
 * watching and scrolling, answers to a search, and the page's memory. In the built product and a real browser. `--only search` leaves out the rest;
 * `--rate 0` sends nothing meanwhile.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      devices: { type: "string", default: "10000" },
      rate: { type: "string", default: "2000" },
      seconds: { type: "string", default: "60" },
      only: { type: "string" },
    },
  });
  const [devices, rate, seconds] = [Number(values.devices), Number(values.rate), Number(values.seconds)];
  const stage = await setStage({ DEMO_DEVICES: "0" });
  const rows: [string, string][] = [];
  try {
    await registerFleet(stage.product, devices);
    const load = startFleetLoad(stage.product, devices, rate);
    try {
      await pause(5000);
      if (values.only !== "search") {
        rows.push(...(await firstRows(stage)));
        rows.push(...(await watch(stage, seconds)));
      }
      rows.push(...(await searches(stage)));
    } finally {
      rows.push(["messages taken in meanwhile", `${Math.round(await load.stop())}/s`]);
    }
    if (stage.errors.length > 0) throw new Error(`The page threw: ${stage.errors.join("\n")}`);
  } finally {
    await stage.close();
  }
  console.log(`${machine()}\n${devices} devices, ${rate} messages/s sent\n\n${markdownTable(["", "measured"], rows)}`);
  return 0;
}

/** Notes, before anything else runs in the page, when the first row with a value stands there, and every long task. */
function observe(): void {
  const watched: Watched = { firstRows: null, longTasks: [] };
  (window as unknown as { watched: Watched }).watched = watched;
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) watched.longTasks.push({ at: startTime, ms: duration });
  }).observe({ type: "longtask", buffered: true });
  const look = () => {
    if (/\d/.test(document.querySelector('tr[data-row] td[data-column^="value:"]')?.textContent ?? ""))
      watched.firstRows = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

async function open(stage: Stage): Promise<Page> {
  const page = await stage.open("about:blank");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.addInitScript(observe);
  await page.goto("/devices");
  await page.waitForFunction(() => (window as unknown as { watched: Watched }).watched.firstRows !== null);
  return page;
}

const readWatched = (page: Page) => page.evaluate(() => (window as unknown as { watched: Watched }).watched);

/** A new browser context each time: nothing is cached. */
async function firstRows(stage: Stage): Promise<[string, string][]> {
  const took: number[] = [];
  for (let i = 0; i < 5; i++) {
    const page = await open(stage);
    took.push((await readWatched(page)).firstRows ?? NaN);
    await page.context().close();
  }
  return [["first rows with values, five new browsers", `${ms(median(took))} (${took.map(ms).join(", ")})`]];
}

async function watch(stage: Stage, seconds: number): Promise<[string, string][]> {
  const page = await open(stage);
  // The page's own start isn't counted as watching.
  await page.getByRole("status").getByText("Connected").waitFor();
  await pause(2000);
  const session = await page.context().newCDPSession(page);
  const before = await memory(session);
  // Most trouble is out of sight of the load: the end of the list is where values change.
  const box = page.locator("table[aria-label=Devices]").locator("..");
  await box.evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await until(async () => (await shownIds(page)).length > 10, { timeoutMs: 10_000, what: "the last rows" });
  await pause(1000);
  const ids = await shownIds(page);
  await page.evaluate(() => {
    const counts = { changes: 0 };
    (window as unknown as { counts: typeof counts }).counts = counts;
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const cell = (target.nodeType === Node.TEXT_NODE ? target.parentElement : (target as Element))?.closest("td");
        if (cell?.dataset.column?.startsWith("value:")) counts.changes++;
      }
    }).observe(document.querySelector("table tbody")!, { subtree: true, characterData: true, childList: true });
  });
  const from = await page.evaluate(() => performance.now());
  await pause(seconds * 1000);
  const idle = tasksAfter(await readWatched(page), from);
  const changes = await page.evaluate(() => (window as unknown as { counts: { changes: number } }).counts.changes);
  if (changes === 0) throw new Error("No value changed while watching.");
  if ((await shownIds(page)).join() !== ids.join()) throw new Error("Rows moved while watching.");
  const after = await memory(session);

  const scrolling = await page.evaluate(() => performance.now());
  await box.evaluate((element) => element.scrollTo(0, 0));
  await box.hover();
  for (let i = 0; i < 100; i++) {
    await page.mouse.wheel(0, 400);
    await pause(30);
  }
  await box.evaluate((element) => element.scrollTo(0, element.scrollHeight / 2));
  await until(async () => page.evaluate(() => document.querySelectorAll("tr[data-row][data-state]").length > 15), {
    timeoutMs: 10_000,
    what: "rows in the middle",
  });
  const scrolled = tasksAfter(await readWatched(page), scrolling);
  await page.context().close();
  return [
    [`long tasks in ${seconds} s of watching (${changes} values changed in place, no row moved)`, told(idle)],
    ["long tasks in 3 s of scrolling and a jump", told(scrolled)],
    ["memory of the page, JavaScript heap after collection", `${mb(before)} → ${mb(after)}`],
  ];
}

function shownIds(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("tr[data-row]")].map((row) => row.dataset.row ?? ""),
  );
}

/** Typed a letter after the other, as a quick typist does. */
const TYPED_EVERY_MS = 60;

async function searches(stage: Stage): Promise<[string, string][]> {
  const texts = ["press", "jena", "p", "00", "meter", "kiel", "-0001", "cold", "nothing like it", "lyon"];
  const server: number[] = [];
  for (const text of [...texts, ...texts]) {
    const started = performance.now();
    await stage.product.get(`/api/v1/fleet/order?search=${encodeURIComponent(text)}`);
    server.push(performance.now() - started);
  }
  const page = await open(stage);
  await page.getByRole("status").getByText("Connected").waitFor();
  const field = page.getByRole("textbox", { name: "Search devices" });
  const list: number[] = [];
  for (const text of texts) {
    const query = new URLSearchParams({ search: text, sort: "state", rows: "40" });
    const { ids } = await stage.product.get<FleetOrder>(`/api/v1/fleet/order?${query}`);
    await field.fill("");
    // Nothing that was under way for another text counts.
    await page.waitForURL((url) => !url.searchParams.has("search"));
    await page.waitForLoadState("networkidle");
    list.push(await typed(page, field, text, { ids: [...ids] }));
  }
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  const finder = page.getByRole("combobox", { name: /^Find a device/ });
  const palette: number[] = [];
  for (const id of ["press-00044", "pump-00013", "meter-00026", "cold-room-00003", "press-00008"]) {
    await finder.fill("");
    palette.push(await typed(page, finder, id.slice(0, -1), { option: id }));
  }
  await page.context().close();
  return [
    ["search, answer of the server (20 searches)", spread(server)],
    [`search, from the last letter to the rows on screen (${list.length} searches)`, spread(list)],
    [`palette, from the last letter to the device on screen (${palette.length} searches)`, spread(palette)],
  ];
}

/** What is on screen once a text is found: the drawn rows of the list are of these ids, or the palette offers this device. */
type Found = { readonly ids: string[] } | { readonly option: string };

/** What the page notes of typing. */
interface Typed {
  took?: number;
  stop?: () => void;
}

/** Milliseconds from the last letter's key until what was searched for is about to be painted, as the page itself sees it. */
async function typed(page: Page, field: Locator, text: string, found: Found): Promise<number> {
  await field.focus();
  await page.evaluate(
    ({ wanted, search }) => {
      const ids = "ids" in wanted ? new Set(wanted.ids) : null;
      const isListed = (fitting: ReadonlySet<string>) => {
        if (new URLSearchParams(location.search).get("search") !== search) return false;
        if (fitting.size === 0) return document.body.textContent.includes("No device matches");
        const table = document.querySelector<HTMLElement>('table[aria-label="Devices"]');
        const rows = [...document.querySelectorAll<HTMLElement>("tr[data-row][data-state]")];
        if (table === null || table.dataset.dimmed !== undefined || rows.length === 0) return false;
        return table.ariaRowCount === String(fitting.size + 1) && rows.every((row) => fitting.has(row.dataset.row!));
      };
      const isOffered = () =>
        [...document.querySelectorAll('[role="option"] > :first-child')].some(
          (label) => "option" in wanted && label.textContent === wanted.option,
        );
      let key = 0;
      let isShown = false;
      const onKey = ({ timeStamp }: KeyboardEvent) => {
        key = timeStamp;
        // What an earlier letter found isn't what this one finds.
        isShown = false;
        delete (window as unknown as Typed).took;
      };
      const observer = new MutationObserver(() => {
        if (isShown || key === 0 || !(ids === null ? isOffered() : isListed(ids))) return;
        isShown = true;
        const of = key;
        requestAnimationFrame(() => {
          if (of === key) (window as unknown as Typed).took = performance.now() - of;
        });
      });
      (window as unknown as Typed).stop?.();
      delete (window as unknown as Typed).took;
      addEventListener("keydown", onKey, { capture: true });
      observer.observe(document.body, { childList: true, subtree: true, attributes: true, characterData: true });
      (window as unknown as Typed).stop = () => {
        removeEventListener("keydown", onKey, { capture: true });
        observer.disconnect();
      };
    },
    { wanted: found, search: text },
  );
  await page.keyboard.type(text, { delay: TYPED_EVERY_MS });
  await page.waitForFunction(() => "took" in window);
  return page.evaluate(() => (window as unknown as Typed).took!);
}

function spread(took: readonly number[]): string {
  return `${ms(median(took))}, longest ${ms(Math.max(...took))}`;
}

async function memory(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  return (await session.send("Runtime.getHeapUsage")).usedSize;
}

function tasksAfter({ longTasks }: Watched, from: number): number[] {
  return longTasks.filter(({ at }) => at >= from).map((task) => task.ms);
}

function told(tasks: readonly number[]): string {
  const long = tasks.filter((task) => task > 100).length;
  const longest = tasks.length === 0 ? "" : `, longest ${ms(Math.max(...tasks))}`;
  return `${long} over 100 ms, ${tasks.length} over 50 ms${longest}`;
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}

function mb(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}
