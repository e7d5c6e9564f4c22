import { expect, test } from "vitest";
import { backtestAnswer, backtestJob, type BacktestJob } from "@/server/contracts/backtests";
import { problem } from "@/server/contracts/common";
import type { Caller } from "@/server/domain/access";
import { pipelineAnswer } from "@/server/contracts/pipeline";
import { ruleMatches, savedRule } from "@/server/contracts/rules";
import { createApiRig, JSON_TYPE, message, NOW, read } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();
const HOT = { kind: "condition", conditions: [{ metric: "temperature", is: "above", warning: 7.5 }] };
const RANGE = { from: new Date(NOW - 660_000).toISOString(), to: new Date(NOW).toISOString() };

const post = (path: string, body: object) =>
  new Request(`http://localhost${path}`, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) });

async function tryOn(device: string, spec: object = HOT, range: object = RANGE) {
  return rig.api.handle("backtestRule", post("/api/v1/rule-backtest", { spec, device, ...range }), {});
}

async function start(spec: object = HOT, api = rig.api): Promise<BacktestJob> {
  const answer = await api.handle("startBacktest", post("/api/v1/rule-backtests", { spec, name: "hot", ...RANGE }), {});
  expect(answer.status).toBe(200);
  return backtestJob.parse(await answer.json());
}

async function look(id: string, api = rig.api) {
  return api.handle("getBacktest", new Request(`http://localhost/api/v1/rule-backtests/${id}`), { id });
}

test("a rule is tried on one device at once, and on all as a job that can be stopped", async () => {
  const all = ["a", "b", "x"].flatMap((device) =>
    Array.from({ length: device === "b" ? 7 : 10 }, (_, i) => message(device, i)),
  );
  await rig.post(JSON.stringify(all));
  await until(async () => (await read(pipelineAnswer, rig.get("getPipeline"))).totals.messages === all.length);

  const one = backtestAnswer.parse(await (await tryOn("a")).json());
  expect(one).toMatchObject({
    device: "a",
    selected: true,
    series: 1,
    episodes: 1,
    messages: 0,
    untold: 1,
    unknownHours: 0,
  });
  expect(one.items).toMatchObject([
    { metric: "temperature", severity: "warning", firstValue: 8, worstValue: 9, lastValue: 9, endedAt: null },
  ]);
  const either = {
    ...HOT,
    match: "any",
    conditions: [{ metric: "nothing", is: "above", warning: 1 }, ...HOT.conditions],
  };
  expect(backtestAnswer.parse(await (await tryOn("a", either)).json()).items).toMatchObject([
    { metric: "temperature", worstValue: 9 },
  ]);
  expect(one.items[0]!.firedAt).toBe(new Date(NOW - 600_000 + 8000).toISOString());
  expect(backtestAnswer.parse(await (await tryOn("b")).json())).toMatchObject({ episodes: 0, items: [] });
  const elsewhere = { ...HOT, of: { sites: ["south"] } };
  expect(backtestAnswer.parse(await (await tryOn("a", elsewhere)).json())).toMatchObject({
    selected: false,
    series: 0,
  });

  // What is offered to be tried on doesn't hang on the limits.
  const matches = async (spec: object) =>
    ruleMatches.parse(
      await (await rig.api.handle("countRuleMatches", post("/api/v1/rule-matches", { spec }), {})).json(),
    );
  expect(await matches(HOT)).toMatchObject({ devices: 3, series: 3, sample: { metric: "temperature" } });
  const colder = { ...HOT, conditions: [{ ...HOT.conditions[0], warning: 0 }] };
  expect(await matches(colder)).toEqual(await matches(HOT));
  expect(await matches(HOT)).toMatchObject({ otherKinds: [] });
  const asTrue = { ...HOT, conditions: [{ metric: "temperature", is: "true" }] };
  expect(await matches(asTrue)).toMatchObject({ otherKinds: [{ metric: "temperature", kind: "number" }] });
  expect(await matches({ kind: "quality", below: 80, of: { sites: ["north"] } })).toMatchObject({ devices: 2 });

  const job = await start();
  expect(job).toMatchObject({ total: 3, done: 0 });
  let found = job;
  await until(async () => (found = backtestJob.parse(await (await look(job.id)).json())).status === "done");
  expect(found).toMatchObject({
    devices: 3,
    series: 3,
    done: 3,
    firingDevices: 2,
    firingNow: 2,
    episodes: 2,
    untold: 2,
  });
  expect(found.items.map(({ device, site, episodes }) => [device, site, episodes])).toEqual([
    ["a", "north", 1],
    ["x", "south", 1],
  ]);

  const other = await start();
  const stopped = await rig.api.handle("stopBacktest", post(`/api/v1/rule-backtests/${other.id}/stop`, {}), {
    id: other.id,
  });
  expect(["stopped", "done"]).toContain(backtestJob.parse(await stopped.json()).status);
});

