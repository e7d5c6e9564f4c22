import { beforeAll, expect, test } from "vitest";
import { deviceOddnessAnswer, oddAnswer, oddStretch } from "@/server/contracts/odd";
import type { Caller } from "@/server/domain/access";
import { createApiRig, JSON_TYPE } from "@/server/testing/api-rig";
import { addReadings, createOddWorker, ODD_DAY as DAY, ODD_STEP as STEP } from "@/server/testing/odd-rig";
import type { VerbName } from "../verbs";

const rig = createApiRig();
const asking = {} as { caller: Caller };
const person = (role: "viewer" | "operator", site: number | null): Caller => ({
  ...{ kind: "user", accountId: 1, name: "Ada", sessionId: "00000000-0000-4000-8000-000000000000" },
  ...{ provenAt: Date.now(), grants: [{ role, siteId: site }] },
});

const NOW = Math.floor(Date.now() / STEP) * STEP;
const KNOWN = NOW - 2 * STEP;
const BEGIN = KNOWN - 15 * DAY;
const HEAT = `20 + 8 * sin(n * pi() / 144) + sin(n * n)`;

let api: ReturnType<typeof rig.compose>;
let run: (now: number) => Promise<void>;
async function add(from: number, to: number, jumps: readonly number[]) {
  for (const [i, jump] of jumps.entries())
    await addReadings(rig.engines.pool, i + 1, [`${HEAT} + ${jump}`], { begin: BEGIN, from, to });
}

beforeAll(async () => {
  api = rig.compose({ callerOf: async () => asking.caller });
  await rig.owner.query(
    `INSERT INTO site (id, name) VALUES (1, 'A'), (2, 'B');
     INSERT INTO device (id, name, site_id) OVERRIDING SYSTEM VALUE VALUES (1, 'a1', 1), (2, 'a2', 1), (3, 'b1', 2);
     INSERT INTO metric (id, name, kind, unit) OVERRIDING SYSTEM VALUE VALUES (1, 'heat', 'number', '°C');
     INSERT INTO device_metric (device_id, metric_id) VALUES (1, 1), (2, 1), (3, 1)`,
  );
  run = createOddWorker(rig.engines.pool);
});

async function ask(caller: Caller, verb: VerbName, params = {}, query = "", body?: object) {
  asking.caller = caller;
  const init = body ? { method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) } : {};
  return api.handle(verb, new Request(`http://here/api?${query}`, init), params);
}
const list = async (query = "", site: number | null = null) =>
  oddAnswer.parse(await (await ask(person("viewer", site), "listOddness", {}, query)).json());
const label = (stretch: string, said: "normal" | "real" | null, caller = person("operator", null)) =>
  ask(caller, "labelOddness", { stretch }, "", { said });

test("says when the first can be odd while nothing is known", async () => {
  expect(await list()).toMatchObject({ items: [], devices: 0, warm: 0, firstAt: null });
  await add(KNOWN - DAY / 2, KNOWN, [0, 0, 0]);
  await run(KNOWN + 60_000);
  const begun = await list();
  expect(begun).toMatchObject({ devices: 3, warm: 0 });
  expect(Date.parse(begun.firstAt!)).toBeCloseTo(KNOWN + DAY / 2, -6);
  await rig.owner.query(`DELETE FROM odd_state`);
});

test("what is odd is ranked, with its sentence, line and band; who sees one site sees its own", async () => {
  await add(BEGIN, KNOWN - DAY / 2, [0, 0, 0]);
  await run(KNOWN + 60_000);
  expect(await list()).toMatchObject({ items: [], warm: 3, devices: 3, firstAt: null });
  await add(KNOWN, NOW, [30, 0, 60]);
  await run(NOW + 60_000);
  const found = await list();
  expect(found.items.map(({ device }) => device)).toEqual(["b1", "a1"]);
  const [worst] = found.items;
  expect(worst).toMatchObject({ site: "B", metric: "heat", unit: "°C", goesOn: true, said: null });
  expect(worst!.sentence).toMatch(/^\d+(\.\d)? times as far from usual as anything in 1[45] days; .* °C/);
  expect(worst!.line).toHaveLength(144);
  expect((worst!.now - worst!.usual) / worst!.farthest).toBeCloseTo(worst!.peak, 4);
  const pages = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const page: typeof found = await list(`limit=1${cursor && `&cursor=${cursor}`}`);
    pages.push(...page.items.map(({ device }) => device));
    cursor = page.next;
  }
  expect(pages).toEqual(["b1", "a1"]);
  expect((await list("", 1)).items.map(({ device }) => device)).toEqual(["a1"]);
  expect((await list("device=b1")).total).toBe(1);
  expect((await list("least=100")).items).toEqual([]);
});

test("a chart gets what was usual, by the days before", async () => {
  const query = `metric=heat&from=${new Date(KNOWN - DAY).toISOString()}&to=${new Date(NOW).toISOString()}`;
  const { points } = deviceOddnessAnswer.parse(
    await (await ask(person("viewer", 1), "getDeviceOddness", { id: "a1" }, query)).json(),
  );
  expect(points).toHaveLength(288 + 2);
  const within = points.filter(({ mean, low, high }) => mean >= low! && mean <= high!);
  expect(within.length).toBeGreaterThan(280);
  expect(points.at(-1)!.mean).toBeGreaterThan(points.at(-1)!.high!);
  expect((await ask(person("viewer", 2), "getDeviceOddness", { id: "a1" }, query)).status).toBe(404);
  expect(
    (await ask(person("viewer", 1), "getDeviceOddness", { id: "a1" }, "metric=heat&from=2020-01-01T00:00:00Z")).status,
  ).toBe(400);
});

test("an operator says what was normal and what was real; it is kept, learned from, in the record, and undone", async () => {
  const [b1, a1] = (await list()).items;
  expect((await label(b1!.id, "normal", person("viewer", null))).status).toBe(403);
  expect((await label(b1!.id, "normal", person("operator", 1))).status).toBe(404);
  const said = oddStretch.parse(await (await label(b1!.id, "normal")).json());
  expect(said).toMatchObject({ goesOn: false, said: { what: "normal", by: "user 1" } });
  await label(a1!.id, "real");
  expect(await list("state=day")).toMatchObject({ said: { real: 1, normal: 1 } });
  // Both go on as they are: normal is usual now, real is as odd as it was.
  await add(NOW, NOW + 3 * STEP, [30, 0, 60]);
  await run(NOW + 3 * STEP + 60_000);
  const after = await list();
  expect(after.items.map(({ device }) => device)).toEqual(["a1"]);
  expect(after.items[0]).toMatchObject({ id: a1!.id, goesOn: true });
  expect(oddStretch.parse(await (await label(a1!.id, null)).json()).said).toBeNull();
  const { rows } = await rig.owner.query<{ target: string; detail: unknown }>(
    // The name of a device stands apart from the sealed row.
    `SELECT coalesce(r.target, v.value) AS target, detail FROM audit_row r LEFT JOIN audit_value v ON v.row_id = r.id AND v.path = 'target'
     WHERE verb = 'labelOddness' AND outcome = 'done' ORDER BY r.id`,
  );
  expect(rows.map(({ target, detail }) => [target, detail])).toEqual([
    ["heat of b1", { before: null, after: "normal" }],
    ["heat of a1", { before: null, after: "real" }],
    ["heat of a1", { before: "real", after: null }],
  ]);
});
