import path from "node:path";
import { parseArgs } from "node:util";
import type { Page } from "playwright";
import { setStage, type Stage } from "../journeys/stage";
import { ROOT } from "../product";
import { firstBytes } from "./first-load";
import { pause } from "../waiting";
import { machine, markdownTable, median } from "./report";

/** What a browser's main thread did: seconds of CPU, and its tasks above 50 ms. */
interface Watched {
  readonly cpuSeconds: number;
  readonly longTasksMs: number;
  readonly longestMs: number;
}

interface Measured extends Watched {
  /** Scripts (gzip) that the page needs first. */
  readonly firstKb: number;
  /** From the navigation until the first of the page's content is about to be painted. */
  readonly contentMs: number;
  readonly loadingLongTasksMs: number;
}

/**
 * Opens a page of each build in a real browser, in turn, and watches it: scripts it needs first, time to content and long tasks while loading, then CPU and
 * the longest task over some seconds. A folder of another build is an argument. `--path /devices/press-01?metric=…` for another page than the overview,
 * with `--content` a selector that is there once its content is.
 */
export async function main(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      path: { type: "string", default: "/" },
      content: { type: "string", default: "#content section, #content figure" },
      seconds: { type: "string", default: "30" },
      rounds: { type: "string", default: "3" },
      devices: { type: "string", default: "50" },
    },
  });
  const builds = [...positionals.map((build) => path.resolve(build)), ROOT];
  const found = builds.map((): Measured[] => []);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [i, build] of builds.entries()) {
      const stage = await setStage({ DEMO_DEVICES: values.devices }, undefined, build);
      try {
        await (await stage.open(values.path)).context().close();
        const firstKb = (await firstBytes(stage, values.path)) / 1024;
        found[i]!.push({ firstKb, ...(await measure(stage, values.path, values.content, Number(values.seconds))) });
      } finally {
        await stage.close();
      }
    }
  }
  const row = (title: string, of: (one: Measured) => number, digits = 0) => [
    title,
    ...found.map((some) => median(some.map(of)).toFixed(digits)),
  ];
  const rows = [
    row("scripts needed first, KB gzip", ({ firstKb }) => firstKb),
    row("content visible, ms", ({ contentMs }) => contentMs),
    row("long tasks while loading, ms", ({ loadingLongTasksMs }) => loadingLongTasksMs),
    row(`CPU in ${values.seconds} s, s`, ({ cpuSeconds }) => cpuSeconds, 2),
    row("long tasks meanwhile, ms", ({ longTasksMs }) => longTasksMs),
    row("longest of them, ms", ({ longestMs }) => longestMs),
  ];
  console.log(`${machine()}\n${values.path}\n\n${markdownTable(["median", ...builds], rows)}`);
  return 0;
}

async function measure(
  stage: Stage,
  route: string,
  content: string,
  seconds: number,
): Promise<Omit<Measured, "firstKb">> {
  const page = await stage.open(route, async (opened) => {
    await opened.addInitScript(() => {
      const tasks: number[] = [];
      Object.assign(window, { longTasks: tasks });
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
        type: "longtask",
        buffered: true,
      });
    });
    // Noted in the page itself: a script outside learns of it later, and waits for the whole page to load first.
    await opened.addInitScript((selector) => {
      const observer = new MutationObserver(() => {
        if (!document.querySelector(selector)) return;
        observer.disconnect();
        requestAnimationFrame(() => Object.assign(window, { contentMs: performance.now() }));
      });
      observer.observe(document, { childList: true, subtree: true, characterData: true });
    }, content);
  });
  await page.waitForFunction(() => "contentMs" in window);
  const contentMs = await page.evaluate(() => (window as unknown as { contentMs: number }).contentMs);
  await page.waitForLoadState("networkidle").catch(() => undefined);
  await pause(2000);
  const loading = await takeTasks(page);
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const cpu = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")!.value;
  };
  const before = await cpu();
  await pause(seconds * 1000);
  const cpuSeconds = (await cpu()) - before;
  const watched = await takeTasks(page);
  await page.context().close();
  const sum = (tasks: readonly number[]) => tasks.reduce((total, ms) => total + ms, 0);
  return {
    contentMs,
    loadingLongTasksMs: sum(loading),
    cpuSeconds,
    longTasksMs: sum(watched),
    longestMs: Math.max(0, ...watched),
  };
}

/** Takes the long tasks noted since the last time. */
async function takeTasks(page: Page): Promise<number[]> {
  return page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks.splice(0));
}
