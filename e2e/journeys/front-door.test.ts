import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium, type Browser, type Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { browserToUse, FLAGS, post, setStage, type Stage } from "./stage";

let stage: Stage;
let other: Server;
let browser: Browser;
let port: string;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "0" });
  port = new URL(stage.product.url).port;
  await post(stage.product, { device: "press-07", time: Date.now(), readings: { n: 1 } });
  other = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<h1>Elsewhere</h1>"));
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { executablePath, env } = await browserToUse();
  browser = await chromium.launch({
    executablePath,
    args: [...FLAGS, "--host-resolver-rules=MAP *.example 127.0.0.1", "--disable-features=LocalNetworkAccessChecks"],
    env: { ...process.env, ...env } as Record<string, string>,
  });
});
afterAll(async () => {
  await browser?.close();
  await new Promise((resolve) => other?.close(resolve));
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

/** Tries from a page all that would read or change something at `target`. @returns what was read and how each attempt ended. */
function attack(page: Page, target: string): Promise<string[]> {
  return page.evaluate(async (at) => {
    const ways: [string, () => Promise<unknown>][] = [
      ["read", () => fetch(`${at}/api/v1/setup`).then((a) => a.status)],
      ["read blind", () => fetch(`${at}/api/v1/setup`, { mode: "no-cors" }).then((a) => `${a.type} ${a.status}`)],
      [
        "send",
        () =>
          fetch(`${at}/api/v1/telemetry`, {
            method: "POST",
            body: "{}",
            headers: { "content-type": "application/json" },
          }).then((a) => a.status),
      ],
      [
        "send blind",
        () =>
          fetch(`${at}/api/v1/telemetry`, {
            method: "POST",
            mode: "no-cors",
            body: '{"device":"evil","time":1,"readings":{"a":1}}',
          }).then((a) => `${a.type} ${a.status}`),
      ],
      [
        "change",
        () =>
          fetch(`${at}/api/v1/devices/press-07`, {
            method: "PATCH",
            body: '{"notes":"evil"}',
            headers: { "content-type": "application/json" },
          }).then((a) => a.status),
      ],
      [
        "beacon",
        async () => navigator.sendBeacon(`${at}/api/v1/telemetry`, new Blob(["{}"], { type: "text/plain" })) && "sent",
      ],
      [
        "socket",
        () =>
          new Promise((resolve) => {
            const socket = new WebSocket(`${at.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
            socket.onmessage = () => resolve("opened");
            socket.onerror = () => resolve("refused");
          }),
      ],
    ];
    return Promise.all(ways.map(async ([name, go]) => `${name}: ${String(await go().catch(() => "failed"))}`));
  }, target);
}

const note = () =>
  stage.product.get<{ notes: string | null }>("/api/v1/devices/press-07").then((device) => device.notes);
const devices = () =>
  stage.product.get<{ items: { id: string }[] }>("/api/v1/devices").then(({ items }) => items.map(({ id }) => id));

test("a foreign name that leads here reads and changes nothing", async () => {
  const page = await browser.newPage();
  const answer = await page.goto(`http://evil.example:${port}/devices`);
  expect(answer!.status()).toBe(421);
  expect(await page.innerText("body")).toMatch(new RegExp(`evil.example:${port}[^]*ALLOWED_HOSTS=`));
  // The page came while its name still led to its own server.
  await page.route("**/trap", (route) => route.fulfill({ contentType: "text/html", body: "<h1>Trap</h1>" }));
  await page.goto(`http://evil.example:${port}/trap`);
  const tried = await attack(page, `http://evil.example:${port}`);
  expect(tried.filter((each) => /: (basic )?(2\d\d|opened)$/.test(each))).toEqual([]);
  expect(tried).toContain("socket: refused");
  expect([await note(), await devices()]).toEqual([null, ["press-07"]]);
  await page.close();
});

test("pages of another site, and of another port here, read and change nothing", async () => {
  const elsewhere = (other.address() as AddressInfo).port;
  for (const host of ["elsewhere.example", "localhost"]) {
    const page = await browser.newPage();
    await page.goto(`http://${host}:${elsewhere}`);
    for (const target of [`http://localhost:${port}`, `http://127.0.0.1:${port}`]) {
      const tried = await attack(page, target);
      expect(
        tried.filter((each) => /: (\d{3}|opened)$/.test(each)),
        `${host} to ${target}`,
      ).toEqual([]);
      expect(tried).toContain("socket: refused");
    }
    await page.close();
  }
  expect([await note(), await devices()]).toEqual([null, ["press-07"]]);
});

test("a script that was put into a page doesn't run", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  // Under the policy of a real page, what stored text would be if a page had not escaped it.
  await page.route("**/health", async (route) => {
    const policy = (await route.fetch()).headers()["content-security-policy"]!;
    const body = '<h1>x</h1><script>window.injected = true</script><img src="/no" onerror="window.injected = true">';
    await route.fulfill({ contentType: "text/html", headers: { "content-security-policy": policy }, body });
  });
  await page.goto(`${stage.product.url}/health`);
  expect(await page.evaluate(() => (window as { injected?: boolean }).injected)).toBeUndefined();
  await context.close();
});
