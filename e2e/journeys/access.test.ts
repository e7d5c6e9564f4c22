import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runProduct } from "../product";
import { until } from "../waiting";
import { loaded } from "./pages";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

const EMAIL = "owner@example.com";
const PASSWORD = "a few words are fine";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "2" });
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

/** What stands behind `#k=` of a new link, made as on the machine itself. */
async function newSecret(): Promise<string> {
  const { port } = new URL(stage.product.url);
  const { output } = await runProduct(["sign-in-link"], { FIELDWATCH_DATA_DIR: stage.product.dataDir, PORT: port });
  const [, secret] = /#k=([\w-]+)/.exec(output) ?? [];
  if (secret === undefined) throw new Error(`no link was printed: ${output}`);
  return secret;
}

/** A page of somebody who isn't signed in. */
function openAsNobody(route: string): Promise<Page> {
  return stage.open(route, (page) => page.context().clearCookies());
}

async function signInByPassword(page: Page): Promise<void> {
  await page.getByLabel("E-mail address").fill(EMAIL);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
}

const isAt = (page: Page, route: string) =>
  until(() => Promise.resolve(new URL(page.url()).pathname === route), {
    timeoutMs: PATIENCE_MS,
    what: `to be at ${route}`,
  });

let owner: Page;
let secret: string;

test("a link signs in once, leads back to where one was going, and leaves the address bar at once", async () => {
  secret = await newSecret();
  owner = await openAsNobody("/devices?state=live");
  await isAt(owner, "/sign-in");
  // As pasted into the address bar of the page that is already there: while it is getting ready, the router replaces the address.
  await owner.getByLabel("E-mail address").waitFor();
  await owner.evaluate((k) => (window.location.hash = `k=${k}`), secret);
  await owner.getByRole("button", { name: "Account of Owner" }).waitFor();
  expect(owner.url()).toBe(`${stage.product.url}/devices?state=live`);

  const second = await openAsNobody(`/sign-in#k=${secret}`);
  await second.getByRole("alert").getByText("This link does not work any more").waitFor();
  await second.getByRole("alert").getByText("npm run sign-in-link").waitFor();
  expect(second.url()).toBe(`${stage.product.url}/sign-in`);
  await second.context().close();
});

test("a password can be set, and signs in; a wrong one doesn't", async () => {
  await owner.goto("/account");
  await loaded(owner);
  await owner.getByLabel("E-mail address to sign in with").fill(EMAIL);
  await owner.getByLabel("New password").fill(PASSWORD);
  await owner.getByRole("button", { name: "Set it, and sign out elsewhere" }).click();
  await owner.getByText("Done. It works from now on.").waitFor();

  const other = await openAsNobody("/sign-in?to=//evil.example/");
  await other.getByLabel("E-mail address").fill(EMAIL);
  await other.getByLabel("Password", { exact: true }).fill("something else");
  await other.keyboard.press("Enter");
  await other.getByRole("alert").getByText("E-mail address or password is wrong").waitFor();
  await signInByPassword(other);
  await other.getByRole("button", { name: "Account of Owner" }).waitFor();
  expect(other.url()).toBe(`${stage.product.url}/`);
  await other.context().close();
});

test("a viewer is offered nothing they may not do, and is told what it takes", async () => {
  await owner.goto("/users");
  await loaded(owner);
  await owner.getByRole("button", { name: "Add a person…" }).click();
  await owner.getByLabel("Name", { exact: true }).fill("Vera");
  await owner.getByRole("button", { name: "Add and make a link" }).click();
  const link = await owner.getByRole("dialog").locator("code").textContent();
  await owner.getByRole("button", { name: "Done, it is copied" }).click();
  await owner.getByRole("row", { name: /Vera/ }).getByText("Viewer").waitFor();

  const viewer = await openAsNobody(link!);
  await viewer.getByRole("button", { name: "Account of Vera" }).waitFor();
  const navigation = viewer.getByRole("navigation", { name: "Pages" });
  expect(await navigation.getByRole("link").allTextContents()).not.toContain("Users");
  await viewer.goto("/users");
  await viewer
    .getByText("takes the permission administer at all sites, which comes with the role Admin there")
    .waitFor();
  await viewer.goto("/jobs");
  await viewer.locator("[data-job]").first().waitFor();
  expect(await viewer.getByRole("button", { name: "Run now" }).count()).toBe(0);
  await viewer.goto("/dead-letters?letter=unknown");
  await viewer.getByRole("complementary", { name: "Dead letter" }).getByText("permission view-messages").waitFor();
  for (const route of ["/health", "/pipeline", "/"]) {
    await viewer.goto(route);
    await viewer.getByRole("status").getByText("Connected").waitFor();
  }
  await viewer.goto("/devices");
  await viewer.locator("tbody tr a").first().click();
  await viewer.getByText("takes the permission view-messages").first().waitFor();
  for (const name of ["Edit", "Units", "Download"])
    expect(await viewer.getByRole("button", { name, exact: true }).count()).toBe(0);

  // Nothing was asked for that isn't allowed: the record would say so.
  await owner.goto("/audit?outcome=denied&actor=Vera");
  await owner.getByText("Nothing in the record matches.").waitFor();
  await viewer.context().close();
});

