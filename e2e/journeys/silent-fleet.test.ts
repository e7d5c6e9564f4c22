import { afterAll, beforeAll, expect, test } from "vitest";
import { processOf } from "../processes";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "0", DEVICE_STALE_SECONDS: "5" });
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

test("a fleet that falls silent turns the verdict, with a link to who it is", async () => {
  for (const device of ["press-01", "press-02", "press-03"])
    await post(stage.product, { device, time: Date.now(), readings: { temperature: 21.5 } });
  const page = await stage.open("/health");
  await page.getByText("None of 3 devices is live since").first().waitFor({ timeout: PATIENCE_MS });
  await page.getByRole("link", { name: "/devices?state=silent" }).waitFor();
  await page.context().close();
});

test("a server that hangs is noticed within five seconds, and old figures look old", async () => {
  const page = await stage.open("/devices");
  const overview = await stage.open("/");
  for (const one of [page, overview]) await one.locator("[data-connection=connected]").waitFor();
  const web = processOf(stage.product.tree(), "web")!;
  process.kill(web.pid, "SIGSTOP");
  try {
    await page.locator("[data-connection=stale]").waitFor({ timeout: 5000 });
    await page.getByText("The server does not answer.").first().waitFor();
    await page.locator("#content[data-stale]").waitFor();
    await overview.getByRole("status").getByText("The server does not answer", { exact: true }).waitFor();
  } finally {
    process.kill(web.pid, "SIGCONT");
  }
  await page.locator("[data-connection=connected]").waitFor();
  for (const one of [page, overview]) await one.context().close();
});
