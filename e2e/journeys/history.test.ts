import type { Locator, Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DeviceDetail, ReadingsAnswer } from "@/server/contracts/devices";
import { pause, until } from "../waiting";
import { loaded } from "./pages";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

const DEVICE = "press-07";
const COUNT = 720;
const START = Math.floor(Date.now() / 1000) * 1000 - COUNT * 10_000;

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "0" });
  // Two hours, a reading every 10 s, with a gap of 20 minutes; humidity once a minute.
  const messages = Array.from({ length: COUNT }, (_, i) => i)
    .filter((i) => i < 300 || i >= 420)
    .map((i) => ({
      device: DEVICE,
      time: START + i * 10_000,
      site: "north",
      readings: { temperature: 20 + Math.sin(i / 30) * 5, ...(i % 6 === 0 ? { humidity: 50 } : {}) },
    }));
  await post(stage.product, messages);
  await until(async () => (await detail().catch(() => null))?.messages === messages.length, {
    timeoutMs: PATIENCE_MS,
    what: "two hours of history",
  });
  for (const [metric, unit] of [
    ["temperature", "°C"],
    ["humidity", "%"],
  ] as const) {
    const init = { method: "PATCH", headers: { "content-type": "application/json" }, body: JSON.stringify({ unit }) };
    expect((await stage.product.fetch(`/api/v1/metrics/${metric}`, init)).status).toBe(200);
  }
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

const detail = () => stage.product.get<DeviceDetail>(`/api/v1/devices/${DEVICE}`);
const chart = (page: Page) => page.locator("figure").first();

/**
 * Points at three quarters of the chart until `shown` is. What is above the chart may still be loading: where it is counts
 * at the moment of pointing. @returns where it was
 */
async function pointAtChart(page: Page, shown: Locator) {
  let box = (await chart(page).boundingBox())!;
  await until(
    async () => {
      box = (await chart(page).boundingBox())!;
      await page.mouse.move(box.x + box.width * 0.75, box.y + 100, { steps: 3 });
      return shown.isVisible();
    },
    { timeoutMs: PATIENCE_MS, everyMs: 200, what: "the tooltip" },
  );
  return box;
}

test("a stretch is zoomed to while live, the chart stands still, and a double click goes back to live", async () => {
  const page = await stage.open(`/devices/${DEVICE}?metric=temperature&range=6h`);
  await loaded(page);
  await page.getByText("Going on live.").waitFor();
  const box = await pointAtChart(page, page.getByText(/temperature \d/));
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, box.y + 120, { steps: 4 });
  await page.mouse.up();

  await page.getByRole("button", { name: "Zoom out" }).waitFor();
  const zoomed = new URL(page.url()).searchParams;
  const [from, to] = [Date.parse(zoomed.get("from")!), Date.parse(zoomed.get("to")!)];
  expect(to - from).toBeGreaterThan(5 * 60_000);
  expect(to - from).toBeLessThan(60 * 60_000);
  await page.getByText("Every reading.").waitFor();
  let before = "";
  await until(
    async () => {
      const last = before;
      before = await drawn(page);
      return before !== "" && before === last;
    },
    { timeoutMs: PATIENCE_MS, everyMs: 200, what: "the zoomed chart to be drawn" },
  );
  await post(stage.product, { device: DEVICE, time: Date.now(), readings: { temperature: 33.3 } });
  await page.locator("[data-value=temperature]").getByText("33.3").waitFor();
  expect(await drawn(page)).toBe(before);

  await page.mouse.dblclick(box.x + box.width * 0.5, box.y + 100);
  await page.getByText("Going on live.").waitFor();
  expect(new URL(page.url()).searchParams.get("range")).toBe("6h");
  expect(new URL(page.url()).searchParams.get("from")).toBe(null);
  await page.context().close();
});

