import axe from "axe-core";
import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ExploreAnswer } from "@/server/contracts/explore";
import type { FleetSummary } from "@/server/contracts/fleet";
import { until } from "../waiting";
import { loaded } from "./pages";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

const DEVICES = 30;
const MINUTES = 50;
const MINUTE = 60_000;
/** The one that was hot for one minute. */
const SPIKE = { device: "press-01", minute: 20, value: 61.37 };
const SITES = ["Gebäude 7", "Hall B"] as const;

let stage: Stage;
const started = Math.floor(Date.now() / MINUTE) * MINUTE - MINUTES * MINUTE;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "0", DEVICE_STALE_SECONDS: "7200" });
  for (let minute = 0; minute < MINUTES; minute++)
    await post(
      stage.product,
      Array.from({ length: DEVICES }, (_, i) => {
        const device = `press-${String(i).padStart(2, "0")}`;
        const isSpike = device === SPIKE.device && minute === SPIKE.minute;
        // One stands apart from all the others.
        const own = i === 7 ? 35 : 20 + i / 8;
        return {
          ...{ device, time: started + minute * MINUTE, site: SITES[i % 2], type: i < 15 ? "press" : "oven" },
          readings: {
            battery: 100 - i * 3 - minute / 10,
            temperature: isSpike ? SPIKE.value : Math.round((own + Math.sin(minute / 8 + i)) * 100) / 100,
          },
        };
      }),
    );
  await until(async () => (await stage.product.get<FleetSummary>("/api/v1/fleet/summary")).states.live === DEVICES, {
    timeoutMs: PATIENCE_MS,
    what: "all devices",
  });
  const { from, to } = {
    from: new Date(started).toISOString(),
    to: new Date(started + MINUTES * MINUTE).toISOString(),
  };
  const readings = async () => {
    const answer = await stage.product.get<ExploreAnswer>(
      `/api/v1/explore?${new URLSearchParams({ metric: "battery", by: "type", from, to }).toString()}`,
    );
    return answer.series.reduce((sum, { figures }) => sum + figures.count, 0);
  };
  await until(async () => (await readings()) >= DEVICES * MINUTES, { timeoutMs: PATIENCE_MS, what: "all readings" });
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

const rows = (page: Page) => page.locator("tr[data-series]");
const names = async (page: Page) => {
  const found = await rows(page).all();
  return Promise.all(found.map((row) => row.getAttribute("data-series")));
};
const cursorOf = (page: Page, series: string) =>
  page.locator(`tr[data-series="${series}"] td[data-column="cursor"]`).innerText();

/** Takes the page in every width and scheme if asked to, and looks for what axe finds. */
async function look(page: Page, name: string): Promise<void> {
  await loaded(page);
  for (const colorScheme of ["light", "dark"] as const)
    for (const width of [1440, 720, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      const folder = process.env.PICTURES;
      if (folder) await page.screenshot({ path: `${folder}/${name}-${colorScheme}-${width}.png`, fullPage: true });
      // Charts are drawn anew for their new width a frame later.
      const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      await until(async () => (await overflow()) <= 0, { timeoutMs: 5000, what: `${name} to fit ${width} px` });
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run(document));
      expect(violations.map(({ id, nodes }) => `${name} ${width} ${colorScheme}: ${id} ${nodes[0]?.html}`)).toEqual([]);
    }
  await page.setViewportSize({ width: 1280, height: 900 });
}

test("the lowest battery is found in the list, and the sites of it are compared, in under a minute", async () => {
  const page = await stage.open("/devices");
  const began = Date.now();
  await page.getByRole("button", { name: "battery" }).click();
  const list = page.getByRole("table", { name: "Devices" }).locator("tr[data-row]");
  await until(async () => (await list.first().getAttribute("data-row")) === "press-29", {
    timeoutMs: PATIENCE_MS,
    what: "the lowest first",
  });
  await page.getByRole("link", { name: "Explore", exact: true }).last().click();
  await page.getByText("battery of 30 devices").waitFor();
  await page.getByText("By site").click();
  await until(async () => (await rows(page).count()) === 2, { timeoutMs: PATIENCE_MS, what: "two sites" });
  await page.getByRole("button", { name: "Mean" }).click();
  expect(await names(page)).toEqual(["Gebäude 7", "Hall B"]);
  await page.getByRole("button", { name: "Mean" }).click();
  await until(async () => (await names(page))[0] === "Hall B", {
    timeoutMs: PATIENCE_MS,
    what: "the lower site first",
  });
  expect(Date.now() - began).toBeLessThan(60_000);
  const { searchParams } = new URL(page.url());
  expect(Object.fromEntries(searchParams)).toMatchObject({ metric: "battery", by: "site", sort: "mean" });
  await look(page, "sites");
  await page.context().close();
});

