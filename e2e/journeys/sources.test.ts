import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import mqtt from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort, ROOT } from "../product";
import { loaded } from "./pages";
import { until } from "../waiting";
import { PATIENCE_MS, setStage, type Stage } from "./stage";

const run = promisify(execFile);

let stage: Stage;
let mqttPort: number;
/** Stands for AWS, and keeps what it was asked. */
const asked: string[] = [];
const aws = createServer(({ url }, response) => {
  asked.push(url ?? "");
  response.statusCode = asked.length === 1 ? 403 : 200;
  response.end();
});
beforeAll(async () => {
  mqttPort = await freePort();
  await new Promise<void>((resolve) => aws.listen(0, "127.0.0.1", resolve));
  stage = await setStage({
    ...{ DEMO_DEVICES: "0", MQTT_PORT: String(mqttPort) },
    AWS_STAND_IN: `http://127.0.0.1:${(aws.address() as AddressInfo).port}`,
    NODE_OPTIONS: `--import ${pathToFileURL(path.join(ROOT, "e2e/journeys/aws-preload.mjs")).href}`,
  });
});
afterAll(async () => {
  await stage?.close();
  aws.close();
  expect(stage?.errors ?? []).toEqual([]);
});

const PAYLOAD = {
  battery: 87,
  humidity: 45.12,
  linkquality: 120,
  temperature: 21.53,
  voltage: 3005,
};

