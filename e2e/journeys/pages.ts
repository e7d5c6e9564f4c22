import type { Page } from "playwright";
import { until } from "../waiting";
import { PATIENCE_MS } from "./stage";

/** The pages in the navigation, by their name. */
export const PAGES = [
  { name: "Overview", route: "/" },
  { name: "Devices", route: "/devices" },
  { name: "Explore", route: "/explore" },
  { name: "Metrics", route: "/metrics" },
  { name: "Quality", route: "/quality" },
  { name: "Sources", route: "/sources" },
  { name: "Pipeline", route: "/pipeline" },
  { name: "Dead letters", route: "/dead-letters" },
  { name: "Jobs", route: "/jobs" },
  { name: "Retention", route: "/retention" },
  { name: "Health", route: "/health" },
] as const;

/** The pages about who may come in, for an administrator. */
export const PEOPLE_PAGES = [
  { name: "Users", route: "/users" },
  { name: "Keys", route: "/keys" },
  { name: "Audit", route: "/audit" },
  { name: "My account", route: "/account" },
] as const;

/** Waits until a page shows what it is about: no placeholder is left, and the live channel is open. */
export async function loaded(page: Page): Promise<void> {
  await page.getByRole("status").getByText("Connected").waitFor();
  const waiting = page.locator('[role=status][aria-label^="Loading"]:visible');
  await until(async () => (await waiting.count()) === 0, {
    timeoutMs: PATIENCE_MS,
    what: `${page.url()} to be loaded`,
  });
}
