import { readFileSync } from "node:fs";
import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DeviceDetail } from "@/server/contracts/devices";
import type { FleetSummary } from "@/server/contracts/fleet";
import { until } from "../waiting";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "0", DEVICE_STALE_SECONDS: "3600" });
  await post(
    stage.product,
    Array.from({ length: 30 }, (_, i) => ({
      ...{
        device: `press-${String(i).padStart(2, "0")}`,
        time: Date.now(),
        site: i % 2 ? "Gebäude 7" : "Hall B",
        type: "press",
      },
      readings: { battery: 100 - i * 3, temperature: 20 + i / 8 },
    })),
  );
  await until(async () => (await stage.product.get<FleetSummary>("/api/v1/fleet/summary")).states.live === 30, {
    timeoutMs: PATIENCE_MS,
    what: "all devices",
  });
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

const rows = (page: Page) => page.getByRole("table", { name: "Devices" }).locator("tr[data-row]");
const first = (page: Page) => rows(page).first().getAttribute("data-row");
const picture = async (page: Page, name: string) => {
  const folder = process.env.PICTURES;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
};

test("the lowest battery is found by its column, and narrowed by a typed condition that a link takes along", async () => {
  const page = await stage.open("/devices");
  await page.getByRole("button", { name: "battery" }).click();
  await until(async () => (await first(page)) === "press-29", { timeoutMs: PATIENCE_MS, what: "the lowest first" });
  const condition = page.getByLabel("Condition");
  await condition.fill("battery < low");
  await condition.press("Enter");
  await page.getByText('"low" is no number (character 11)').waitFor();
  await picture(page, "wrong");
  await condition.fill('battery < 40 and site = "Gebäude 7"');
  await condition.press("Enter");
  await until(async () => (await rows(page).count()) === 5, { timeoutMs: PATIENCE_MS, what: "the few that match" });
  const link = new URL(page.url());
  expect(link.searchParams.get("where")).toBe('battery < 40 and site = "Gebäude 7"');
  await picture(page, "where");
  const other = await stage.open(link.pathname + link.search);
  await until(async () => (await rows(other).count()) === 5, { timeoutMs: PATIENCE_MS, what: "the same by the link" });
  await other.context().close();
  await page.context().close();
});

test("chosen devices come as a file, are retired together, hidden, and that is undone", async () => {
  const page = await stage.open("/devices?sort=id");
  await rows(page).first().waitFor();
  for (let i = 0; i < 2; i++) {
    await page.keyboard.press("j");
    await page.keyboard.press("x");
  }
  await page.getByText("2 devices chosen").waitFor();
  await picture(page, "chosen");
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "CSV", exact: true }).click(),
  ]);
  expect(file.suggestedFilename()).toBe("devices-2.csv");
  const [head, ...lines] = readFileSync(await file.path(), "utf8")
    .trim()
    .split(/\r?\n/);
  expect(head).toContain("battery");
  expect(lines.map((line) => line.split(",")[0])).toEqual(["press-00", "press-01"]);
  await page.getByRole("button", { name: "Retire" }).click();
  await page.getByText("2 devices retired: kept, and hidden").waitFor();
  await until(async () => (await rows(page).count()) === 28, { timeoutMs: PATIENCE_MS, what: "two fewer" });
  await picture(page, "retired");
  await page.getByRole("button", { name: "Undo" }).click();
  await until(async () => (await rows(page).count()) === 30, { timeoutMs: PATIENCE_MS, what: "all of them again" });
  await page.context().close();
});

test("devices are chosen by a box in their row, or all that are listed by the one in the head; a finger hits it", async () => {
  const page = await stage.open("/devices?sort=id");
  await rows(page).first().hover();
  const box = page.getByRole("checkbox", { name: "Choose press-00" });
  await box.check();
  await page.getByText("1 device chosen").waitFor();
  // It chooses, and opens nothing.
  expect(new URL(page.url()).pathname).toBe("/devices");
  const all = page.getByRole("checkbox", { name: "Choose all 30 devices listed" });
  await all.check();
  await page.getByText("30 devices chosen").waitFor();
  await all.uncheck();
  await page.getByText("30 devices chosen").waitFor({ state: "detached" });
  expect(await box.isChecked()).toBe(false);
  await page.context().close();

  const phone = await stage.open("/devices?sort=id", async (opened) => {
    const session = await opened.context().newCDPSession(opened);
    const size = { width: 390, height: 844, deviceScaleFactor: 1, mobile: true };
    await session.send("Emulation.setDeviceMetricsOverride", size);
    await session.send("Emulation.setTouchEmulationEnabled", { enabled: true });
  });
  const target = rows(phone).first().locator("label").first();
  await target.waitFor();
  await until(async () => Math.min((await target.boundingBox())!.width, (await target.boundingBox())!.height) >= 44, {
    timeoutMs: PATIENCE_MS,
    what: "what a finger hits to be as large as one",
  });
  expect(await target.evaluate((element) => getComputedStyle(element).opacity)).toBe("1");
  await phone.context().close();
});