test("roles are given site by site, and who has them at some sites is shown those and offered no other page", async () => {
  for (const site of ["north", "south"])
    await post(stage.product, {
      ...{ device: `${site}-1`, site, time: new Date().toISOString(), readings: { temperature: 20 } },
    });
  const known = async () => {
    const { sites } = (await (await stage.product.fetch("/api/v1/devices?limit=1")).json()) as { sites: string[] };
    return ["north", "south"].every((site) => sites.includes(site));
  };
  await until(known, { timeoutMs: PATIENCE_MS, what: "both sites to be known" });

  await owner.goto("/users");
  await loaded(owner);
  await owner.getByRole("button", { name: "Add a person…" }).click();
  const dialog = owner.getByRole("dialog");
  await owner.getByLabel("Name", { exact: true }).fill("Sam");
  await choose(owner, "Where role 1 holds", "north");
  await dialog.getByRole("button", { name: "Add a role at another site" }).click();
  await choose(owner, "Where role 2 holds", "south");
  await choose(owner, "Role 2", "Editor");
  await owner.getByRole("button", { name: "Add and make a link" }).click();
  const link = await owner.getByRole("dialog").locator("code").textContent();
  await owner.getByRole("button", { name: "Done, it is copied" }).click();
  await owner.getByRole("row", { name: /Sam/ }).getByText("Viewer at north, Editor at south").waitFor();

  const scoped = await openAsNobody(link!);
  await scoped.getByRole("button", { name: "Account of Sam" }).waitFor();
  const links = scoped.getByRole("navigation", { name: "Pages" }).getByRole("link");
  await until(
    async () =>
      (await links.allTextContents()).join() ===
      "Overview,Devices,Explore,Alerts,Events,Metrics,Quality,Sources,Dead letters,Keys",
    {
      ...{ timeoutMs: PATIENCE_MS, what: "the navigation of somebody of some sites" },
    },
  );
  const own = ["/", "/devices", "/metrics", "/sources", "/dead-letters", "/keys", "/account"];
  for (const route of [...own, "/alerts", "/alerts/silences", "/quality", "/quality/odd"]) {
    await scoped.goto(route);
    await loaded(scoped);
  }
  for (const route of ["/pipeline", "/jobs", "/health", "/?wall=1"]) {
    await scoped.goto(route);
    await scoped.getByText("takes the permission view at all sites").waitFor();
    await scoped.getByText("Yours is Editor at some sites;").waitFor();
  }
  // What a role gives at one site isn't offered at the other.
  const offers = ["Edit", "Units", "Download"].map((name) => scoped.getByRole("button", { name, exact: true }));
  await scoped.goto("/devices/south-1");
  for (const offer of offers) await offer.first().waitFor();
  await scoped.goto("/devices/north-1");
  await scoped.getByText("takes the permission view-messages at the site north").first().waitFor();
  for (const offer of offers) expect(await offer.count()).toBe(0);
  // Nothing was asked for that isn't theirs: the record would say so.
  await owner.goto("/audit?outcome=denied&actor=Sam");
  await owner.getByText("Nothing in the record matches.").waitFor();

  // A change tells what it does, and leaves the rest as it is.
  await owner.goto("/users");
  await loaded(owner);
  await owner.getByRole("button", { name: "Change Sam" }).click();
  await owner.getByRole("menuitem", { name: "Name, e-mail address, roles…" }).click();
  await dialog.getByRole("button", { name: "Take away Viewer at north" }).click();
  await dialog.getByRole("button", { name: "Add a role at another site" }).click();
  await choose(owner, "Where role 2 holds", "All sites");
  await dialog.getByText("Viewer at north is taken away. Viewer at all sites is new.").waitFor();
  await dialog.getByRole("button", { name: "Save" }).click();
  await owner.getByRole("row", { name: /Sam/ }).getByText("Viewer at all sites, Editor at south").waitFor();
  await isAt(scoped, "/sign-in");
  await scoped.context().close();
});

/** Chooses an option of a field that lists them. */
async function choose(page: Page, field: string, option: string): Promise<void> {
  await page.locator(`input[aria-label="${field}"]`).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

test("signing out everywhere cuts off the other browser too, and a stopped server doesn't look like that", async () => {
  const other = await openAsNobody("/sign-in");
  await signInByPassword(other);
  await other.getByRole("status").getByText("Connected").waitFor();
  await other.goto("/pipeline?minutes=15");
  await other.getByRole("status").getByText("Connected").waitFor();

  await other.route("**/api/**", (route) => route.abort());
  await other.getByText("The server does not answer.").first().waitFor();
  expect(new URL(other.url()).pathname).toBe("/pipeline");
  await other.unroute("**/api/**");
  await other.getByText("The server does not answer.").first().waitFor({ state: "detached" });

  await owner.goto("/account");
  await loaded(owner);
  await owner.getByRole("button", { name: "Sign out everywhere…" }).click();
  await owner.getByRole("dialog").getByRole("button", { name: "Sign out everywhere" }).click();
  await isAt(owner, "/sign-in");
  await isAt(other, "/sign-in");
  expect(new URL(other.url()).searchParams.get("to")).toBe("/pipeline?minutes=15");
  await signInByPassword(other);
  await isAt(other, "/pipeline");
});
