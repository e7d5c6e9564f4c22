import { readFile } from "node:fs/promises";
import type { Page } from "playwright";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FleetSummary } from "@/server/contracts/fleet";
import { until } from "../waiting";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

const DEVICES = 400;
const name = (i: number) => `unit-${String(i).padStart(3, "0")}`;
const sites = ["hall", "roof", "yard"];
const about = (i: number, temperature: number) => ({
  ...{ device: name(i), time: Date.now(), site: sites[i % 3], type: i % 2 === 0 ? "pump" : "fan" },
  readings: { temperature, humidity: 50, door: false },
});

let stage: Stage;
beforeAll(async () => {
  // Each says something once: however long the journeys take, all stay live.
  stage = await setStage({ DEMO_DEVICES: "0", DEVICE_STALE_SECONDS: "3600" });
  for (let i = 0; i < DEVICES; i += 100)
    await post(
      stage.product,
      Array.from({ length: 100 }, (_, k) => about(i + k, i + k)),
    );
  await until(async () => (await stage.product.get<FleetSummary>("/api/v1/fleet/summary")).states.live === DEVICES, {
    timeoutMs: PATIENCE_MS,
    what: "all devices",
  });
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

const table = (page: Page) => page.getByRole("table", { name: "Devices" });
const row = (page: Page, id: string) => table(page).getByRole("row", { name: new RegExp(id) });
const focusedOn = (page: Page) => page.evaluate(() => document.activeElement?.closest("tr")?.dataset.row ?? null);

async function openList(route = "/devices"): Promise<Page> {
  const page = await stage.open(route);
  await row(page, "unit-").first().waitFor();
  await page.getByRole("status").getByText("Connected").waitFor();
  return page;
}

test("only the rows on screen are drawn, and the scroll bar tells of all", async () => {
  const page = await openList();
  expect(await table(page).getAttribute("aria-rowcount")).toBe(String(DEVICES + 1));
  expect(await table(page).getByRole("row").count()).toBeLessThan(60);
  const box = table(page).locator("..");
  expect(await box.evaluate((element) => element.scrollHeight)).toBeGreaterThan(DEVICES * 34);
  await box.evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await row(page, name(DEVICES - 1))
    .getByTitle("399", { exact: true })
    .waitFor();
  await page.context().close();
});

test("values change in place, rows stay, and a new order is offered, not done", async () => {
  const page = await openList("/devices?sort=-messages");
  const ids = () =>
    table(page)
      .locator("tr[data-row]")
      .evaluateAll((rows) => rows.map((one) => (one as HTMLElement).dataset.row));
  const before = await ids();
  const moved = before[5]!;
  await post(stage.product, { ...about(0, 0), device: moved, readings: { temperature: 4321 } });
  await row(page, moved).getByText("4,321").waitFor();
  const sortAgain = page.getByRole("button", { name: /sort again/ });
  await sortAgain.waitFor();
  expect(await ids()).toEqual(before);
  await sortAgain.click();
  await until(async () => (await ids())[0] === moved, { timeoutMs: PATIENCE_MS, what: "the new order" });
  await page.context().close();
});

test("who says goodbye is silent at once, here and on its page, and live with its next message", async () => {
  const id = name(3);
  const page = await openList(`/devices?search=${id}`);
  const own = await stage.open(`/devices/${id}`);
  await own.getByTitle("Heard from lately").waitFor();
  await row(page, id).getByText("Live").waitFor();
  await post(stage.product, { device: id, time: Date.now(), gone: true });
  // Far sooner than what is only loaded now and then.
  await row(page, id).getByText("Silent").waitFor({ timeout: 10_000 });
  await row(page, id)
    .getByText(/^gone /)
    .waitFor();
  await own.getByText("Said goodbye").waitFor({ timeout: 10_000 });
  await own.getByText("Silent", { exact: true }).waitFor();
  await post(stage.product, about(3, 3));
  await row(page, id).getByText("Live").waitFor();
  await own.getByText("Said goodbye").waitFor({ state: "detached" });
  await own.context().close();
  await page.context().close();
});

test("search, site and state are in the address, and their counts are right", async () => {
  const page = await openList();
  await page.keyboard.press("/");
  await page.keyboard.type("PUMP");
  await page.getByRole("status").getByText(`200 of ${DEVICES} devices`).waitFor();
  await page.getByRole("group", { name: "State" }).getByRole("button", { name: "Live 200" }).waitFor();
  await page.getByRole("combobox", { name: "Site" }).click();
  await page.getByRole("option", { name: /^roof \(\d+\)$/ }).click();
  await until(async () => page.url().includes("search=PUMP") && page.url().includes("site=roof"), {
    timeoutMs: PATIENCE_MS,
    what: "filters in the address",
  });
  const { total } = await stage.product.get<FleetSummary>("/api/v1/fleet/summary?search=pump&site=roof");
  await page.getByRole("status").getByText(`${total} of ${DEVICES} devices`).waitFor();

  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download CSV" }).click();
  const file = await (await download).path();
  const rows = parse(await readFile(file), { columns: true }) as Record<string, string>[];
  expect(rows).toHaveLength(total);
  expect(rows.every(({ site, type }) => site === "roof" && type === "pump")).toBe(true);

  const shared = await openList(new URL(page.url()).pathname + new URL(page.url()).search);
  await shared.getByRole("status").getByText(`${total} of ${DEVICES} devices`).waitFor();
  await shared
    .getByRole("group", { name: "State" })
    .getByRole("button", { name: /Silent/ })
    .click();
  await shared.getByText("No device matches.").waitFor();
  await shared.getByRole("button", { name: "Clear the filters" }).click();
  await shared.getByRole("status").getByText(`${DEVICES} devices`, { exact: true }).waitFor();
  expect(new URL(shared.url()).search).toBe("");
  await shared.context().close();
  await page.context().close();
});

test("a search is found whole, at whatever pace it is typed", async () => {
  const page = await openList();
  const field = page.getByRole("textbox", { name: "Search devices" });
  // A slow machine receives letters while the earlier ones are still on their way to the address.
  const tools = await page.context().newCDPSession(page);
  await tools.send("Emulation.setCPUThrottlingRate", { rate: 6 });
  for (const delay of [85, 95, 105, 120]) {
    await field.fill("");
    await page.getByRole("status").getByText(`${DEVICES} devices`, { exact: true }).waitFor();
    await field.pressSequentially("unit-37", { delay });
    await page.getByRole("status").getByText(`10 of ${DEVICES} devices`).waitFor();
    expect(await field.inputValue()).toBe("unit-37");
  }
  await page.context().close();
});

test("the keyboard alone: find, walk, open, come back to the same place", async () => {
  const page = await openList("/devices?sort=id");
  await page.keyboard.press("j");
  await until(async () => (await focusedOn(page)) === name(0), { timeoutMs: PATIENCE_MS, what: "the first row" });
  for (let i = 0; i < 45; i++) await page.keyboard.press("j");
  await page.keyboard.press("k");
  await until(async () => (await focusedOn(page)) === name(44), { timeoutMs: PATIENCE_MS, what: "row 44" });
  await page.keyboard.press("End");
  await until(async () => (await focusedOn(page)) === name(DEVICES - 1), {
    timeoutMs: PATIENCE_MS,
    what: "the last row",
  });
  await page.keyboard.press("k");
  const chosen = name(DEVICES - 2);
  await until(async () => (await focusedOn(page)) === chosen, { timeoutMs: PATIENCE_MS, what: "the last but one" });

  // Focus stays while values change.
  await post(stage.product, about(DEVICES - 2, 1234));
  await row(page, chosen).getByText("1,234").waitFor();
  expect(await focusedOn(page)).toBe(chosen);

  await page.keyboard.press("Enter");
  await page.waitForURL(`**/devices/${chosen}`);
  await page.goBack();
  await page.locator(`tr[data-row="${chosen}"][data-current=true]`).waitFor();

  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard" });
  await help.getByText("Next device").waitFor();
  await page.keyboard.press("j");
  expect(await row(page, chosen).getAttribute("data-current")).toBe("true");
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "hidden" });

  await page.keyboard.press("/");
  await page.keyboard.type("unit-37");
  await page.getByRole("status").getByText(`10 of ${DEVICES} devices`).waitFor();
  await page.keyboard.press("Enter");
  await until(async () => (await focusedOn(page)) === name(370), { timeoutMs: PATIENCE_MS, what: "the first match" });
  await page.context().close();
});

