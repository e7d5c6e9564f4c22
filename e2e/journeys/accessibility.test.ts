import axe from "axe-core";
import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DeadLettersAnswer } from "@/server/contracts/dead-letters";
import type { FleetSummary } from "@/server/contracts/fleet";
import { until } from "../waiting";
import { loaded, PAGES, PEOPLE_PAGES } from "./pages";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

const DEVICE = "press-07";
const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
] as const;

let full: Stage;
let empty: Stage | undefined;
let letter: string;
let alert: string;
const SOURCE = "barn";

/** Makes a source of which one payload was read, one was ignored and one was refused. */
async function addSource(): Promise<void> {
  const send = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const init = { method: "POST", headers: { "content-type": "application/json", ...headers } };
    const answer = await full.product.fetch(path, { ...init, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as { text: string };
  };
  await send("/api/v1/sources", { name: SOURCE, kind: "generic" });
  const { text } = await send(`/api/v1/sources/${SOURCE}/keys`, {});
  const key = { authorization: `Bearer ${text}` };
  await send(`/ingest/${SOURCE}`, { device: "barn-1", temp: 21, door: null, bad: { deep: [1, "x"] } }, key);
  await send(`/ingest/${SOURCE}`, { temp: 21, time: "yesterday" }, key);
}
/** Fires an alert of {@link DEVICE}, and returns its id. */
async function fire(): Promise<string> {
  const spec = {
    kind: "condition",
    of: { devices: [DEVICE] },
    conditions: [{ metric: "temperature", is: "above", warning: 80, clear: 70 }],
  };
  const body = JSON.stringify({ name: "Too hot", spec, runbook: "Call the shift lead." });
  const made = await full.product.fetch("/api/v1/rules", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  if (!made.ok) throw new Error(`POST rules: ${made.status} ${await made.text()}`);
  const found = async () =>
    (await full.product.get<{ items: { id: string }[] }>(`/api/v1/alerts?device=${DEVICE}`)).items;
  await post(full.product, { device: DEVICE, time: Date.now(), readings: { temperature: 96.1 } });
  await until(async () => (await found()).length > 0, { timeoutMs: PATIENCE_MS, what: "an alert" });
  return (await found())[0]!.id;
}

beforeAll(async () => {
  // No faster than it takes to have everything on screen: each value that comes is drawn.
  full = await setStage({ SIMULATOR_FAULTS_PER_HOUR: "600", SIMULATOR_INTERVAL_MS: "2000" });
  await post(full.product, { device: DEVICE, time: Date.now(), readings: { temperature: 21.3, motion: false } });
  const letters = () => full.product.get<DeadLettersAnswer>("/api/v1/dead-letters?limit=1");
  await until(async () => (await full.product.get<{ items: unknown[] }>("/api/v1/metrics")).items.length > 1, {
    timeoutMs: PATIENCE_MS,
    what: "the kinds of its values",
  });
  await post(full.product, { device: DEVICE, time: Date.now(), readings: { temperature: "21.3 °C" } });
  await until(async () => (await letters()).items.length === 1, { timeoutMs: PATIENCE_MS, what: "a dead letter" });
  letter = (await letters()).items[0]!.id;
  await addSource();
  alert = await fire();
  await until(async () => (await full.product.get<FleetSummary>("/api/v1/fleet/summary")).states.live > 5, {
    timeoutMs: PATIENCE_MS,
    what: "devices",
  });
});
afterAll(async () => {
  await full?.close();
  await empty?.close();
  expect([...(full?.errors ?? []), ...(empty?.errors ?? [])]).toEqual([]);
});

/** Returns what axe finds wrong on the page as it is: rule, elements, and why. */
async function violations(
  page: Page,
  { but = [], only }: { but?: readonly string[]; only?: string[] } = {},
): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(
    ({ but, only }) =>
      (window as unknown as { axe: typeof axe }).axe.run(document, {
        resultTypes: ["violations"],
        rules: Object.fromEntries(but.map((rule) => [rule, { enabled: false }])),
        ...(only && { runOnly: only }),
      }),
    { but, only },
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary ?? ""}`),
  );
}

const routes = () => [
  ...PAGES,
  ...PEOPLE_PAGES,
  { name: "a device", route: `/devices/${DEVICE}` },
  { name: "alerts", route: "/alerts" },
  { name: "an alert", route: `/alerts/${alert}` },
  { name: "rules", route: "/alerts/rules" },
  { name: "a rule to be made", route: "/alerts/rules?new=1&metric=temperature&above=80" },
  { name: "a silence to be made", route: "/alerts/silences?new=1&site=north" },
  { name: "channels", route: "/alerts/channels" },
  { name: "cost", route: "/retention/cost" },
  { name: "lineage", route: "/metrics/lineage" },
  { name: "a dead letter", route: `/dead-letters?letter=${encodeURIComponent(letter)}` },
  { name: "a source", route: `/sources/${SOURCE}` },
  { name: "a mapping, with the last payload, which was refused", route: `/sources/${SOURCE}/mapping` },
  { name: "the wall", route: "/?wall=1" },
  { name: "no page", route: "/nowhere" },
];

/** The rules that look at colors; what the others say is the same in each scheme. */
const OF_COLORS = ["color-contrast", "link-in-text-block"];

const [WIDE, NARROW] = SIZES;
/** In an order in which one thing changes at a time. */
const WAYS = [
  { colorScheme: "light", size: WIDE },
  { colorScheme: "light", size: NARROW },
  { colorScheme: "dark", size: NARROW },
  { colorScheme: "dark", size: WIDE },
] as const;
type Way = (typeof WAYS)[number];
/** Each scheme and each size once: for what was looked at in all ways in another state. */
const EACH_ONCE = WAYS.filter((_, i) => i % 2 === 1);
const BOTH_SCHEMES = WAYS.filter(({ size }) => size === WIDE);

async function threeFrames(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
  });
}

/** What axe finds wrong in ways to look: a page is loaded once and changes under its reader, as by a turned phone. @param but rules to leave out. */
async function violationsIn(ways: readonly Way[], page: Page, but: readonly string[] = []): Promise<string[]> {
  const wrong: string[] = [];
  for (const { colorScheme, size } of ways) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // The wall is dark anyway; all others were loaded light.
    if (colorScheme === "dark")
      await page.locator("html[data-mantine-color-scheme=dark]").waitFor({ state: "attached" });
    // What is made for a size comes in the frames after.
    await threeFrames(page);
    const found = await violations(page, colorScheme === "light" ? { but } : { only: OF_COLORS });
    wrong.push(...found.map((one) => `${colorScheme}, ${size.width} px wide: ${one}`));
  }
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: "light" });
  return wrong;
}

for (const [state, stageOf, ways] of [
  ["with data", async () => full, WAYS],
  // Started late, as a product that runs beside takes its share of the machine.
  ["empty", async () => (empty = await setStage({ DEMO_DEVICES: "0" })), EACH_ONCE],
] as const)
  test(`axe finds nothing on any page, ${state}, light and dark, wide and narrow`, async () => {
    const wrong: string[] = [];
    const page = await (await stageOf()).open("about:blank");
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await page.setViewportSize(WIDE);
    for (const { name, route } of routes()) {
      await page.goto(route);
      if (name !== "no page") await loaded(page);
      wrong.push(...(await violationsIn(ways, page)).map((one) => `${name}, ${one}`));
    }
    await page.goto("/");
    await loaded(page);
    for (const [key, dialog] of [
      ["Control+k", "Find a device, a page or an action"],
      ["?", "Keyboard"],
    ] as const) {
      await page.keyboard.press(key);
      await page.getByRole("dialog", { name: dialog }).waitFor();
      wrong.push(...(await violationsIn(ways, page)).map((one) => `${dialog}, ${one}`));
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "hidden" });
    }
    await page.context().clearCookies();
    await page.goto("/sign-in");
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    wrong.push(...(await violationsIn(ways, page)).map((one) => `sign-in, ${one}`));
    await page.context().close();
    expect(wrong).toEqual([]);
  });

test("axe finds nothing in the dialogs and menus of metrics, devices, people and keys, light and dark", async () => {
  const wrong: string[] = [];
  const page = await full.open("about:blank");
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize(WIDE);
  // An open menu is no part of the page's landmarks, and needn't be.
  const look = async (name: string, but: readonly string[] = []) => {
    wrong.push(...(await violationsIn(BOTH_SCHEMES, page, but)).map((one) => `${name}, ${one}`));
    await page.keyboard.press("Escape");
    await page.locator("[role=dialog], [role=menu]").first().waitFor({ state: "detached" });
  };
  const openMenu = () => page.getByRole("button", { name: "Actions on temperature", exact: true }).click();
  await page.goto("/metrics");
  await loaded(page);
  await openMenu();
  await page.getByRole("menu").waitFor();
  await look("the menu of a metric", ["region"]);
  await page.getByRole("button", { name: "Account of Owner" }).click();
  await page.getByRole("menu").waitFor();
  await look("the menu of the account", ["region"]);
  for (const wish of ["Meaning and look…", "Merge into another…", "Delete…"]) {
    await openMenu();
    await page.getByRole("menuitem", { name: wish }).click();
    await page.getByRole("dialog").waitFor();
    await look(wish);
  }
  for (const [route, button] of [
    [`/devices/${DEVICE}`, "Delete…"],
    ["/metrics", "Sites…"],
    ["/retention", "Erase a person…"],
    ["/users", "Add a person…"],
    ["/keys", "Make a key…"],
    ["/account", "Sign out everywhere…"],
    ["/sources", "New source…"],
    [`/sources/${SOURCE}`, "Rotate…"],
    [`/sources/${SOURCE}`, "Edit…"],
    [`/sources/${SOURCE}`, "Remove…"],
  ] as const) {
    await page.goto(route);
    await loaded(page);
    await page.getByRole("button", { name: button }).click();
    await page.getByRole("dialog").waitFor();
    await look(`${route}, ${button}`);
  }
  await page.context().close();
  expect(wrong).toEqual([]);
});

test("the color scheme changes at once, so that no text is faint meanwhile", async () => {
  const page = await full.open("/devices", (opening) => opening.emulateMedia({ colorScheme: "light" }));
  await page.getByRole("status").getByText("Connected").waitFor();
  await page.evaluate(() =>
    document.addEventListener("transitionrun", ({ propertyName, target }) => {
      if (propertyName === "color") document.body.dataset.faded = (target as HTMLElement).innerText;
    }),
  );
  await page.emulateMedia({ colorScheme: "dark" });
  await page.locator("html[data-mantine-color-scheme=dark]").waitFor();
  // A transition is told of in the frame after the one that begins it.
  await threeFrames(page);
  expect(await page.locator("body").getAttribute("data-faded")).toBeNull();
  await page.context().close();
});
