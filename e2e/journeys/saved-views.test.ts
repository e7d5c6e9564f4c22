import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FleetSummary } from "@/server/contracts/fleet";
import type { ViewsAnswer } from "@/server/contracts/views";
import { until } from "../waiting";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "0", DEVICE_STALE_SECONDS: "3600" });
  await post(
    stage.product,
    Array.from({ length: 30 }, (_, i) => ({
      ...{ device: `press-${String(i).padStart(2, "0")}`, time: Date.now(), site: i % 2 ? "Gebäude 7" : "Hall B" },
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
const heads = (page: Page) => page.getByRole("columnheader").allInnerTexts();
const tabs = (page: Page) => page.getByRole("navigation", { name: "Saved views" }).getByRole("link");
const picture = async (page: Page, name: string) => {
  const folder = process.env.PICTURES;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
};

/** A page of somebody else: a viewer, who has a browser of their own and nothing kept in it. */
async function openAsViewer(route: string): Promise<Page> {
  const page = await stage.open("/");
  const link = await page.evaluate(async () => {
    const body = JSON.stringify({ name: "Vera", role: "viewer" });
    const headers = { "content-type": "application/json" };
    const answer = await fetch("/api/v1/users", { method: "POST", headers, body });
    return ((await answer.json()) as { link: string }).link;
  });
  await page.context().clearCookies();
  // A page that notices that it is signed out leads to the sign-in by itself.
  await page.goto("about:blank");
  await page.goto(link);
  await page.getByRole("button", { name: "Account of Vera" }).waitFor();
  await page.goto(route);
  return page;
}

test("filters and columns are kept as a tab, shared, and the same to another who opens it", async () => {
  const page = await stage.open("/devices?where=battery%20%3C%2040&sort=value:battery");
  await rows(page).first().waitFor();
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("checkbox", { name: "Messages" }).uncheck();
  await page.keyboard.press("Escape");
  expect(new URL(page.url()).searchParams.get("columns")).not.toContain("messages");
  await page.getByRole("button", { name: "Save view" }).click();
  const dialog = page.getByRole("dialog", { name: "Save view" });
  await dialog.getByLabel("Name").fill("Low battery");
  await dialog.getByLabel("For everyone").check();
  await picture(page, "save");
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("link", { name: "Low battery" }).waitFor();
  await picture(page, "tab");
  const shown = await heads(page);
  expect(shown.join(" ")).not.toContain("Messages");

  // Another person, by the keyboard alone.
  const other = await openAsViewer("/devices");
  await other.getByRole("link", { name: "Low battery" }).focus();
  await other.keyboard.press("Enter");
  await until(async () => (await rows(other).count()) === 9, { timeoutMs: PATIENCE_MS, what: "the low ones" });
  expect(await rows(other).first().getAttribute("data-row")).toBe("press-29");
  expect(await heads(other)).toEqual(shown);
  // What a viewer changes is the viewer's own to keep.
  await other.getByRole("columnheader").getByRole("button", { name: "Device" }).click();
  await other.getByRole("link", { name: "Low battery (changed)" }).waitFor();
  expect(await other.getByRole("button", { name: "Update" }).count()).toBe(0);
  await other.getByRole("button", { name: "Save as" }).click();
  await other.getByLabel("Name").fill("By name");
  expect(await other.getByLabel("For everyone").isDisabled()).toBe(true);
  await other.getByRole("button", { name: "Save", exact: true }).click();
  await until(async () => (await tabs(other).allInnerTexts()).join() === "All devices,Low battery,By name", {
    timeoutMs: PATIENCE_MS,
    what: "two tabs",
  });
  await other.getByRole("button", { name: "View By name" }).click();
  await picture(other, "menu");
  await other.getByRole("menuitem", { name: "Move left" }).click();
  await until(async () => (await tabs(other).allInnerTexts()).join() === "All devices,By name,Low battery", {
    timeoutMs: PATIENCE_MS,
    what: "the other order",
  });
  await other.getByRole("menuitem", { name: "Delete" }).click();
  await other.getByText("By name deleted").waitFor();
  await other.getByRole("button", { name: "Undo" }).click();
  await until(async () => (await tabs(other).allInnerTexts()).join() === "All devices,By name,Low battery", {
    timeoutMs: PATIENCE_MS,
    what: "it back in its place",
  });
  // Nobody else has it.
  await page.reload();
  await page.getByRole("link", { name: "Low battery" }).waitFor();
  expect(await tabs(page).allInnerTexts()).toEqual(["All devices", "Low battery"]);
  await other.context().close();
  await page.context().close();
});

test("a view that is pinned is on the overview and on the wall, follows the data, and opens", async () => {
  const page = await stage.open("/devices");
  await page.getByRole("link", { name: "Low battery" }).click();
  await page.getByRole("button", { name: "View Low battery" }).click();
  await page.getByRole("menuitem", { name: "Name, pins and sharing" }).click();
  await page.getByLabel("Pin to everyone's overview").check();
  await page.getByLabel("Pin to the wall").check();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await until(async () => (await stage.product.get<ViewsAnswer>("/api/v1/views")).items.some(({ onWall }) => onWall), {
    timeoutMs: PATIENCE_MS,
    what: "the pin",
  });
  await page.goto("/");
  const tile = page.getByRole("region", { name: "Pinned views" });
  await tile.getByText("9 devices by battery").waitFor();
  await tile.getByRole("link", { name: /press-29/ }).waitFor();
  await picture(page, "overview");

  await page.goto("/?wall=1");
  const wall = page.getByRole("region", { name: "Pinned views" });
  await wall.getByText("9 devices by battery").waitFor();
  await picture(page, "wall");
  // Another runs low: the wall shows it by itself.
  await post(stage.product, { device: "press-00", time: Date.now(), readings: { battery: 3 } });
  await wall.getByText("10 devices by battery").waitFor();
  await wall.getByRole("link", { name: /press-00/ }).waitFor();
  await wall.getByRole("link", { name: "Low battery" }).focus();
  await page.keyboard.press("Enter");
  await until(async () => (await rows(page).count()) === 10, { timeoutMs: PATIENCE_MS, what: "the list itself" });
  await page.context().close();
});

test("a page remembers the columns of this browser, and says them in its address", async () => {
  const page = await stage.open("/devices");
  await rows(page).first().waitFor();
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("checkbox", { name: "Type" }).uncheck();
  await page.keyboard.press("Escape");
  await page.goto("/devices");
  await until(() => new URL(page.url()).searchParams.has("columns"), { timeoutMs: PATIENCE_MS, what: "the columns" });
  const link = new URL(page.url());
  const other = await stage.open(link.pathname + link.search);
  await rows(other).first().waitFor();
  expect(await heads(other)).toEqual(await heads(page));
  expect((await heads(other)).join(" ")).not.toContain("Type");
  await other.context().close();
  await page.context().close();
});