test("chosen devices are overlaid, one is drawn alone, and a link shows the same", async () => {
  const page = await stage.open("/devices?sort=-value:temperature");
  for (const device of ["press-07", "press-29"])
    await page
      .locator(`tr[data-row="${device}"] td`)
      .first()
      .click({ modifiers: ["ControlOrMeta"] });
  await page.getByRole("link", { name: "Compare", exact: true }).click();
  await until(async () => (await rows(page).count()) === 2, { timeoutMs: PATIENCE_MS, what: "two series" });
  await page.getByRole("combobox", { name: "Earlier time beneath" }).click();
  await page.getByRole("option", { name: "Before: one range earlier" }).click();
  await page.getByRole("columnheader", { name: "Before" }).waitFor();
  await look(page, "overlay");
  await page.getByRole("button", { name: "Draw only press-07" }).click();
  await page.locator('tr[data-series="press-29"][data-off]').waitFor();
  const other = await stage.open(new URL(page.url()).pathname + new URL(page.url()).search);
  await other.locator('tr[data-series="press-29"][data-off]').waitFor();
  await other.context().close();
  await page.context().close();
});

test("a spike is read by keyboard and by tap", async () => {
  const stretch = new URLSearchParams({
    ...{ metric: "temperature", devices: "press-01,press-03,press-05" },
    ...{ from: new Date(started).toISOString(), to: new Date(started + MINUTES * MINUTE).toISOString() },
  }).toString();
  const page = await stage.open(`/explore?${stretch}`);
  const chart = page.getByRole("slider");
  await chart.focus();
  await page.keyboard.press("Home");
  await until(
    async () => {
      if ((await cursorOf(page, SPIKE.device)) === String(SPIKE.value)) return true;
      await page.keyboard.press("ArrowRight");
      return false;
    },
    { timeoutMs: PATIENCE_MS, what: "the spike at the cursor" },
  );
  expect(await chart.getAttribute("aria-valuetext")).toContain(`press-01 ${SPIKE.value}`);
  await page.keyboard.press("Escape");
  await until(async () => (await cursorOf(page, SPIKE.device)) === "–", { timeoutMs: PATIENCE_MS, what: "no cursor" });
  const box = (await chart.boundingBox())!;
  const share = (SPIKE.minute + 0.5) / MINUTES;
  const at = { x: box.x + 60 + share * (box.width - 120), y: box.y + box.height / 2 };
  const session = await page.context().newCDPSession(page);
  await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [at] });
  await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await until(async () => (await cursorOf(page, SPIKE.device)) === String(SPIKE.value), {
    timeoutMs: PATIENCE_MS,
    what: "the spike where it was tapped",
  });
  await page.context().close();
});

test("more devices are small charts of one scale, then a strip each, with the one that stands apart by name", async () => {
  const page = await stage.open("/explore?metric=temperature&where=type+%3D+press");
  await page.getByText("temperature of 15 devices").waitFor();
  await until(async () => (await page.getByRole("slider").count()) === 15, {
    timeoutMs: PATIENCE_MS,
    what: "15 charts",
  });
  await look(page, "multiples");
  await page.getByTitle("Leave out type = press").click();
  await page.getByText("temperature of 30 devices").waitFor();
  await page.getByRole("list", { name: "Apart from the others" }).getByRole("link", { name: "press-07" }).waitFor();
  await page.getByRole("button", { name: "Max" }).click();
  await until(async () => (await names(page))[0] === SPIKE.device, {
    timeoutMs: PATIENCE_MS,
    what: "the hottest first",
  });
  await page.getByRole("slider").focus();
  await page.keyboard.press("End");
  await until(async () => /\d/.test(await cursorOf(page, "press-07")), {
    timeoutMs: PATIENCE_MS,
    what: "a value a row",
  });
  await look(page, "strips");
  await page.getByRole("checkbox", { name: "Choose press-01" }).check();
  await page.getByRole("checkbox", { name: "Choose press-07" }).check();
  await page.getByRole("button", { name: "Show only these" }).click();
  await until(async () => (await rows(page).count()) === 2, { timeoutMs: PATIENCE_MS, what: "the two chosen" });
  await page.context().close();
});

test("what there is nothing of says so, and what to do; the palette knows the way", async () => {
  const page = await stage.open("/explore");
  await page.getByText("Choose a metric, and it is shown").waitFor();
  await look(page, "first");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: /Find a device/ }).fill("temperature of hall");
  await page.getByRole("option", { name: "temperature of Hall B" }).click();
  await page.getByText("temperature of 15 devices").waitFor();
  await page.goto("/explore?metric=temperature&search=nothing-like-it");
  await page.getByRole("button", { name: "Show all devices that have it" }).click();
  await page.getByText("temperature of 30 devices").waitFor();
  await page.goto("/explore?metric=not-there");
  await page.getByText("No device has sent a metric called not-there yet.").waitFor();
  await look(page, "missing");
  await page.context().close();
});
