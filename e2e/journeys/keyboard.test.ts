import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FleetSummary } from "@/server/contracts/fleet";
import { until } from "../waiting";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

/*
 * Everything with the keyboard only: no test here points at anything. Where the focus is must be seen.
 */

const DEVICES = ["press-01", "press-02", "press-03", "pump-04", "pump-05"];

let stage: Stage;
beforeAll(async () => {
  // Each says something once: however long the journeys take, all stay live.
  stage = await setStage({ DEMO_DEVICES: "0", DEVICE_STALE_SECONDS: "3600" });
  const now = Date.now();
  await post(
    stage.product,
    DEVICES.flatMap((device, i) =>
      Array.from({ length: 20 }, (_, k) => ({
        ...{ device, site: i < 3 ? "hall" : "yard", type: device.split("-")[0] },
        time: now - k * 20_000,
        readings: { temperature: 20 + i + k / 10, humidity: 50 },
      })),
    ),
  );
  await until(async () => (await stage.product.get<FleetSummary>("/api/v1/fleet/summary")).states.live === 5, {
    timeoutMs: PATIENCE_MS,
    what: "all devices",
  });
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

const palette = (page: Page) => page.getByRole("dialog", { name: "Find a device, a page or an action" });
const heading = (page: Page) => page.getByRole("heading", { level: 1 });
const isHeadingFocused = (page: Page) => heading(page).evaluate((element) => element === document.activeElement);

async function open(route: string): Promise<Page> {
  const page = await stage.open(route);
  await page.getByRole("status").getByText("Connected").waitFor();
  return page;
}

/** Returns true if the focused element looks focused: by a ring, or by a border of its own. */
function focusSeen(page: Page): Promise<{ what: string; seen: boolean }> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement;
    const ring = (one: Element | null) => {
      if (!one) return false;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
      return (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
    };
    // Some controls are a hidden field with a visible face beside it.
    const seen = ring(element) || ring(element.parentElement) || ring(element.nextElementSibling);
    const border = element.matches("input") && getComputedStyle(element).borderColor !== "rgba(0, 0, 0, 0)";
    return { what: element.outerHTML.slice(0, 120), seen: seen || border };
  });
}

test("from the overview by the palette to a device, another range, and back", async () => {
  const page = await open("/");
  await page.keyboard.press("Control+k");
  // Keys typed before the palette is there are not lost.
  await page.keyboard.type("press-02");
  const field = palette(page).getByRole("combobox");
  await field.waitFor();
  const first = palette(page).getByRole("option").first();
  await first.getByText("press-02").waitFor();
  expect(await first.getAttribute("aria-selected")).toBe("true");
  expect(await field.getAttribute("aria-activedescendant")).toBe(await first.getAttribute("id"));
  await page.keyboard.press("Enter");
  await page.waitForURL("**/devices/press-02");
  await until(() => page.title().then((title) => title === "press-02 · Fieldwatch"), {
    timeoutMs: PATIENCE_MS,
    what: "the tab's title",
  });
  await until(() => isHeadingFocused(page), { timeoutMs: PATIENCE_MS, what: "the heading to have the focus" });

  // Tab as far as the ranges, then choose the next one as radios are chosen.
  await page.getByText("Going on live.").waitFor();
  const onRange = () =>
    page.evaluate(() => {
      const element = document.activeElement;
      return element instanceof HTMLInputElement && element.type === "radio" && /^\d+[mhd]$|all/.test(element.value);
    });
  for (let i = 0; i < 60 && !(await onRange()); i++) {
    await page.keyboard.press("Tab");
    const focus = await focusSeen(page);
    expect(focus.seen, focus.what).toBe(true);
  }
  expect(await onRange()).toBe(true);
  const before = page.url();
  await page.keyboard.press("ArrowRight");
  await until(async () => page.url() !== before && page.url().includes("range="), {
    timeoutMs: PATIENCE_MS,
    what: "the range in the address",
  });

  await page.keyboard.press("g");
  await page.keyboard.press("o");
  await until(async () => new URL(page.url()).pathname === "/", { timeoutMs: PATIENCE_MS, what: "the overview" });
  await until(() => isHeadingFocused(page), { timeoutMs: PATIENCE_MS, what: "the heading to have the focus" });

  // The device is among those opened last, before anything is typed; closing gives the focus back.
  await page.keyboard.press("Control+k");
  await palette(page).getByRole("group", { name: "Recent devices" }).getByText("press-02").waitFor();
  await page.keyboard.press("Escape");
  await palette(page).waitFor({ state: "hidden" });
  await until(() => isHeadingFocused(page), { timeoutMs: PATIENCE_MS, what: "the focus where it was" });
  await page.context().close();
});

