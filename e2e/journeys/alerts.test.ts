import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Alert } from "@/server/contracts/alerts";
import { until } from "../waiting";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "0", DEVICE_STALE_SECONDS: "3600" });
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

const send = (temperature: number) =>
  post(stage.product, { device: "oven-1", time: new Date().toISOString(), readings: { temperature } });
const alerts = async () => (await stage.product.get<{ items: Alert[] }>("/api/v1/alerts")).items;
const row = (page: Page) => page.locator("li[data-alert]").filter({ hasText: "oven-1" });

test("a rule made on screen fires, is acknowledged by keyboard, and is over when the value falls", async () => {
  await send(20);
  await until(async () => (await stage.product.fetch("/api/v1/devices/oven-1")).ok, {
    timeoutMs: PATIENCE_MS,
    what: "the device",
  });
  const page = await stage.open("/alerts/rules");
  await page.getByRole("button", { name: "New rule…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Oven too hot");
  await dialog.getByLabel("Metric").fill("temperature");
  await dialog.getByLabel("Warning", { exact: true }).fill("80");
  await dialog.getByLabel("Over again at").fill("75");
  await dialog.getByText("It watches 1 series of 1 device.").waitFor();
  await dialog.getByRole("button", { name: "Add rule" }).click();
  const rule = page.locator('[data-rule="Oven too hot"]');
  await rule
    .getByText("When temperature is above 80 → warning at all devices; over when temperature is below 75.")
    .waitFor();

  await page.goto("/alerts");
  await page.getByText("Nothing fires.").waitFor();
  await send(91.25);
  await row(page).getByText("temperature 91.3, above 80").waitFor();
  await page.getByText("1 firing, none critical; nobody has acknowledged.").waitFor();

  await page.keyboard.press("j");
  await page.keyboard.press("a");
  await page.getByRole("dialog").getByLabel("Note").waitFor();
  await page.keyboard.type("On my way");
  await page.keyboard.press("Enter");
  await row(page).getByText("On my way").waitFor();
  await page.getByText("1 firing, none critical; acknowledged.").waitFor();
  const [first] = await alerts();
  expect(first).toMatchObject({ state: "firing", acknowledged: { note: "On my way" } });

  await page.keyboard.press("e");
  await page.getByText(/^Fired at .* with 91\.25 \(alert \d+\), but no route takes it: nobody is told\.$/).waitFor();
  await page.getByRole("link", { name: `Alert ${first!.id}`, exact: true }).click();
  await page.getByText("Acknowledged by").waitFor();
  await send(70);
  await page.getByText("Resolved").first().waitFor();
  expect(await alerts()).toMatchObject([{ id: first!.id, state: "resolved", worstValue: 91.25 }]);
});

test("a rule begins at a chart's spike, fires, is explained and silenced by keyboard, acknowledged by a thumb, and is over", async () => {
  const from = (heat: number) =>
    post(stage.product, {
      ...{ device: "kiln-1", site: "north", type: "kiln", time: new Date().toISOString(), readings: { heat } },
    });
  const fired = async () =>
    (await stage.product.get<{ items: Alert[] }>("/api/v1/alerts?device=kiln-1&state=open")).items.length;
  await from(20);
  await from(96.13);
  const page = await stage.open("/devices/kiln-1");
  await page.getByRole("link", { name: "Make a rule…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog
    .getByText("When heat is above 96.1 → warning at devices of type kiln at north.")
    .waitFor({ timeout: PATIENCE_MS });
  await dialog.getByLabel("Name").fill("Kiln too hot");
  await dialog.getByRole("button", { name: "Add rule" }).click();
  await dialog.waitFor({ state: "hidden" });
  await from(99);
  await until(async () => (await fired()) === 1, { timeoutMs: PATIENCE_MS, what: "an alert" });

  // The chart shows it, and leads to it.
  await page.goto("/devices/kiln-1");
  await page
    .getByRole("navigation", { name: "Alerts in this time" })
    .getByRole("link", { name: /^Kiln too hot/ })
    .waitFor();

  await page.goto("/alerts");
  const kiln = page.locator("li[data-alert]").filter({ hasText: "kiln-1" });
  await kiln.waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("e");
  await page.waitForURL(/alerts\/why/);
  await page.locator("#content").getByText(/heat/).first().waitFor();
  await page.goto("/alerts");
  await kiln.waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("s");
  await dialog.getByLabel("Why").fill("Being mended");
  await dialog.getByRole("button", { name: /^Silence for/ }).click();
  await page.getByText("1 silence holds messages back now").waitFor();
  await page.goto("/alerts/rules");
  await page.getByRole("link", { name: "1 silence hides 1 firing" }).waitFor();

  const phone = await stage.open("/alerts");
  await phone.setViewportSize({ width: 390, height: 844 });
  await phone.getByRole("button", { name: "Acknowledge Kiln too hot of kiln-1" }).click();
  await phone.getByRole("dialog").getByRole("button", { name: "Acknowledge" }).click();
  await phone.locator("li[data-alert][data-acknowledged]").filter({ hasText: "kiln-1" }).waitFor();

  // Told by the room: far sooner than anything is asked for again by itself.
  await page.goto("/alerts");
  await kiln.waitFor();
  await from(20);
  await kiln.waitFor({ state: "detached", timeout: 10_000 });
});