test("on paper there are the rows and their heads, and nothing to press", async () => {
  const page = await stage.open("/devices?sort=id");
  await rows(page).first().waitFor();
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  const seen = () =>
    page.evaluate(() =>
      [...document.querySelectorAll("button, input, select, nav a")]
        .filter((one) => one.getClientRects().length > 0 && one.closest("th") === null)
        .filter((one) => !one.matches('[aria-pressed="true"], [aria-current]'))
        .map((one) => one.textContent || one.getAttribute("aria-label")),
    );
  await until(async () => (await seen()).length === 0, { timeoutMs: PATIENCE_MS, what: "nothing to press" });
  // The heads come again on each sheet.
  expect(await page.locator("thead").evaluate((head) => getComputedStyle(head).display)).toBe("table-header-group");
  await page.context().close();
});

test("a retired device says so on its page, is taken back there, and by what it sends", async () => {
  const id = "press-03";
  const retire = async () => {
    const changed = await stage.product.fetch("/api/v1/device-changes", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ devices: [id], changes: { retired: true } }),
    });
    expect(changed.status).toBe(200);
  };
  await retire();
  const page = await stage.open(`/devices/${id}`);
  await page.getByText(/^Retired since /).waitFor();
  await picture(page, "device-retired");
  await page.locator('[data-fact="retired"]').getByRole("button", { name: "Undo" }).click();
  await page.getByText(/^Retired since /).waitFor({ state: "detached" });
  expect((await stage.product.get<DeviceDetail>(`/api/v1/devices/${id}`)).retiredAt).toBeNull();

  await retire();
  await page.reload();
  await page.getByText(/^Retired since /).waitFor();
  await post(stage.product, { device: id, time: Date.now(), readings: { battery: 91 } });
  await page.getByText(/^Returned: it had been retired/).waitFor();
  await picture(page, "device-returned");
  await page.context().close();
});

test("a device is looked at beside the list by one key, and the list stays where it was", async () => {
  const page = await stage.open("/devices?sort=id");
  await rows(page).first().waitFor();
  for (let i = 0; i < 3; i++) await page.keyboard.press("j");
  const chosen = await page.locator("tr[data-current]").getAttribute("data-row");
  await page.keyboard.press("p");
  const sheet = page.getByRole("dialog", { name: chosen! });
  await sheet.locator('[data-value="battery"]').waitFor();
  await sheet.getByRole("link", { name: "Open its page" }).waitFor();
  await picture(page, "sheet");
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "detached" });
  expect(await page.locator("tr[data-current]").getAttribute("data-row")).toBe(chosen);
  await until(() => page.evaluate((id) => document.activeElement?.closest("tr")?.dataset.row === id, chosen), {
    timeoutMs: PATIENCE_MS,
    what: "the focus back on its row",
  });
  await page.context().close();
});

test("a site is renamed after saying what that does, and who says its old name means it", async () => {
  const page = await stage.open("/metrics");
  await page.getByRole("button", { name: "Sites…" }).click();
  const dialog = page.getByRole("dialog", { name: "Sites" });
  await dialog.getByRole("combobox", { name: "Site" }).click();
  await page.getByRole("option", { name: /^Hall B / }).click();
  await dialog.getByLabel("Name", { exact: true }).fill("Hall C");
  await dialog.getByRole("list", { name: "What it does" }).getByText("15 devices").waitFor();
  await picture(page, "site-renamed");
  await dialog.getByRole("button", { name: "Rename to Hall C" }).click();
  await dialog.waitFor({ state: "detached" });
  await post(stage.product, { device: "late-1", time: Date.now(), site: "Hall B", readings: { battery: 50 } });
  const late = () => stage.product.fetch("/api/v1/devices/late-1");
  await until(async () => (await late()).status === 200, { timeoutMs: PATIENCE_MS, what: "the new device" });
  expect(((await (await late()).json()) as DeviceDetail).site).toBe("Hall C");
  await page.goto(`/devices?site=${encodeURIComponent("Hall B")}`);
  await until(async () => (await rows(page).count()) === 16, { timeoutMs: PATIENCE_MS, what: "them by the old name" });
  await page.context().close();
});

test("the columns follow the devices that are listed", async () => {
  await post(stage.product, { device: "gauge-1", time: Date.now(), readings: { level: 3 } });
  const page = await stage.open("/devices?search=gauge");
  await rows(page).first().waitFor();
  await page.getByRole("columnheader", { name: "level" }).first().waitFor();
  await page.context().close();
});
