import { afterAll, beforeAll, expect, test } from "vitest";
import { type Receiver, startReceiver } from "@/server/testing/receiver";
import { until } from "../waiting";
import { loaded } from "./pages";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

let stage: Stage;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  receiver.answer({ status: 200, body: "welcome to the desk" });
  stage = await setStage({ DEMO_DEVICES: "0" });
});
afterAll(async () => {
  await stage?.close();
  await receiver?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

/** An alert of press-07 at north that fires. */
async function fire(): Promise<void> {
  const conditions = [{ metric: "temperature", is: "above", warning: 80 }];
  const rule = { name: "Too hot", spec: { kind: "condition", conditions, holds: "until-next" } };
  const made = await stage.product.fetch("/api/v1/rules", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(rule),
  });
  if (!made.ok) throw new Error(`POST rules: ${made.status} ${await made.text()}`);
  await until(
    async () => {
      await post(stage.product, {
        ...{ device: "press-07", site: "north", time: Date.now() },
        readings: { temperature: 96.1 },
      });
      return (await stage.product.get<{ items: unknown[] }>("/api/v1/alerts")).items.length > 0;
    },
    { timeoutMs: PATIENCE_MS, what: "an alert" },
  );
}

test("a channel is added and tried, alerts are routed to it, and a silence says what it hides until it is ended", async () => {
  await fire();
  const page = await stage.open("/alerts/channels");
  await loaded(page);
  await page.getByRole("button", { name: "Add a channel…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("combobox", { name: "Kind" }).click();
  await page.getByRole("option", { name: "Webhook" }).click();
  await dialog.getByRole("textbox", { name: "Name" }).fill("desk");
  await dialog.getByRole("textbox", { name: "Address" }).fill(receiver.url);
  await dialog.getByLabel("Authorization header", { exact: true }).fill("Bearer planted");
  await dialog.getByRole("button", { name: "Add the channel" }).click();

  // The other side's answer, as it came.
  await dialog.getByRole("button", { name: "Send a test message" }).click();
  await dialog.getByText("welcome to the desk").waitFor();
  await dialog.getByText(/status 200/).waitFor();
  expect(receiver.got[0]!.body).toContain("Test of the channel desk");
  expect(receiver.got[0]!.headers["authorization"]).toBe("Bearer planted");
  receiver.answer({ status: 403, body: "who are you?" });
  await dialog.getByRole("button", { name: "Send another" }).click();
  await dialog.getByText("who are you?").waitFor();
  await dialog.getByText("It was refused").waitFor();
  receiver.answer({ status: 200 });
  await dialog.getByRole("button", { name: "Close", exact: true }).last().click();

  // A secret is never shown: it stays, or is replaced.
  await page.getByRole("button", { name: "Change desk" }).click();
  await dialog.getByText("set, never shown").waitFor();
  await dialog.getByRole("button", { name: "Replace: Authorization header" }).waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();

  await page.getByRole("button", { name: "Add a route…" }).click();
  await dialog.getByRole("button", { name: "Add a condition" }).click();
  await dialog.getByRole("combobox", { name: "Condition 1: site" }).fill("north");
  await page.keyboard.press("Enter");
  await dialog.getByRole("combobox", { name: "Go to" }).click();
  await page.getByRole("option", { name: "desk" }).click();
  await dialog.getByRole("button", { name: "Add the route" }).click();
  const routes = page.getByRole("list", { name: "Routes" });
  await routes.getByText("desk; grouped by rule and site, after 30 s, again every 4 h").waitFor();
  const who = page.getByRole("region", { name: "Who’d be told of …?" });
  await who.getByText("no route takes it").waitFor();
  await who.getByRole("combobox", { name: "Site" }).fill("north");
  await who.getByText("By the route All at north").waitFor();

  await page
    .getByRole("navigation", { name: "Alerts" })
    .getByRole("link", { name: /^Silences/ })
    .click();
  await page.getByRole("button", { name: "Silence…" }).click();
  await dialog.getByRole("combobox", { name: "Condition 1: device" }).fill("press-*");
  await page.keyboard.press("Enter");
  await dialog.getByText("Hides 1 open alert now.").waitFor();
  await dialog.getByLabel("Why").fill("Bearing is changed");
  await dialog.getByRole("button", { name: "Silence for 4 h" }).click();
  const row = page.getByRole("table", { name: "Silences" }).getByRole("row", { name: /All of press-/ });
  await row.getByText("Bearing is changed").waitFor();
  await page.getByText("1 silence holds messages back now").waitFor();
  await page.getByRole("region", { name: "The next 14 days" }).getByText("All of press-*").waitFor();
  await row.getByRole("button", { name: /^Extend/ }).click();
  await dialog.getByRole("button", { name: "Extend by 4 h" }).click();
  await row.getByText("in 7 h").waitFor();
  await row.getByRole("button", { name: /^End/ }).click();
  await dialog.getByText("1 open alert that it hides is told then").waitFor();
  await dialog.getByRole("button", { name: "End it now" }).click();
  await page.getByText("No alert is silenced.").waitFor();
  await page.getByText("Nothing is held back now.").waitFor();
  await page.context().close();
});
