import pg from "pg";
import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { UserLink } from "@/server/contracts/access";
import type { MetricsAnswer } from "@/server/contracts/metrics";
import type { FleetSummary } from "@/server/contracts/fleet";
import { until } from "../waiting";
import { loaded } from "./pages";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

const DEVICES = ["tank-1", "tank-2", "tank-3"];

let stage: Stage;
let database: pg.Client;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "0", DEVICE_STALE_SECONDS: "3600" });
  const time = Date.now() - 60_000;
  await post(
    stage.product,
    DEVICES.flatMap((device) => [
      { device, time, readings: { level: 10, lvl: 11, door: true, junk: 1 } },
      { device, time: time + 1000, readings: { lvl: 12 } },
    ]),
  );
  database = new pg.Client({ connectionString: stage.product.connectionString() });
  await database.connect();
  await until(async () => (await readings("lvl")) === 6, { timeoutMs: PATIENCE_MS, what: "all readings" });
});
afterAll(async () => {
  await database?.end();
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

async function readings(metric: string): Promise<number> {
  const { rows } = await database.query<{ n: number }>("SELECT count(*)::int AS n FROM reading WHERE metric = $1", [
    metric,
  ]);
  return rows[0]!.n;
}

const catalog = async () => (await stage.product.get<MetricsAnswer>("/api/v1/metrics")).items;
const row = (page: Page, name: string) => page.locator(`tr[data-row="${name}"]`);
const dialog = (page: Page) => page.getByRole("dialog");

async function want(page: Page, name: string, wish: string): Promise<void> {
  await page.getByRole("button", { name: `Actions on ${name}`, exact: true }).click();
  await page.getByRole("menuitem", { name: wish }).click();
  await dialog(page).waitFor();
}

/** Keeps the job from going on, by a lock on what it writes, while `work` looks at what is shown meanwhile. */
async function heldUp(work: () => Promise<void>): Promise<void> {
  const holder = new pg.Client({ connectionString: stage.product.connectionString() });
  await holder.connect();
  try {
    await holder.query("BEGIN; LOCK TABLE sample IN SHARE MODE");
    await work();
  } finally {
    await holder.end();
  }
}

test("metrics are searched, sorted and narrowed; the address holds it", async () => {
  const page = await stage.open("/metrics");
  await loaded(page);
  await row(page, "level").getByText("3", { exact: true }).waitFor();
  const names = () =>
    page.locator("tr[data-row]").evaluateAll((rows) => rows.map((one) => (one as HTMLElement).dataset.row));
  expect(await names()).toEqual(["door", "junk", "level", "lvl"]);
  await page.getByRole("button", { name: "Metric" }).click();
  await expect.poll(names).toEqual(["lvl", "level", "junk", "door"]);
  await page.getByRole("button", { name: /^Booleans/ }).click();
  await expect.poll(names).toEqual(["door"]);
  expect(new URL(page.url()).search).toBe("?sort=-name&only=boolean");
  await page.keyboard.press("/");
  await page.keyboard.type("l");
  await page.getByText("No metric matches.").waitFor();
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await expect.poll(names).toEqual(["lvl", "level", "junk", "door"]);
  await page.context().close();
});

test("the keyboard alone says a unit, a kind, a range and an owner", async () => {
  const page = await stage.open("/metrics");
  await loaded(page);
  await row(page, "door").waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await dialog(page).getByRole("heading", { name: "Meaning and look of door" }).waitFor();
  await dialog(page).getByText("Number", { exact: true }).click();
  await dialog(page).getByText("Values are shown as numbers: true is 1, false is 0.").waitFor();
  await dialog(page).getByRole("button", { name: "Save" }).press("Enter");
  await dialog(page).waitFor({ state: "hidden" });
  await row(page, "door").getByRole("cell", { name: "Number", exact: true }).waitFor();
  expect((await catalog()).find(({ name }) => name === "door")?.kind).toBe("number");

  await page.getByRole("button", { name: "level", exact: true }).press("Enter");
  await dialog(page).getByLabel("Unit of all devices").first().fill("mm");
  const save = dialog(page).getByRole("button", { name: "Save" });
  await dialog(page).getByLabel("Valid from").fill("20");
  await dialog(page).getByLabel("Valid to").fill("-5");
  await dialog(page).getByText("It is below where the range begins.").waitFor();
  expect(await save.isDisabled()).toBe(true);
  await dialog(page).getByLabel("Valid to").fill("2500.5");
  await dialog(page).getByLabel("Owner").fill("Tank team");
  await dialog(page).getByText("Kept: readings for ever, minutes for ever, hours for ever.").waitFor();
  await dialog(page).getByRole("button", { name: "Save" }).press("Enter");
  await row(page, "level").getByRole("cell", { name: "mm", exact: true }).waitFor();
  await row(page, "level").getByRole("cell", { name: "Tank team", exact: true }).waitFor();
  expect((await catalog()).find(({ name }) => name === "level")).toMatchObject({ min: 20, max: 2500.5 });
  await page.context().close();
});

test("a metric is merged into another: what comes of it is said first, and shown until it is done", async () => {
  const page = await stage.open("/metrics");
  await loaded(page);
  await want(page, "lvl", "Merge into another…");
  const merge = dialog(page).getByRole("button", { name: /^Merge/ });
  expect(await merge.isDisabled()).toBe(true);
  await dialog(page).getByRole("combobox", { name: "Metric that gets its readings" }).click();
  await page.getByRole("option", { name: "level (mm)" }).click();
  await dialog(page).getByText("6 readings of 3 devices").waitFor();
  await heldUp(async () => {
    await merge.click();
    await dialog(page).waitFor({ state: "hidden" });
    await row(page, "lvl").waitFor({ state: "detached" });
    await page.getByText(/^Moving lvl to level/).waitFor();
    // A metric of that name comes again meanwhile: it can't be removed yet, and the list says why.
    await database.query("INSERT INTO metric (name, kind) VALUES ('lvl', 'number')");
    await page.reload();
    await page.getByRole("button", { name: "Actions on lvl", exact: true }).click();
    await page.getByText("An earlier one of this name is still being removed.").waitFor();
    await page.keyboard.press("Escape");
  });
  await page.getByText(/^Moving lvl/).waitFor({ state: "detached" });
  // Where level had a reading, its own stayed.
  expect(await readings("level")).toBe(6);
  await page.context().close();
});

test("a metric is deleted, and its readings with it", async () => {
  const page = await stage.open("/metrics");
  await loaded(page);
  await want(page, "junk", "Delete…");
  await dialog(page).getByText("3 readings of 3 devices").waitFor();
  await dialog(page).getByRole("button", { name: "Delete" }).click();
  await row(page, "junk").waitFor({ state: "detached" });
  await until(async () => (await readings("junk")) === 0, { timeoutMs: PATIENCE_MS, what: "its readings to be gone" });
  await page.getByText(/^Deleting junk/).waitFor({ state: "detached" });
  expect((await catalog()).map(({ name }) => name)).not.toContain("junk");

  // One that somebody else has deleted meanwhile.
  await want(page, "lvl", "Delete…");
  await database.query("DELETE FROM metric WHERE name = 'lvl'");
  await dialog(page).getByRole("button", { name: "Delete" }).click();
  await dialog(page).getByRole("alert").getByText('There is no metric "lvl".').waitFor();
  await page.context().close();
});

test("a device is deleted, the list is without it at once, and it comes back when it sends again", async () => {
  const page = await stage.open("/devices/tank-2");
  await loaded(page);
  await page.getByRole("button", { name: "Delete…" }).click();
  await dialog(page).getByRole("heading", { name: "Delete tank-2" }).waitFor();
  await dialog(page).getByText("Everything stored of 2 messages from tank-2").waitFor();
  await heldUp(async () => {
    await dialog(page).getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
    await page.getByText("Deleting tank-2").waitFor();
    expect(await row(page, "tank-2").count()).toBe(0);
    await row(page, "tank-1").waitFor();
  });
  await page.getByText("Deleting tank-2").waitFor({ state: "detached" });
  await page.goto("/devices/tank-2");
  await page.getByText("No device named tank-2 has reported.").waitFor();
  await post(stage.product, { device: "tank-2", time: Date.now(), readings: { level: 5 } });
  await until(async () => (await stage.product.get<FleetSummary>("/api/v1/fleet/summary")).total === 3, {
    timeoutMs: PATIENCE_MS,
    what: "the device to be back",
  });
  await page.context().close();
});

test("a device that an earlier version stored as .. is opened and deleted", async () => {
  await database.query("INSERT INTO device (name) VALUES ('..')");
  const page = await stage.open("/devices");
  await page.getByRole("link", { name: "..", exact: true }).click();
  await page
    .getByRole("heading", { level: 1, name: "Devices / .." })
    .or(page.getByRole("heading", { level: 1, name: /\.\.$/ }))
    .first()
    .waitFor();
  await page.getByRole("button", { name: "Delete…" }).click();
  await dialog(page).getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { level: 1, name: "Devices", exact: true }).waitFor();
  await row(page, "tank-1").waitFor();
  expect(await row(page, "..").count()).toBe(0);
  const { rows } = await database.query("SELECT FROM device WHERE name = '..'");
  expect(rows).toHaveLength(0);
  await page.context().close();
});

test("an editor says what metrics mean, and is offered no more; a viewer is offered nothing", async () => {
  for (const [role, offered] of [
    ["editor", ["Meaning and look…"]],
    ["viewer", []],
  ] as const) {
    const answer = await stage.product.fetch("/api/v1/users", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: role, email: null, role }),
    });
    const { link } = (await answer.json()) as UserLink;
    const page = await stage.open(link, (opening) => opening.context().clearCookies());
    await page.getByRole("button", { name: `Account of ${role}` }).waitFor();
    await page.goto("/metrics");
    await loaded(page);
    await row(page, "level").getByRole("cell", { name: "mm", exact: true }).waitFor();
    const actions = page.getByRole("button", { name: "Actions on level" });
    expect(await actions.count()).toBe(offered.length);
    if (offered.length > 0) {
      await actions.click();
      expect(await page.getByRole("menuitem").allTextContents()).toEqual(offered);
    }
    await page.goto("/devices/tank-1");
    await page.getByRole("region", { name: "Properties" }).waitFor();
    expect(await page.getByRole("button", { name: "Delete…" }).count()).toBe(0);
    await page.context().close();
  }
});