test("what can't be tried is said", async () => {
  const said = async (answer: Response) => problem.parse(await answer.json());
  const pipeline = { kind: "pipeline", measure: "lagSeconds", limit: 60 };
  expect(await said(await tryOn("a", pipeline))).toMatchObject({
    status: 400,
    errors: [{ at: "spec.kind", message: "Rules of the kind “pipeline” can't be tried on history" }],
  });
  expect((await tryOn("nobody")).status).toBe(404);
  expect(await said(await tryOn("a", HOT, { from: "2020-01-01T00:00:00Z" }))).toMatchObject({
    errors: [{ at: "from", message: "must be at most 31 days before `to`" }],
  });
  expect((await look("none")).status).toBe(404);
});

test("who may see one site tries rules on its devices, and sees no trial of others", async () => {
  const { rows } = await rig.owner.query<{ id: number }>(`SELECT id FROM site WHERE name = 'south'`);
  const caller: Caller = {
    ...{ kind: "user", accountId: 2, name: "Sam", sessionId: "00000000-0000-4000-8000-000000000001", provenAt: NOW },
    grants: [{ role: "editor", siteId: rows[0]!.id }],
  };
  const api = rig.compose({ caller });
  const ask = (device: string) =>
    api.handle("backtestRule", post("/api/v1/rule-backtest", { spec: HOT, device, ...RANGE }), {});
  expect((await ask("x")).status).toBe(200);
  expect((await ask("a")).status).toBe(404);
  const whole = await start();
  expect((await look(whole.id, api)).status).toBe(404);
  const own = await start(HOT, api);
  let found = own;
  await until(async () => (found = backtestJob.parse(await (await look(own.id, api)).json())).status === "done");
  expect(found.items.map(({ device }) => device)).toEqual(["x"]);
});

test("saving a rule says what it asks of metrics of another kind, as rule-matches does", async () => {
  const of = { devices: ["kinds"] };
  const time = new Date(NOW).toISOString();
  await rig.post(JSON.stringify([{ device: "kinds", time, readings: { temperature: 20, open: true, mode: "auto" } }]));
  const said = `SELECT FROM text_run t JOIN device d ON d.id = t.device_id WHERE d.name = 'kinds'`;
  await until(async () => (await rig.owner.query(said)).rowCount === 1);
  const condition = (more: object) => ({ kind: "condition", of, match: "any", conditions: [more] });
  const asText = condition({ metric: "mode", is: "above", warning: 3 });
  const save = async (spec: object) =>
    savedRule.parse(
      await (await rig.api.handle("addRule", post("/api/v1/rules", { name: JSON.stringify(spec), spec }), {})).json(),
    );
  expect((await save(asText)).warnings).toEqual([
    "mode is said in words, which no rule judges: it never fires for that.",
  ]);
  expect((await save(condition({ metric: "open", is: "above", warning: 3 }))).warnings).toEqual([
    "open is true or false, which is 1 or 0: neither is beyond the limit.",
  ]);
  const { id, version, warnings } = await save(condition({ metric: "temperature", is: "above", warning: 3 }));
  expect(warnings).toEqual([]);
  const changes = { version, spec: condition({ metric: "temperature", is: "true" }) };
  const changed = await rig.api.handle(
    "updateRule",
    new Request(`http://localhost/api/v1/rules/${id}`, {
      headers: JSON_TYPE,
      method: "PATCH",
      body: JSON.stringify(changes),
    }),
    { rule: String(id) },
  );
  expect(savedRule.parse(await changed.json()).warnings).toEqual([
    "temperature is a number: it counts as true where it is 1, as false where it is 0, else as neither.",
  ]);
  const matches = await rig.api.handle("countRuleMatches", post("/api/v1/rule-matches", { spec: asText }), {});
  expect(ruleMatches.parse(await matches.json())).toMatchObject({ otherKinds: [{ metric: "mode", kind: "text" }] });
});
