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

test("what is pinned of a device that is overdue looks old and says so", async () => {
  const page = await stage.open("/");
  const pin = (view: object) =>
    page.evaluate(
      async (body) => {
        const headers = { "content-type": "application/json" };
        return (await fetch("/api/v1/views", { method: "POST", headers, body })).status;
      },
      JSON.stringify({ ...view, shared: true, onOverview: true }),
    );
  expect(await pin({ page: "devices", name: "Hot", query: "sort=-value:temperature" })).toBe(200);
  expect(await pin({ page: "explore", name: "Day", query: "metric=temperature&range=24h" })).toBe(200);
  await page.reload();
  const pinned = page.getByRole("region", { name: "Pinned views" });
  const [hot, day] = ["Hot", "Day"].map((name) => pinned.getByRole("listitem").filter({ hasText: name }).first());
  for (const tile of [hot!, day!]) {
    const old = tile.locator("[data-behind]").first();
    await old.getByText("21.5").waitFor();
    await old.getByText(/ ago$/).waitFor();
    await tile
      .getByText(/^(Stale|Silent)$/)
      .first()
      .waitFor();
  }
  // A day ago isn't taken for now.
  await day!.getByText(/^\d+ [A-Z][a-z][a-z] \d\d:\d\d$/).waitFor();
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