test("what a device says in words is a band that goes on live, is read by arrow keys, and is told as a table", async () => {
  const begin = Date.now() - 30 * 60_000;
  const messages = Array.from({ length: 180 }, (_, i) => ({
    ...{ device: "press-08", time: begin + i * 10_000, site: "north" },
    readings: { temperature: 20, mode: i < 60 ? "auto" : i < 90 ? "maintenance" : "auto" },
  }));
  await post(stage.product, messages);
  const page = await stage.open("/devices/press-08?metric=mode&range=1h");
  const bands = page.getByRole("figure", { name: "mode of press-08" });
  const changes = page.getByRole("region", { name: "Changes of mode" }).getByRole("row");
  await until(async () => (await changes.count()) === 4, { timeoutMs: PATIENCE_MS, what: "three bands" });
  await bands.getByText("maintenance", { exact: true }).first().waitFor();
  await page.getByText("2 changes").waitFor();

  const slider = bands.getByRole("slider");
  await slider.focus();
  for (const [key, said] of [
    ["Home", /^auto since .*, for 10 min, until /],
    ["ArrowRight", /^maintenance since .*, for 5 min, until /],
    ["ArrowRight", /^auto since .* so far$/],
  ] as const) {
    await page.keyboard.press(key);
    expect(await slider.getAttribute("aria-valuetext")).toMatch(said);
  }

  await page.getByRole("status").getByText("Connected").waitFor();
  await post(stage.product, { device: "press-08", time: Date.now(), readings: { mode: "manual" } });
  await changes.filter({ hasText: "manual" }).waitFor();
  expect(await changes.count()).toBe(5);
  await page.getByText("3 changes").waitFor();
  // Its row closes it again.
  await page.getByRole("button", { name: /^mode/ }).click();
  await bands.waitFor({ state: "detached" });
  await page.context().close();
});

test("a paused chart counts what waits, and shows it when it goes on", async () => {
  const page = await stage.open(`/devices/${DEVICE}?metric=temperature&range=15m&view=table`);
  await page.getByRole("status").getByText("Connected").waitFor();
  const table = page.getByRole("region", { name: "History as a table" });
  await table.getByRole("row").nth(1).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  for (const value of [41.1, 42.2, 43.3]) {
    await post(stage.product, { device: DEVICE, time: Date.now(), readings: { temperature: value } });
    await page.locator("[data-value=temperature]").getByText(String(value)).waitFor();
  }
  await page.getByRole("button", { name: "3 new, resume" }).waitFor();
  expect(await table.getByText("43.3").count()).toBe(0);
  await page.getByRole("button", { name: "3 new, resume" }).click();
  await table.getByText("43.3").first().waitFor();
  await page.context().close();
});

test("live readings are counted once, also those the loaded history held already", async () => {
  const page = await stage.open(`/devices/${DEVICE}?metric=temperature&range=6h&view=table`);
  await page.getByRole("status").getByText("Connected").waitFor();
  const table = page.getByRole("region", { name: "History as a table" });
  await table.getByRole("row").nth(1).waitFor();
  const counted = async () => {
    const cells = await table.locator("tbody tr td:last-child").allInnerTexts();
    return cells.reduce((sum, text) => sum + Number(text), 0);
  };
  const stored = async () => {
    const answer = await stage.product.get<ReadingsAnswer>(
      `/api/v1/devices/${DEVICE}/readings?metric=temperature&maxPoints=250&from=${new Date(Date.now() - 6 * 3_600_000).toISOString()}`,
    );
    return answer.points.reduce((sum, { count }) => sum + count, 0);
  };
  const before = await stored();
  // Loads again and again while readings come: each time some are in the answer and in a frame.
  for (let i = 0; i < 30; i++) {
    await post(stage.product, { device: DEVICE, time: Date.now(), readings: { temperature: 25 + i / 10 } });
    if (i % 6 === 3) await page.evaluate(() => window.dispatchEvent(new Event("focus")));
    await pause(40);
  }
  const total = before + 30;
  await until(async () => (await stored()) >= total, { timeoutMs: PATIENCE_MS, what: "all readings to be stored" });
  await until(async () => (await counted()) >= total, { timeoutMs: PATIENCE_MS, what: "all readings in the table" });
  expect(await counted()).toBe(await stored());
  await page.context().close();
});

test("several metrics share a moment, and go into one download", async () => {
  const page = await stage.open(`/devices/${DEVICE}?metric=temperature&range=6h`);
  await loaded(page);
  await page.getByRole("checkbox", { name: "Chart humidity" }).click();
  await page.locator("figure").nth(1).locator("canvas").waitFor();
  await page.waitForURL(/metric=temperature%2Chumidity/);
  // Pointed at is the first chart, of humidity; the other shows the same moment.
  await pointAtChart(page, page.locator("[data-read-out]").getByText(/temperature \d/));
  await page
    .locator("[data-read-out]")
    .getByText(/humidity 50/)
    .waitFor();

  await page.getByRole("button", { name: "Download" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: "CSV, every reading" }).click(),
  ]);
  const stream = await download.createReadStream();
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  expect(text.split("\r\n")[0]).toBe("time,temperature (°C),humidity (%)");
  expect(text).toContain(`${new Date(START).toISOString()},20,50`);
  await page.context().close();
});