test("the list by j, k and Enter, help by ?, pages by g and a letter, nothing of it while typing", async () => {
  const page = await open("/");
  const at = (path: string) =>
    until(async () => new URL(page.url()).pathname === path, { timeoutMs: PATIENCE_MS, what: `the page ${path}` });
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await at("/devices");
  const current = () => page.evaluate(() => document.activeElement?.closest("tr")?.dataset.row ?? null);
  await page.locator("tr[data-row=press-01]").waitFor();
  for (const key of ["j", "j", "j", "k"]) await page.keyboard.press(key);
  await until(async () => (await current()) === "press-02", { timeoutMs: PATIENCE_MS, what: "the second row" });
  expect((await focusSeen(page)).seen).toBe(true);

  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard" });
  await help.getByText("Next device").waitFor();
  await help.getByText("Go to Dead letters").waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("h");
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "hidden" });
  expect(new URL(page.url()).pathname).toBe("/devices");
  await until(async () => (await current()) === "press-02", { timeoutMs: PATIENCE_MS, what: "the focus where it was" });

  await page.keyboard.press("/");
  await page.keyboard.type("gd?");
  expect(await page.getByRole("textbox", { name: "Search devices" }).inputValue()).toBe("gd?");
  expect(await help.isVisible()).toBe(false);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.locator("tr[data-row=press-01]").waitFor();
  await page.keyboard.press("Home");
  await until(async () => (await current()) === "press-01", { timeoutMs: PATIENCE_MS, what: "the first row" });
  await page.keyboard.press("Enter");
  await at("/devices/press-01");

  await page.keyboard.press("?");
  await help.getByText("Go to Overview").waitFor();
  expect(await help.getByText("Next device").count()).toBe(0);
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "hidden" });
  await page.keyboard.press("g");
  await page.keyboard.press("h");
  await at("/health");
  await page.context().close();
});

test("actions and filters by the palette, the way past the navigation, and the wall and out of it", async () => {
  const page = await open("/");
  const run = async (typed: string, label: string) => {
    await page.keyboard.press("Control+k");
    await palette(page).getByRole("combobox").waitFor();
    await page.keyboard.type(typed);
    await palette(page).getByRole("option", { name: label, selected: true }).waitFor();
    await page.keyboard.press("Enter");
    await palette(page).waitFor({ state: "hidden" });
  };
  const scheme = () => page.evaluate(() => document.documentElement.dataset.mantineColorScheme);
  await run("dark", "Switch to dark");
  await until(async () => (await scheme()) === "dark", { timeoutMs: PATIENCE_MS, what: "the dark" });
  await run("theme", "Switch to light");
  await until(async () => (await scheme()) === "light", { timeoutMs: PATIENCE_MS, what: "the light" });
  await run("keyboard", "Keyboard help");
  await page.getByRole("dialog", { name: "Keyboard" }).getByText("Go to Health").waitFor();
  await page.keyboard.press("Escape");
  await run("silent", "Devices: silent");
  await page.waitForURL("**/devices?state=silent");
  await page.getByText("No device matches.").waitFor();

  await page.reload();
  await page.getByRole("status").getByText("Connected").waitFor();
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to content");
  await page.keyboard.press("Enter");
  await until(() => page.evaluate(() => document.activeElement?.id === "content"), {
    timeoutMs: PATIENCE_MS,
    what: "the focus on the content",
  });

  await run("wall", "Overview on a wall");
  await page.getByRole("heading", { name: "Sites, overdue first" }).waitFor();
  await until(async () => (await page.getByRole("navigation").count()) === 0, {
    timeoutMs: PATIENCE_MS,
    what: "no navigation",
  });
  await page.keyboard.press("Escape");
  await page.getByRole("region", { name: "Verdict" }).waitFor();
  expect(new URL(page.url()).search).toBe("");
  await page.context().close();
});
