import { afterAll, beforeAll, expect, test } from "vitest";
import type { SetupAnswer } from "@/server/contracts/setup";
import { setStage, type Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "0" });
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

test("a newcomer works down the checklist, sends a test message and sees its way to this browser", async () => {
  const page = await stage.open("/");
  await page.getByText("No message has come yet").waitFor();
  await page.getByRole("link", { name: "checklist" }).click();

  const list = page.getByRole("region", { name: "First-run checklist" });
  await list.getByText("5 of 8 done").waitFor();
  const step = (key: string) => list.locator(`[data-step="${key}"][data-state]`);
  const states = () =>
    list.locator("[data-state]").evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.state));
  expect(await states()).toEqual([...Array<string>(5).fill("done"), "waiting", "waiting", "waiting"]);
  await step("message").getByText("curl http").waitFor();

  await list.getByRole("button", { name: "Send a test message" }).click();
  const way = list.getByRole("list", { name: "The way of the test message" });
  await way.getByText("Seen in this browser").waitFor();
  await list.getByText("8 of 8 done").waitFor();
  await way.getByText("after the press of the button").waitFor();
  const figures = await way.getByRole("listitem").allInnerTexts();
  expect(figures).toHaveLength(9);
  expect(figures.filter((text) => /\d\s*(ms|s)/.test(text))).toHaveLength(8);
  await list.getByText("a device like any other").waitFor();

  await list.getByRole("button", { name: "Fold" }).click();
  await way.waitFor({ state: "hidden" });
  await page.reload();
  await list.getByText("8 of 8 done").waitFor();
  expect(await way.isVisible()).toBe(false);

  const starts = page.getByRole("region", { name: "Starts" });
  await starts.getByText("Started", { exact: true }).waitFor();
  const steps = starts.getByRole("list", { name: "Steps of this start" });
  expect(
    await steps.locator("[data-step]").evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.step)),
  ).toEqual([
    "configuration",
    "port and data folder",
    "PostgreSQL",
    "migrations",
    "topics",
    "documents",
    "web",
    "worker",
  ]);
  const recorded = await stage.product.get<SetupAnswer>("/api/v1/setup");
  expect(recorded.attempts.map(({ outcome }) => outcome)).toEqual(["done"]);

  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByText("No message has come yet").waitFor({ state: "hidden" });
  await page.getByRole("region", { name: "Devices" }).getByText("1 in all").waitFor();
  await page.getByRole("link", { name: "Devices", exact: true }).click();
  await page.getByRole("link", { name: "fieldwatch-test" }).waitFor();
  await page.context().close();
});
