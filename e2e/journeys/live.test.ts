import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../waiting";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

test("the overview moves by itself", async () => {
  const page = await stage.open("/");
  await page.getByRole("status").getByText("Connected").waitFor();
  const total = page.getByRole("region", { name: "Readings", exact: true }).locator("[data-total=readings]");
  const readings = async () => Number(((await total.getAttribute("title")) ?? "").replace(/\D/g, ""));
  await until(async () => (await readings()) > 0, { timeoutMs: PATIENCE_MS, what: "readings on the overview" });
  const before = await readings();
  await until(async () => (await readings()) > before, { timeoutMs: PATIENCE_MS, what: "the overview to move" });

  const rate = page.getByRole("region", { name: "Messages", exact: true });
  await until(async () => /[1-9]/.test(await rate.innerText()), {
    timeoutMs: PATIENCE_MS,
    what: "a rate that isn't zero",
  });
  await page.getByRole("region", { name: "Devices" }).getByRole("link", { name: "Live 5" }).waitFor();
  await page.context().close();
});

test("devices are searched, and their rows change in place", async () => {
  await post(stage.product, { device: "needle-07", time: Date.now(), readings: { temperature: 1 } });
  const page = await stage.open("/devices");
  const table = page.getByRole("table", { name: "Devices" });
  await until(async () => (await table.getByRole("row").count()) >= 6, {
    timeoutMs: PATIENCE_MS,
    what: "all devices in the table",
  });

  await page.getByRole("textbox", { name: "Search devices" }).fill("NEEDLE");
  const row = table.getByRole("row", { name: /needle-07/ });
  await until(async () => (await table.getByRole("row").count()) === 2 && (await row.isVisible()), {
    timeoutMs: PATIENCE_MS,
    what: "one match",
  });
  expect(page.url()).toContain("search=NEEDLE");

  await mark(page);
  await post(stage.product, { device: "needle-07", time: Date.now(), readings: { temperature: 77.7 } });
  await row.getByText("77.7").waitFor();
  expect(await isMarked(page)).toBe(true);

  await row.getByRole("link", { name: "needle-07" }).click();
  await page.getByRole("region", { name: "Current values" }).getByTitle("77.7").waitFor();
  await page.context().close();
});

test("a device's page shows a new reading within 2 s of its POST", async () => {
  const device = "press-07";
  await post(stage.product, { device, time: Date.now() - 5000, readings: { temperature: 20, motion: false } });
  await until(
    () =>
      stage.product.get(`/api/v1/devices/${device}`).then(
        () => true,
        () => false,
      ),
    { timeoutMs: PATIENCE_MS, what: "the device" },
  );
  const page = await stage.open(`/devices/${device}?view=table&metric=temperature`);
  const values = page.getByRole("region", { name: "Current values" });
  const history = page.getByRole("region", { name: "History as a table" });
  await values.getByText("20", { exact: false }).first().waitFor();
  await page.getByRole("status").getByText("Connected").waitFor();
  await mark(page);

  const took: number[] = [];
  for (const value of [31.1, 32.2, 33.3, 34.4, 35.5]) {
    const started = performance.now();
    await post(stage.product, { device, time: Date.now(), readings: { temperature: value, motion: true } });
    await values.getByTitle(String(value)).first().waitFor();
    took.push(performance.now() - started);
    await history.getByText(String(value)).first().waitFor();
  }
  console.log(`POST to screen: ${took.map((ms) => `${Math.round(ms)} ms`).join(", ")}`);
  expect(Math.max(...took)).toBeLessThan(2000);
  expect(await isMarked(page)).toBe(true);

  // An older event time is history; it is not what the device says now.
  await post(stage.product, { device, time: Date.now() - 60_000, readings: { temperature: 12.3 } });
  await history.getByText("12.3").first().waitFor();
  expect(await values.getByTitle("35.5").first().isVisible()).toBe(true);
  await page.context().close();
});

/** A page that is loaded again loses this. */
function mark(page: Page): Promise<void> {
  return page.evaluate(() => void ((window as { journeyMark?: boolean }).journeyMark = true));
}

function isMarked(page: Page): Promise<boolean> {
  return page.evaluate(() => (window as { journeyMark?: boolean }).journeyMark === true);
}