test("text of others turns no line of a page, though an earlier version kept what would", async () => {
  const turning = "north\u202egnp.exe";
  await database.query("INSERT INTO site (name) VALUES ($1)", [turning]);
  await database.query(
    "UPDATE device SET type = $1, notes = $1, site_id = (SELECT id FROM site WHERE name = $1) WHERE name = 'tank-1'",
    [turning],
  );
  await database.query("UPDATE metric SET unit = $1 WHERE name = 'door'", [turning]);
  await post(stage.product, { device: "tank-1", time: Date.now(), readings: { level: 7, word: turning } });
  const page = await stage.open("/devices");
  for (const route of ["/devices", "/devices/tank-1", "/metrics", "/", "/?wall=1"]) {
    await page.goto(route);
    await page.getByText("north\ufffdgnp.exe").filter({ visible: true }).first().waitFor();
    // The history of its words comes after its values.
    if (route === "/devices/tank-1") await page.getByText("0 changes").waitFor();
    // A field has a line of its own, and shows what is sent.
    const found = await page.evaluate(() =>
      [...document.querySelectorAll("body *:not(script)")]
        .flatMap((element) => [
          ...[...element.childNodes].flatMap(({ nodeType, nodeValue }) => (nodeType === 3 ? [nodeValue ?? ""] : [])),
          element.getAttribute("title") ?? "",
          element.getAttribute("aria-label") ?? "",
        ])
        .filter((text) => /[\u202a-\u202e\u2066-\u2069]/.test(text)),
    );
    expect([route, found]).toEqual([route, []]);
  }
  await page.context().close();
});

test("all devices of a person are erased in one step, once it is said which", async () => {
  await database.query(
    `INSERT INTO device_label (device_id, key, value, by_person) SELECT id, 'owner', 'Ada Byron', true FROM device WHERE name <> 'tank-3'`,
  );
  const page = await stage.open("/retention");
  await loaded(page);
  await page.getByRole("button", { name: "Erase a person…" }).click();
  await dialog(page).getByLabel("Person").fill("Nobody");
  await dialog(page).getByText("No device is theirs.").waitFor();
  expect(await dialog(page).getByRole("button", { name: "Erase", exact: true }).isDisabled()).toBe(true);
  await dialog(page).getByLabel("Person").fill("Ada Byron");
  await dialog(page)
    .getByRole("row", { name: /^tank-1 its label/ })
    .waitFor();
  await dialog(page).getByRole("button", { name: "Erase 2 devices" }).click();
  await dialog(page).waitFor({ state: "hidden" });
  await page.getByRole("heading", { name: /^2 devices of one person, / }).waitFor();
  const { rows } = await database.query<{ name: string }>("SELECT name FROM device ORDER BY name");
  expect(rows.map(({ name }) => name)).toEqual(["tank-3"]);
  await page.context().close();
});
