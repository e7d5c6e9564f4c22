import { afterAll, beforeAll, expect, test } from "vitest";
import type { DeviceDetail } from "@/server/contracts/devices";
import { until } from "../waiting";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

const DEVICE = "press-07";
const COUNT = 60;
const HOUR_MS = 3_600_000;

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "0", DEVICE_STALE_SECONDS: "300" });
  const now = Date.now();
  const messages = Array.from({ length: COUNT }, (_, i) => {
    return { device: DEVICE, time: now - (COUNT - i) * 50_000, readings: { n: i } };
  });
  await post(stage.product, messages);
  await until(
    async () =>
      (await stage.product.get<DeviceDetail>(`/api/v1/devices/${DEVICE}`).catch(() => null))?.messages === COUNT,
    { timeoutMs: PATIENCE_MS, what: "the readings" },
  );
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

test("readings of a clock that was not set don't stretch all there is, and are one click away", async () => {
  const device = "rtc-1";
  const now = Date.now();
  await post(stage.product, [
    ...[3, 13, 23].map((time) => ({ device, time, readings: { temperature: 20 + time / 1000 } })),
    ...Array.from({ length: 60 }, (_, i) => ({ device, time: now - i * 10_000, readings: { temperature: 21 } })),
  ]);
  await until(
    async () => (await stage.product.get<DeviceDetail>(`/api/v1/devices/${device}`).catch(() => null))?.messages === 63,
    { timeoutMs: PATIENCE_MS, what: "the readings" },
  );
  const page = await stage.open(`/devices/${device}?view=table&range=all`);
  const rows = page.getByRole("region", { name: "History as a table" }).locator("tbody tr");
  await until(async () => (await rows.count()) === 60, { timeoutMs: PATIENCE_MS, what: "all but those of 1970" });
  const fault = page.locator("[data-fact=clock-fault]");
  expect(await fault.innerText()).toContain("3 readings from 1970");
  await fault.getByRole("link", { name: "Show them" }).click();
  await until(async () => (await rows.count()) === 3, { timeoutMs: PATIENCE_MS, what: "those of 1970" });
  expect(await rows.first().innerText()).toContain("1970");
  await page.context().close();
});

test.each([-26, -2, 2, 26])("a browser whose clock is %i h off shows all there is, live", async (hours) => {
  const page = await stage.open(`/devices/${DEVICE}?view=table&metric=n&range=1h`, async (page) => {
    await page.addInitScript((offset) => {
      const RealDate = Date;
      const now = () => RealDate.now() + offset;
      globalThis.Date = new Proxy(RealDate, {
        construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [now()] : args, made) as Date,
        apply: () => new RealDate(now()).toString(),
        get: (target, name, self) => (name === "now" ? now : (Reflect.get(target, name, self) as unknown)),
      });
    }, hours * HOUR_MS);
  });
  await page.getByText("Going on live.").waitFor();
  const rows = page.getByRole("region", { name: "History as a table" }).locator("tbody tr");
  await until(async () => (await rows.count()) >= COUNT, { timeoutMs: PATIENCE_MS, what: "every reading" });
  expect(await page.getByText("Latest reading", { exact: true }).count()).toBe(0);
  await page.locator("[data-connection=connected]").waitFor();

  await page.goto("/devices");
  // While the page loads, the row of its own HTML, which knows no clock, may still be there beside it.
  await page.locator(`tr[data-row="${DEVICE}"][data-state=live]`).waitFor();
  await page.context().close();
});
