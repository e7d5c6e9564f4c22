import axe from "axe-core";
import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FleetSummary } from "@/server/contracts/fleet";
import { until } from "../waiting";
import { loaded, PAGES } from "./pages";
import { post, setStage, type Stage } from "./stage";

const DEVICE = "press-07";
const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
] as const;

let full: Stage;
let empty: Stage;
beforeAll(async () => {
  full = await setStage({ SIMULATOR_FAULTS_PER_HOUR: "600" });
  empty = await setStage({ DEMO_DEVICES: "0" });
  await post(full.product, { device: DEVICE, time: Date.now(), readings: { temperature: 21.3, motion: false } });
  await until(async () => (await full.product.get<FleetSummary>("/api/v1/fleet/summary")).states.live > 5, {
    timeoutMs: 30_000,
    what: "devices",
  });
});
afterAll(async () => {
  await full?.close();
  await empty?.close();
  expect([...(full?.errors ?? []), ...(empty?.errors ?? [])]).toEqual([]);
});

/** What axe finds wrong on the page as it is: rule, elements, and why. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ["violations"] }),
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary ?? ""}`),
  );
}

const routes = [...PAGES, { name: "a device", route: `/devices/${DEVICE}` }, { name: "no page", route: "/nowhere" }];

for (const colorScheme of ["light", "dark"] as const) {
  for (const size of SIZES) {
    test(`axe finds nothing on any page, ${colorScheme}, ${size.width} px wide, with and without data`, async () => {
      const wrong: string[] = [];
      for (const stage of [full, empty]) {
        const page = await stage.open("about:blank");
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.setViewportSize(size);
        for (const { name, route } of routes) {
          await page.goto(route);
          if (name !== "no page") await loaded(page);
          const state = stage === full ? "with data" : "empty";
          wrong.push(...(await violations(page)).map((one) => `${name}, ${state}: ${one}`));
        }
        await page.context().close();
      }
      expect(wrong).toEqual([]);
    });
  }
}
