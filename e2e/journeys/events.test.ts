import { afterAll, beforeAll, expect, test } from "vitest";
import { processOf } from "../processes";
import { until } from "@/server/testing/until";
import { setStage, type Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

test("an outage of the night is found in the morning, with how long it lasted, and a note is written about it", async () => {
  const worker = () => processOf(stage.product.tree(), "worker");
  const before = worker();
  expect(before).toBeDefined();
  process.kill(before!.pid, "SIGKILL");
  await until(() => worker() !== undefined && worker()!.pid !== before!.pid);

  const page = await stage.open("/events");
  const restart = page.getByRole("button", { name: /The process worker ended \(SIGKILL\) and was started again/ });
  await restart.waitFor();
  expect(await restart.textContent()).toMatch(/\d+ (m?s)/);
  await restart.click();
  const sheet = page.getByRole("dialog");
  await sheet.getByText("The 10 minutes around").waitFor();
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Write a note" }).click();
  await page.getByRole("textbox", { name: "What happened" }).fill("Somebody pulled the plug of the worker");
  await page.getByRole("dialog").getByRole("button", { name: "Write" }).click();
  await page.getByRole("button", { name: /pulled the plug/ }).waitFor();
  await page.getByRole("textbox", { name: "Search events" }).fill("plug");
  await restart.waitFor({ state: "detached" });
  expect(new URL(page.url()).searchParams.get("q")).toBe("plug");

  await page.goto(new URL("/", page.url()).toString());
  const band = page.getByRole("button", { name: /Troubles of the last 24 hours/ });
  await band.focus();
  // Of the trouble of one moment the first is told: the end of the process, or what a probe saw of it.
  const told = page.getByText(/(The process worker ended|A worker is alive).*\d s/);
  await until(async () => (await page.keyboard.press("ArrowRight"), await told.isVisible()), {
    what: "it in the band",
  });
  await page.keyboard.press("Enter");
  await restart.waitFor();
  await page.context().close();
});
