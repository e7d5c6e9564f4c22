import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loaded, PAGES, PEOPLE_PAGES } from "./pages";
import { post, setStage, type Stage } from "./stage";

const SIZE = { width: 390, height: 844 };
const DEVICE = "press-07";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
  await post(stage.product, { device: DEVICE, time: Date.now(), readings: { temperature: 21.3, motion: false } });
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

/** Returns how far the page can be pushed sideways, in pixels, and what reaches over its edge outside of a box that scrolls. */
function overflow(page: Page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const inBox = (element: Element | null): boolean => {
      if (element === null || element === document.body) return false;
      return /auto|scroll|hidden|clip/.test(getComputedStyle(element).overflowX) || inBox(element.parentElement);
    };
    const wide = [...document.querySelectorAll("body *")]
      .filter((element) => element.getClientRects().length > 0 && element.getBoundingClientRect().right > width + 1)
      .filter((element) => !inBox(element))
      .map((element) => `${element.tagName} ${element.className}`.slice(0, 80));
    return { sideways: document.documentElement.scrollWidth - width, wide };
  });
}

/** Gives the layout a moment to settle. */
async function fits(page: Page, name: string): Promise<void> {
  await expect
    .poll(async () => [name, await overflow(page)], { timeout: 5000 })
    .toEqual([name, { sideways: 0, wide: [] }]);
}

test("every page fits a phone, and the navigation leads to each of them", async () => {
  const page = await stage.open("/");
  await page.setViewportSize(SIZE);
  await page.getByRole("status").getByText("Connected").waitFor();
  for (const { name } of [...PAGES, ...PEOPLE_PAGES.slice(0, -1)].toReversed()) {
    await page.getByRole("button", { name: "Navigation", exact: true }).click();
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name }).click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await page
      .getByText(/^All good/)
      .filter({ visible: true })
      .first()
      .waitFor();
    await loaded(page);
    await fits(page, name);
  }
  await page.context().close();
});

test("a very long name pushes nothing out, on a phone or at twice the size of letters", async () => {
  const device = `${"line-".repeat(25)}abc`;
  await post(stage.product, { device, time: Date.now(), readings: { ["m".repeat(128)]: 1e9, tiny: 1e-9, none: 0 } });
  const page = await stage.open(`/devices/${device}`);
  await page.getByRole("region", { name: "Current values" }).getByTitle("1,000,000,000").waitFor();
  for (const width of [SIZE.width, 720]) {
    await page.setViewportSize({ ...SIZE, width });
    await fits(page, `${device} ${width}`);
  }
  for (const route of ["/", `/devices?search=${device}`, "/metrics", "/dead-letters"]) {
    await page.goto(route);
    await loaded(page);
    for (const width of [SIZE.width, 720]) {
      await page.setViewportSize({ ...SIZE, width });
      await fits(page, `${route} ${width}`);
    }
  }
  await page.context().close();
});

test("a device is found, read and its history looked at on a phone", async () => {
  const page = await stage.open("/devices");
  await loaded(page);
  await page.setViewportSize(SIZE);
  await page.getByRole("textbox", { name: "Search devices" }).fill(DEVICE);
  await page.getByRole("link", { name: DEVICE }).click();
  await page.getByRole("region", { name: "Current values" }).getByTitle("21.3").waitFor();
  await page.locator("figure").first().waitFor();
  await fits(page, DEVICE);
  await post(stage.product, { device: DEVICE, time: Date.now(), readings: { temperature: 22.4, motion: true } });
  await page.getByRole("region", { name: "Current values" }).getByTitle("22.4").waitFor();
  // What is pointed at is read above the plot, however many lines that takes.
  const chart = page.getByRole("slider").first();
  await chart.focus();
  await page.keyboard.press("End");
  const readOut = chart.locator("[data-read-out]");
  await readOut.waitFor();
  const [outer, inner] = [(await chart.boundingBox())!, (await readOut.boundingBox())!];
  expect(inner.height).toBeGreaterThan(20);
  expect(inner.y + inner.height).toBeLessThanOrEqual(outer.y + 28);
  await page.context().close();
});

test("tables of figures stand whole on a phone, each cell with what it tells", async () => {
  const page = await stage.open("/");
  await page.setViewportSize(SIZE);
  for (const [route, table] of [
    ["/retention/cost", "Room by what takes it"],
    ["/metrics/lineage", "Data, one kind a row"],
  ] as const) {
    await page.goto(route);
    const region = page.getByRole("region", { name: table });
    await region.waitFor();
    await expect.poll(() => region.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
  }
});
