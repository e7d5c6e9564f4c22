import { beforeAll, expect, test } from "vitest";
import { deviceDetail } from "@/server/contracts/devices";
import { deviceQualityAnswer, qualityAnswer, qualityLimitsAnswer } from "@/server/contracts/quality";
import type { Caller } from "@/server/domain/access";
import { createApiRig, JSON_TYPE } from "@/server/testing/api-rig";
import type { VerbName } from "../verbs";

const rig = createApiRig();
const asking = {} as { caller: Caller };

const person = (role: "viewer" | "editor", site: number | null): Caller => ({
  ...{ kind: "user", accountId: 1, name: "Ada", sessionId: "00000000-0000-4000-8000-000000000000" },
  ...{ provenAt: Date.now(), grants: [{ role, siteId: site }] },
});
const DAY = "2026-01-15";

let api: ReturnType<typeof rig.compose>;
beforeAll(async () => {
  api = rig.compose({ callerOf: async () => asking.caller });
  await rig.owner.query(
    `INSERT INTO site (id, name) VALUES (1, 'A'), (2, 'B');
     INSERT INTO device (id, name, site_id) OVERRIDING SYSTEM VALUE VALUES (1, 'a1', 1), (2, 'a2', 1), (3, 'b1', 2);
     INSERT INTO metric (id, name, kind) OVERRIDING SYSTEM VALUE VALUES (1, 'heat', 'number'), (2, 'load', 'number');
     INSERT INTO device_metric (device_id, metric_id) VALUES (1, 1), (1, 2), (2, 1), (3, 1);
     INSERT INTO quality_day SELECT d, m, '${DAY}Z', e, 90, c, 1, 1, 1, 1, s FROM (VALUES
       (1, 1, 100, 0.9, 90), (1, 2, 100, 0.5, 50), (2, 1, NULL, NULL, NULL), (3, 1, 100, 0.2, 20)) AS q (d, m, e, c, s);
     INSERT INTO quality_flag VALUES (1, 1, 'spike', '${DAY}T10:00Z', '${DAY}T10:00Z', 'fail', 1), (1, 0, 'gap', '${DAY}T11:00Z', '${DAY}T12:00Z', 'suspect', 1),
       (3, 1, 'range', '${DAY}T10:00Z', '${DAY}T10:10Z', 'fail', 60);
     INSERT INTO quality_count VALUES (1, '${DAY}T10:00Z', 3, 2, 1)`,
  );
});

async function ask(caller: Caller, verb: VerbName, params = {}, query = "", body?: object) {
  asking.caller = caller;
  const init = body ? { method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) } : {};
  return api.handle(verb, new Request(`http://here/api?${query}`, init), params);
}
const list = async (caller: Caller, query = "") =>
  qualityAnswer.parse(await (await ask(caller, "listQuality", {}, query)).json());
const namesOf = ({ items }: { items: { device: string; metric: string }[] }) =>
  items.map(({ device, metric }) => `${device} ${metric}`);

test("the worst series come first, unknown ones last, a page at a time, by site, device and check", async () => {
  const viewer = person("viewer", null);
  const all = await list(viewer);
  expect(namesOf(all)).toEqual(["b1 heat", "a1 load", "a1 heat", "a2 heat"]);
  expect(all).toMatchObject({ day: DAY, series: 4, next: null });
  expect(all.items[2]!.flagged).toEqual({ spike: 1, gap: 1 });
  expect(all.sites).toEqual([
    { site: "B", series: 1, median: 20, below80: 1, unknown: 0 },
    { site: "A", series: 3, median: 50, below80: 1, unknown: 1 },
  ]);
  const pages: string[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const page: typeof all = await list(viewer, `limit=1${cursor && `&cursor=${cursor}`}`);
    pages.push(...namesOf(page));
    cursor = page.next;
  }
  expect(pages).toEqual(namesOf(all));
  expect(namesOf(await list(viewer, "site=A&check=gap"))).toEqual(["a1 load", "a1 heat"]);
  expect(namesOf(await list(viewer, "device=a2"))).toEqual(["a2 heat"]);
  expect(await list(viewer, "day=2026-01-14")).toMatchObject({ day: "2026-01-14", items: [], series: 0 });
  expect((await ask(viewer, "listQuality", {}, "cursor=x")).status).toBe(400);
});

test("who sees one site sees its series alone, and as nothing what is elsewhere", async () => {
  const viewer = person("viewer", 1);
  const seen = await list(viewer);
  expect(namesOf(seen)).toEqual(["a1 load", "a1 heat", "a2 heat"]);
  expect(seen.sites.map(({ site }) => site)).toEqual(["A"]);
  expect((await ask(viewer, "getDeviceQuality", { id: "b1" })).status).toBe(404);
});

