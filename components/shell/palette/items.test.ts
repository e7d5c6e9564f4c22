import { describe, expect, it } from "vitest";
import { PAGES } from "@/server/contracts/pages";
import { deviceItem, exploreItems, metricItems, type PaletteContext, rank, sourceItems, standingItems } from "./items";

const context: PaletteContext = { pages: PAGES, scheme: "light", zone: "local", device: null, isPinned: false };
const standing = standingItems(context);
const labels = (typed: string, devices = [] as ReturnType<typeof deviceItem>[]) =>
  rank(typed, standing, devices).map(({ label }) => label);

describe("standingItems", () => {
  it("offers only what would change something", () => {
    const offered = (change: Partial<PaletteContext>) =>
      standingItems({ ...context, ...change }).map(({ label }) => label);
    expect(offered({})).toContain("Switch to dark");
    expect(offered({})).not.toContain("Switch to light");
    expect(offered({ scheme: "dark" })).toContain("Switch to light");
    expect(offered({ zone: "UTC" })).toContain("Show times in local time");
  });

  it("offers what concerns the device that is shown", () => {
    const items = standingItems({ ...context, device: "a:b", isPinned: true });
    expect(items.find(({ label }) => label === "Dead letters of a:b")?.to).toEqual({
      href: "/dead-letters?device=a%3Ab",
    });
    expect(items.map(({ label }) => label)).toContain("Unpin a:b from the overview");
  });

  it("offers nothing of all sites to who can't go to the pages of them", () => {
    const items = standingItems({ ...context, pages: PAGES.filter(({ ofAllSites }) => !ofAllSites) });
    const hrefs = items.flatMap(({ to }) => ("href" in to ? [to.href] : []));
    expect(hrefs.filter((href) => /wall|^\/(health|jobs|pipeline)/.test(href))).toEqual([]);
  });

  it("has an id for each, once", () => {
    expect(new Set(standing.map(({ id }) => id)).size).toBe(standing.length);
  });
});

describe("rank", () => {
  it("shows recent devices, pages and actions before anything is typed, and no more than that", () => {
    const shown = labels("", [deviceItem("press-07", "Recent devices")]);
    expect(shown[0]).toBe("press-07");
    expect(shown).toContain("Dead letters");
    expect(shown.some((label) => label.startsWith("Dead letters:"))).toBe(false);
  });

  it("puts the group with the best match first", () => {
    const pump = deviceItem("pump-01", "Devices");
    expect(labels("pump", [pump])[0]).toBe("pump-01");
    expect(labels("health", [deviceItem("unit-1", "Devices", { site: "health-lab", type: null, labels: {} })])[0]).toBe(
      "Health",
    );
  });

  it("keeps devices that the server found by their site", () => {
    expect(labels("hamburg", [deviceItem("press-07", "Devices", { site: "hamburg", type: null, labels: {} })])).toEqual(
      ["press-07"],
    );
  });

  it("finds metrics by their name, and none before something is typed", () => {
    const all = [
      ...standing,
      ...metricItems([
        { name: "pump.pressure", unit: "bar" },
        { name: "flow", unit: null },
      ]),
    ];
    const [found] = rank("press", all, []);
    expect(found).toMatchObject({
      label: "pump.pressure",
      detail: "bar",
      to: { href: "/metrics?search=pump.pressure" },
    });
    expect(rank("", all, []).some(({ group }) => group === "Metrics")).toBe(false);
  });

  it("finds a metric side by side, by site, and of a site", () => {
    const metrics = [{ name: "temperature" }, { name: "battery" }];
    const found = (typed: string) => rank(typed, exploreItems(typed, metrics, ["Hall B", "north"]), [])[0];
    expect(found("temperature by site")).toMatchObject({ to: { href: "/explore?by=site&metric=temperature" } });
    expect(found("temp of hall")).toMatchObject({
      label: "temperature of Hall B",
      to: { href: "/explore?metric=temperature&site=Hall+B" },
    });
    expect(rank("", exploreItems("", metrics, ["north"]), [])).toEqual([]);
  });

  it("finds sources by their name and their title", () => {
    const all = [...standing, ...sourceItems([{ name: "kitchen", title: "Zigbee of the canteen" }])];
    for (const typed of ["kit", "canteen"])
      expect(rank(typed, all, [])[0]).toMatchObject({ label: "kitchen", to: { href: "/sources/kitchen" } });
    expect(rank("", all, []).some(({ group }) => group === "Sources")).toBe(false);
  });

  it("finds actions by other words, and filters by their reason", () => {
    expect(labels("theme")).toContain("Switch to dark");
    expect(labels("dead json")[0]).toBe("Dead letters: not json");
    expect(labels("qqq")).toEqual([]);
  });
});
