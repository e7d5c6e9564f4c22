import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MetricsAnswer } from "@/server/contracts/metrics";
import { until } from "../waiting";
import { loaded } from "./pages";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "0", DEVICE_STALE_SECONDS: "3600" });
  const readings = { level: 1250, temperature: 21.5 };
  await post(
    stage.product,
    ["tank-1", "tank-2"].map((device) => ({ device, time: Date.now(), readings })),
  );
  await until(async () => (await catalog()).length === 2, { timeoutMs: PATIENCE_MS, what: "both metrics" });
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

const catalog = async () => (await stage.product.get<MetricsAnswer>("/api/v1/metrics")).items;
const levelInCatalog = async () => (await catalog()).find(({ name }) => name === "level");
const shown = (page: Page, metric: string) => page.locator(`[data-value="${metric}"]`);
const dialog = (page: Page) => page.getByRole("dialog", { name: "Units" });
const unitField = (page: Page, metric: string) => dialog(page).getByLabel(`Unit of ${metric}`, { exact: true });

async function openUnits(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Units" }).click();
  await unitField(page, "level").waitFor();
}

async function save(page: Page): Promise<void> {
  await dialog(page).getByRole("button", { name: "Save" }).click();
}

test("a unit is set for all devices or for one; one that can't be is named, and what was written stays", async () => {
  const page = await stage.open("/devices/tank-1");
  await loaded(page);
  await shown(page, "level").getByText("1,250").waitFor();
  expect(await shown(page, "level").innerText()).toBe("1,250");

  await openUnits(page);
  expect(await dialog(page).getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
  // A separator of lines, as text copied from a document may have; a field lets it pass.
  await unitField(page, "level").fill("mm\u2028m");
  await save(page);
  const alert = dialog(page).getByRole("alert");
  await alert.getByText("The unit of level was not saved").waitFor();
  expect(await alert.innerText()).toContain("unit: must be free of control characters and line breaks");
  expect(await unitField(page, "level").inputValue()).toBe("mm\u2028m");
  expect(await levelInCatalog()).toMatchObject({ unit: null, meaning: "none" });

  await unitField(page, "level").fill(" mm ");
  await save(page);
  await dialog(page).waitFor({ state: "hidden" });
  await shown(page, "level").getByText("mm").waitFor();
  expect(await levelInCatalog()).toMatchObject({ unit: "mm", meaning: "set", ownUnits: 0 });
  expect(await shown(page, "temperature").innerText()).toBe("21.5");

  const other = await stage.open("/devices/tank-2");
  await loaded(other);
  await shown(other, "level").getByText("mm").waitFor();

  await openUnits(page);
  await unitField(page, "level").fill("l");
  await dialog(page).getByLabel("Devices with this unit of level", { exact: true }).first().click();
  await page.getByRole("option", { name: "Only this device" }).click();
  await save(page);
  await dialog(page).waitFor({ state: "hidden" });
  await page.reload();
  await shown(page, "level").getByText("l", { exact: true }).waitFor();
  expect(await levelInCatalog()).toMatchObject({ unit: "mm", ownUnits: 1 });
  await other.reload();
  await shown(other, "level").getByText("mm").waitFor();
  await Promise.all([page.context().close(), other.context().close()]);
});