test("a payload is pasted, its template guessed, a key made, and what is published then is live, by the screen alone", async () => {
  const page = await stage.open("/sources");
  await loaded(page);
  await page.getByRole("button", { name: "New source…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Paste what it sends").click();
  await dialog.getByRole("textbox", { name: "Payload" }).fill(JSON.stringify(PAYLOAD));
  await dialog.getByLabel("Topic, of MQTT").fill("zigbee2mqtt/kitchen");
  const guess = dialog.getByRole("button", { name: /^Zigbee2MQTT/ });
  await guess.getByText("5 readings of 1 device").waitFor();
  await guess.click();
  await dialog.getByRole("button", { name: "Go on" }).click();
  await dialog.getByRole("button", { name: "Make it and its key" }).click();
  await dialog.getByText("Waiting for the first message…").waitFor();

  // What the screen says is what the sender is told: broker, user name and password.
  const settings = (await dialog.locator("code", { hasText: "server: mqtt" }).textContent())!;
  const said = (name: string) => new RegExp(`${name}: (\\S+)`).exec(settings)![1]!;
  const client = await mqtt.connectAsync(said("server"), { username: said("user"), password: said("password") });
  await client.publishAsync("zigbee2mqtt/kitchen", JSON.stringify(PAYLOAD), { qos: 1 });
  await client.endAsync();
  await dialog.getByText("Arrived: 5 readings of 1 device").waitFor();
  await dialog.getByRole("link", { name: "kitchen" }).click();
  const values = page.getByRole("region", { name: "Current values" });
  await values.getByText("21.5").first().waitFor();
  await values.getByText("voltage").first().waitFor();
  await page.context().close();
});

test("the command on the screen sends one message, and what can't be read is mended by clicks", async () => {
  const page = await stage.open("/sources?new=1");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Search senders").fill("any shape");
  await page.keyboard.press("Enter");
  await dialog.getByLabel("Name").fill("barn");
  await dialog.getByRole("button", { name: "Make it and its key" }).click();
  await dialog.getByText("Waiting for the first message…").waitFor();
  const command = (await dialog.locator("code", { hasText: "curl" }).textContent())!;
  const body = JSON.stringify({ device: "press-07", temp: 70.2, state: "warm" });
  await run("sh", ["-c", command.replace(/--data-binary [\s\S]*$/, `--data-binary '${body}' --fail-with-body`)]);
  await dialog.getByText(/^Arrived: 1 reading of 1 device/).waitFor();
  await dialog.getByRole("button", { name: "Done, see the source" }).click();
  await page.getByRole("link", { name: "See and edit" }).click();

  await page.getByRole("button", { name: /"temp": 70\.2/ }).click();
  await page.getByLabel("Metric").fill("temperature");
  await page.getByLabel("Unit, as the sender means it").fill("°F");
  await page.getByRole("button", { name: "Apply" }).click();
  const becomes = page.getByRole("region", { name: "Becomes" });
  // Shown as readings are, with every digit on hover.
  await becomes.getByTitle(/^21\.222/).waitFor();
  await page.getByRole("button", { name: /"state"/ }).click();
  await page.getByRole("button", { name: "Ignore it" }).click();
  await becomes.getByText("warm").waitFor({ state: "detached" });
  await page.getByText(/Of the last 1 payload: 1 reading more, 1 gone/).waitFor();
  await page.getByLabel("Note").fill("Fahrenheit");
  await page.getByRole("button", { name: "Save as version 2" }).click();
  await page.getByText("Version 2 is in use").waitFor();

  // Faults are told where they are; an earlier version can be taken back.
  const json = page.getByLabel("Mapping as JSON");
  await json.fill((await json.inputValue()).replace(/"depth": \d/, '"depth": 99'));
  await page.getByText(/^Line \d+, readings\.0\.depth/).waitFor();
  await page.getByRole("button", { name: "Put version 1 into the editor" }).click();
  await page.getByRole("button", { name: "Save as version 3" }).click();
  await page.getByText("Version 3 is in use").waitFor();

  // What the worker made of it is counted, and whose clock is off; a key that is revoked works no more.
  await page.goto("/sources/barn");
  const counts = page.getByRole("region", { name: "Since it was made" });
  await counts.getByText(/^1 stored$/).waitFor();
  await counts.getByText("p99").waitFor();
  await page.getByRole("button", { name: /^Revoke / }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByText("No key works: nothing can be sent to it.").waitFor();
  await page.context().close();
});

test("an edited mapping is left only by who says so, whichever way they go", async () => {
  const page = await stage.open("/sources/barn");
  await page.getByRole("link", { name: "See and edit" }).click();
  const json = page.getByLabel("Mapping as JSON");
  const edited = (await json.inputValue()).replace(/"depth": (\d)/, (_, depth) => `"depth": ${depth === "3" ? 2 : 3}`);
  await json.fill(edited);
  await page.getByRole("button", { name: "Undo changes", disabled: false }).waitFor();
  const questions: string[] = [];
  let isLeaving = false;
  page.on("dialog", (dialog) => {
    questions.push(dialog.message());
    return isLeaving ? dialog.accept() : dialog.dismiss();
  });
  const stays = async (times: number) => {
    await until(() => questions.length === times, { timeoutMs: PATIENCE_MS, what: "the question" });
    await until(() => page.url().endsWith("/sources/barn/mapping"), { timeoutMs: PATIENCE_MS, what: "to come back" });
    expect(await json.inputValue()).toBe(edited);
  };
  await page.evaluate(() => window.history.back());
  await stays(1);
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").getByRole("combobox").fill("health");
  await page.getByRole("option", { name: "Health" }).first().click();
  await stays(2);
  await page.getByRole("link", { name: "Devices", exact: true }).click();
  await stays(3);
  isLeaving = true;
  await page.evaluate(() => window.history.back());
  await page.getByRole("region", { name: "Since it was made" }).waitFor();
  expect([questions.length, new URL(page.url()).pathname]).toEqual([4, "/sources/barn"]);
  await page.context().close();
});

test("a service that asks to be confirmed is, by a click, once", async () => {
  const { product } = stage;
  await product.fetch("/api/v1/sources", { method: "POST", body: JSON.stringify({ name: "rules", kind: "aws-iot" }) });
  const key = await product.fetch("/api/v1/sources/rules/keys", { method: "POST", body: "{}" });
  const { text: secret } = (await key.json()) as { text: string };
  const enableUrl = "https://iot.eu-central-1.amazonaws.com/confirmdestination/token-1?once=1";
  const delivered = await fetch(`${product.url}/ingest/rules`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
    body: JSON.stringify({ messageType: "DestinationConfirmation", enableUrl }),
  });
  expect(delivered.status).toBe(200);
  const page = await stage.open("/sources/rules");
  const confirm = page.getByRole("button", { name: "Confirm", exact: true });
  await confirm.click();
  await page.getByText(/iot\.eu-central-1\.amazonaws\.com answered with status 403/).waitFor();
  await confirm.click();
  await confirm.waitFor({ state: "detached" });
  expect(asked).toEqual(["/confirmdestination/token-1?once=1", "/confirmdestination/token-1?once=1"]);
  await page.context().close();
});
