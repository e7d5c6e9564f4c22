import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startOidcPeer, type OidcPeer } from "@/server/testing/oidc-peer";
import { freePort } from "../product";
import { until } from "../waiting";
import { loaded } from "./pages";
import { PATIENCE_MS, setStage, type Stage } from "./stage";

let stage: Stage;
let peer: OidcPeer;
beforeAll(async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  peer = await startOidcPeer({
    redirect_uris: [`${url}/api/v1/sign-in/oidc/callback`],
    post_logout_redirect_uris: [`${url}/sign-in`],
  });
  stage = await setStage(
    {
      ...{ DEMO_DEVICES: "2", OIDC_ISSUER: peer.issuer, OIDC_CLIENT_ID: peer.clientId },
      ...{ OIDC_CLIENT_SECRET: peer.clientSecret, OIDC_NAME: "Plant login", OIDC_ROLES: "admins=admin;ops=operator" },
    },
    port,
  );
});
afterAll(async () => {
  await stage?.close();
  await peer?.stop();
  expect(stage?.errors ?? []).toEqual([]);
});

const openAsNobody = (route: string): Promise<Page> => stage.open(route, (page) => page.context().clearCookies());

test("who signs in at the provider is led there and back to where they were going", async () => {
  peer.people.set("ada", { name: "Ada", groups: ["admins"] });
  peer.whoSignsIn = "ada";
  const page = await openAsNobody("/devices?state=live");
  await page.getByRole("link", { name: "Sign in with Plant login" }).click();
  await page.getByRole("button", { name: "Account of Ada" }).waitFor();
  expect(page.url()).toBe(`${stage.product.url}/devices?state=live`);

  await page.goto("/sign-in-settings");
  await page.getByText("Answers").waitFor();
  await page.getByRole("table", { name: "Roles by group" }).getByText("ops").waitFor();

  // The provider didn't say when: for what outlasts the session it asks again, in another tab, and then it goes on.
  await page.goto("/keys");
  await loaded(page);
  await page.getByRole("button", { name: "Make a key…" }).click();
  await page.getByLabel("Name", { exact: true }).fill("line 7");
  await page.getByRole("button", { name: "Make the key" }).click();
  await page
    .getByRole("dialog", { name: "Sign in again" })
    .getByRole("button", { name: "Sign in with Plant login" })
    .click();
  await page.getByRole("dialog", { name: "Key line 7" }).waitFor();
  expect(peer.asked.at(-1)?.get("prompt")).toBe("login");
  await page.getByRole("button", { name: "Done, it is copied" }).click();

  await page.getByRole("button", { name: "Account of Ada" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("link", { name: "Sign in with Plant login" }).waitFor();
  await page.context().close();
});

test("who is in no group with a role is told which groups came, and what to ask for", async () => {
  peer.people.set("gus", { name: "Gus", groups: ["visitors", "all staff"] });
  peer.whoSignsIn = "gus";
  const page = await openAsNobody("/");
  await page.getByRole("link", { name: "Sign in with Plant login" }).click();
  await page.getByText("visitors, all staff").waitFor();
  await page.getByText('OIDC_ROLES="visitors=viewer"').waitFor();
  expect(new URL(page.url()).pathname).toBe("/sign-in");
  await page.context().close();
});

test("who cancels there is told so, and while the provider is away a link still works", async () => {
  peer.whoSignsIn = null;
  const page = await openAsNobody("/jobs");
  await page.getByRole("link", { name: "Sign in with Plant login" }).click();
  await page.getByRole("alert").getByText("You have not signed in").waitFor();
  await peer.stop();
  await until(
    async () => {
      const answer = await fetch(`${stage.product.url}/api/v1/sign-in`);
      return ((await answer.json()) as { provider: { isAway: boolean } }).provider.isAway;
    },
    { timeoutMs: PATIENCE_MS, what: "the provider to count as away" },
  );
  await page.goto("/sign-in");
  await page.getByText("Plant login does not answer at the moment.").waitFor();
  const known = await stage.open("/jobs");
  await known.getByRole("button", { name: "Account of Owner" }).waitFor();
  await peer.start();
  await page.context().close();
  await known.context().close();
});
