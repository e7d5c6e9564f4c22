import { afterAll, beforeAll, expect, test } from "vitest";
import type { Page } from "playwright";
import { until } from "../waiting";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

const DEVICE = "press-07";

let stage: Stage;
let sent = 0;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "0" });
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

/** Sends the next numbers, each a reading. */
async function send(count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    await post(stage.product, { device: DEVICE, time: Date.now(), readings: { n: ++sent * 1000 } });
  await until(async () => (await stored()) === sent, { timeoutMs: PATIENCE_MS, what: `${sent} messages` });
}

const stored = () =>
  stage.product.get<{ messages: number }>(`/api/v1/devices/${DEVICE}`).then(
    ({ messages }) => messages,
    () => 0,
  );

const history = (page: Page) => page.getByRole("region", { name: "History as a table" });

/** Every number sent so far is in the table. */
async function shownWhole(page: Page): Promise<void> {
  let missing: number[] = [];
  await until(
    async () => {
      const text = (await history(page).innerText()).replaceAll(",", "");
      missing = Array.from({ length: sent }, (_, i) => (i + 1) * 1000).filter((n) => !text.includes(`${n}`));
      return missing.length === 0;
    },
    { timeoutMs: PATIENCE_MS, what: "every reading in the table" },
  ).catch((error: unknown) => {
    throw new Error(`Missing in the table: ${missing.join(", ")}`, {
      cause: error,
    });
  });
}

const says = (page: Page, word: string) => page.locator(`[data-connection=${word}]`).waitFor();

async function opened(): Promise<Page> {
  const page = await stage.open(`/devices/${DEVICE}?view=table&range=15m&metric=n`);
  await says(page, "connected");
  await shownWhole(page);
  return page;
}

test("after a break of the network the page is live at once, and without a hole", async () => {
  await send(1);
  const page = await opened();
  // Far enough that a room which counts from the start again stays behind for the rest of the test.
  for (let i = 0; i < 12; i++) {
    await send(1);
    await shownWhole(page);
  }
  for (let blip = 0; blip < 2; blip++) {
    await page.context().setOffline(true);
    await says(page, "reconnecting");
    await send(3);
    await page.context().setOffline(false);
    await says(page, "connected");
    await shownWhole(page);
    await send(1);
    await shownWhole(page);
  }
  await page.context().close();
});

test("goes on where another browser kept the room, and after a restart of the server", async () => {
  const keeper = await opened();
  const page = await opened();
  await page.context().setOffline(true);
  await says(page, "reconnecting");
  await send(2);
  await page.context().setOffline(false);
  await says(page, "connected");
  await send(1);
  await shownWhole(page);
  await stage.restart();
  await says(page, "connected");
  await send(1);
  await shownWhole(page);
  await shownWhole(keeper);
  await keeper.context().close();
  await page.context().close();
});

test("the history is loaded again every minute, although frames come", async () => {
  const page = await stage.open("/health");
  await page.clock.install();
  let loads = 0;
  page.on("response", (response) => void (response.url().includes("/readings?") && loads++));
  await page.goto(`/devices/${DEVICE}?view=table&range=15m&metric=n`);
  await says(page, "connected");
  await shownWhole(page);
  const before = loads;
  for (let i = 0; i < 7; i++) {
    await send(1);
    await shownWhole(page);
    await page.clock.runFor(10_000);
  }
  await until(() => loads > before, { timeoutMs: PATIENCE_MS, what: "a reload" });
  await page.context().close();
});