test("columns are chosen, kept over a reload, and taken back", async () => {
  const page = await openList();
  const heads = () => table(page).getByRole("columnheader").allInnerTexts();
  const standard = await heads();
  expect(standard.join()).toContain("temperature");
  await page.getByRole("button", { name: "Columns" }).click();
  const panel = page.getByRole("dialog", { name: "Columns" });
  await panel.getByRole("checkbox", { name: "Type" }).uncheck();
  await panel.getByRole("checkbox", { name: "door" }).check();
  await until(async () => (await heads()).join().includes("door"), { timeoutMs: PATIENCE_MS, what: "the new column" });
  await page.reload();
  await row(page, "unit-").first().getByText("false").waitFor();
  expect((await heads()).join()).not.toContain("Type");
  await page.getByRole("button", { name: "Columns" }).click();
  await panel.getByRole("button", { name: "Back to the default" }).click();
  await until(async () => (await heads()).join() === standard.join(), { timeoutMs: PATIENCE_MS, what: "the default" });
  await page.context().close();
});

test("after a restart of the server the list goes on by itself, where it was", async () => {
  const page = await openList("/devices?sort=id");
  await page.keyboard.press("End");
  await row(page, name(DEVICES - 1)).waitFor();
  await stage.restart();
  await page.getByRole("status").getByText("Connected").waitFor();
  await post(stage.product, about(DEVICES - 1, 777));
  await row(page, name(DEVICES - 1))
    .getByText("777")
    .waitFor();
  expect(await focusedOn(page)).toBe(name(DEVICES - 1));
  await page.context().close();
});