test("a spike is read by keyboard and by tap, with every digit", async () => {
  const spike = { device: "spiky-1", time: START + 5_000_000, readings: { pressure: 98.765 } };
  const around = [-2, -1, 1, 2].map((i) => ({ ...spike, time: spike.time + i * 10_000, readings: { pressure: 1.25 } }));
  await post(stage.product, [spike, ...around]);
  const range = `from=${new Date(spike.time - 60_000).toISOString()}&to=${new Date(spike.time + 60_000).toISOString()}`;
  const page = await stage.open(`/devices/spiky-1?metric=pressure&${range}`);
  await loaded(page);
  const chart = page.getByRole("slider", { name: /^pressure over time/ });
  const readOut = page.locator("[data-read-out]");
  await until(
    async () => {
      await chart.press("End");
      return (await readOut.count()) > 0;
    },
    { timeoutMs: PATIENCE_MS, what: "the chart to be loaded" },
  );
  await chart.press("ArrowLeft");
  await chart.press("ArrowLeft");
  expect(await chart.getAttribute("aria-valuetext")).toContain("pressure 98.765");
  await readOut.getByText("98.765").waitFor();
  await chart.press("Escape");
  await readOut.waitFor({ state: "detached" });

  // A finger's tap stays, which the mouse's pointing doesn't.
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setTouchEmulationEnabled", { enabled: true });
  const box = (await chart.boundingBox())!;
  const at = { x: box.x + 60 + (box.width - 120) / 2, y: box.y + 80 };
  await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [at] });
  await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await readOut.getByText("98.765").waitFor();
  await page.context().close();
});

test("properties are edited; a wrong one is named, a conflict is decided by the person", async () => {
  const page = await stage.open(`/devices/${DEVICE}`);
  await loaded(page);
  const form = page.getByRole("region", { name: "Properties" });
  await form.getByRole("button", { name: "Edit" }).click();
  await form.getByRole("combobox", { name: "Site" }).fill("Hall\u00073");
  await form.getByRole("textbox", { name: "Notes" }).fill("Ask Ola for the key.");
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByText("must be free of control characters").waitFor();

  const change = await stage.product.fetch(`/api/v1/devices/${DEVICE}`, {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ type: "lathe" }),
  });
  expect(change.status).toBe(200);
  await form.getByRole("combobox", { name: "Site" }).fill("Halle 3, Köln");
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByText("changed meanwhile").waitFor();
  await form.getByText("type: not given → lathe").waitFor();
  await form.getByRole("button", { name: "Save mine over it" }).click();
  await form.locator("[data-property=notes]").getByText("Ask Ola for the key.").waitFor();
  expect(await detail()).toMatchObject({ site: "Halle 3, Köln", type: "lathe", notes: "Ask Ola for the key." });

  // The device goes on saying where it stands; what a person set stays.
  const { messages } = await detail();
  await post(stage.product, { device: DEVICE, time: Date.now(), site: "north", readings: { temperature: 1 } });
  await until(async () => (await detail()).messages === messages + 1, { timeoutMs: PATIENCE_MS, what: "the message" });
  expect((await detail()).site).toBe("Halle 3, Köln");

  await page.getByLabel("Key of the label").fill("owner");
  await page.getByLabel("Text of the label").fill("Ada");
  await page.getByRole("button", { name: "Set label" }).click();
  await page.locator('[data-label="owner:Ada"]').getByText("set by hand").waitFor();
  await page.context().close();
});

test("messages are paged back and forth", async () => {
  const page = await stage.open(`/devices/${DEVICE}`);
  await loaded(page);
  await page.getByRole("tab", { name: "Messages" }).click();
  const messages = page.getByRole("region", { name: "Messages" });
  const first = await messages.locator("code").first().innerText();
  await messages.getByRole("button", { name: "Older" }).click();
  await messages.getByText("Page 2").waitFor();
  await until(async () => (await messages.locator("code").first().innerText()) !== first, {
    timeoutMs: PATIENCE_MS,
    what: "older messages",
  });
  await messages.getByText("Pretty").click();
  await messages.locator("pre").first().getByText(`"device": "${DEVICE}"`).waitFor();
  await messages.getByText("Exact").click();
  await messages.getByRole("button", { name: "Newer" }).click();
  await until(async () => (await messages.locator("code").first().innerText()) === first, {
    timeoutMs: PATIENCE_MS,
    what: "the newest messages",
  });
  await page.context().close();
});

/** The lines of the chart as a picture, without the ages and marks around them. */
function drawn(page: Page): Promise<string> {
  return chart(page)
    .locator("canvas")
    .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
}