test("a device tells its flags, its counts and its series; its answer has the score of the worst", async () => {
  const viewer = person("viewer", 1);
  const query = `from=${DAY}T10:00:00Z&to=${DAY}T11:30:00Z`;
  const answer = deviceQualityAnswer.parse(await (await ask(viewer, "getDeviceQuality", { id: "a1" }, query)).json());
  expect(answer.flags).toMatchObject([
    { metric: "heat", check: "spike", level: "fail" },
    { metric: null, check: "gap", level: "suspect" },
  ]);
  expect(answer).toMatchObject({ more: false, counts: { repeats: 3, late: 2, conflicts: 1 }, day: DAY });
  expect(answer.series.map(({ metric, score }) => [metric, score])).toEqual([
    ["load", 50],
    ["heat", 90],
  ]);
  const quality = async (id: string) =>
    deviceDetail.parse(await (await ask(viewer, "getDevice", { id })).json()).quality;
  expect([await quality("a1"), await quality("a2")]).toEqual([50, null]);
});

test("an editor sets limits where they hold the permission, it is in the record, and {} takes them back", async () => {
  const heat = { metric: "heat", limits: { max: 80, spikeSteps: null } };
  const set = (caller: Caller, body: object) => ask(caller, "setQualityLimits", {}, "", body);
  expect((await set(person("viewer", null), heat)).status).toBe(403);
  expect((await set(person("editor", 1), heat)).status).toBe(403);
  expect((await set(person("editor", 1), { ...heat, device: "b1" })).status).toBe(404);
  expect((await set(person("editor", null), { metric: "heat", limits: { min: 3, max: 2 } })).status).toBe(400);
  expect((await set(person("editor", null), { metric: "none", limits: {} })).status).toBe(404);
  expect((await set(person("editor", 1), { ...heat, device: "a1" })).status).toBe(200);
  const both = qualityLimitsAnswer.parse(await (await set(person("editor", null), heat)).json());
  expect(both.items).toMatchObject([
    { metric: "heat", device: null, limits: heat.limits },
    { metric: "heat", device: "a1", limits: heat.limits },
  ]);
  const { rows } = await rig.owner.query<{ target: string }>(
    // The name of a device stands apart from the sealed row.
    `SELECT coalesce(r.target, v.value) AS target FROM audit_row r LEFT JOIN audit_value v ON v.row_id = r.id AND v.path = 'target'
     WHERE verb = 'setQualityLimits' AND outcome = 'done' ORDER BY r.id`,
  );
  expect(rows.map(({ target }) => target)).toEqual(["heat of a1", "heat"]);
  const back = qualityLimitsAnswer.parse(
    await (await set(person("editor", null), { metric: "heat", limits: {} })).json(),
  );
  expect(back.items.map(({ device }) => device)).toEqual(["a1"]);
  const seen = await ask(person("viewer", 2), "listQualityLimits");
  expect(qualityLimitsAnswer.parse(await seen.json()).items).toEqual([]);
});

test("the data contract is a file of the metrics at one's sites, with the limits in force", async () => {
  const answer = await ask(person("viewer", 1), "getQualityContract");
  expect(answer.headers.get("content-disposition")).toContain("readings.odcs.json");
  const contract = (await answer.json()) as { apiVersion: string; schema: { properties: { name: string }[] }[] };
  expect(contract.apiVersion).toBe("v3.1.0");
  expect(contract.schema[0]!.properties.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["device", "time", "heat"]),
  );
});

test("in the data contract a metric that nobody gave a unit has the one that all devices of these sites say", async () => {
  await rig.owner.query(
    "INSERT INTO device_unit (device_id, metric_id, unit) VALUES (1, 1, 'K'), (2, 1, 'K'), (3, 1, '°C')",
  );
  const unitOfHeat = async (site: number | null) => {
    const contract = (await (await ask(person("viewer", site), "getQualityContract")).json()) as {
      schema: { properties: { name: string; customProperties?: { property: string; value: string }[] }[] }[];
    };
    const heat = contract.schema[0]!.properties.find(({ name }) => name === "heat")!;
    return heat.customProperties?.find(({ property }) => property === "unit")?.value;
  };
  expect([await unitOfHeat(1), await unitOfHeat(2), await unitOfHeat(null)]).toEqual(["K", "°C", undefined]);
});
