import { afterAll, beforeAll, expect, test } from "vitest";
import type { FleetSummary } from "@/server/contracts/fleet";
import { pause, until } from "../waiting";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

const DEVICES = 40;
const FAILING = "pump-17";
const name = (i: number) => `pump-${String(i).padStart(2, "0")}`;

let stage: Stage;
let stopped = false;
let sending: Promise<void>;
beforeAll(async () => {
  // Stale after a few seconds: one that stops sending is found while the journey goes on, the others may be a little late.
  stage = await setStage({ DEMO_DEVICES: "0", DEVICE_STALE_SECONDS: "6" });
  const all = Array.from({ length: DEVICES }, (_, i) => name(i));
  const message = (device: string) => ({ device, time: Date.now(), site: "hall", readings: { pressure: 2.5 } });
  await post(stage.product, all.map(message));
  sending = (async () => {
    while (!stopped) {
      await post(stage.product, all.filter((device) => device !== FAILING).map(message));
      await pause(500);
    }
  })();
  await until(async () => (await stage.product.get<FleetSummary>("/api/v1/fleet/summary")).states.stale === 1, {
    timeoutMs: PATIENCE_MS,
    what: "one device to be overdue",
  });
});
afterAll(async () => {
  stopped = true;
  await sending;
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

test("a device that fell silent is seen on the overview, found in the list, and its last values are read", async () => {
  const page = await stage.open("/");
  const overdue = page.getByRole("link", { name: /^(1 stale|1 silent|Stale 1|Silent 1)/i }).first();
  await overdue.waitFor();
  await overdue.click();
  await page.waitForURL(/\/devices\?state=(stale|silent)$/);
  const table = page.getByRole("table", { name: "Devices" });
  const row = table.getByRole("row", { name: new RegExp(FAILING) });
  await row.waitFor();
  await until(async () => (await table.getByRole("row").count()) === 2, { timeoutMs: PATIENCE_MS, what: "it alone" });
  await row.getByText(/Stale|Silent/).waitFor();
  await row.getByText("2.5").waitFor();

  await row.getByRole("link", { name: FAILING }).click();
  await page.getByRole("region", { name: "Current values" }).getByTitle("2.5", { exact: true }).waitFor();
  await page
    .getByText(/Stale|Silent/)
    .first()
    .waitFor();

  // The page says by itself that the device is mended.
  await post(stage.product, { device: FAILING, time: Date.now(), readings: { pressure: 2.75 } });
  await page.getByRole("region", { name: "Current values" }).getByTitle("2.75", { exact: true }).waitFor();
  await page.getByText("Live", { exact: true }).first().waitFor();
  await page.context().close();
});
