import { beforeAll, expect, test } from "vitest";
import { madeKey, me, user, userLink } from "@/server/contracts/access";
import type { Caller, Grant, Role } from "@/server/domain/access";
import { createApiRig, JSON_TYPE, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";
import type { Api } from "../runtime";
import { type VerbName, VERBS } from "../verbs";

const rig = createApiRig();
const [A, B, C] = [1, 2, 3] as const;

const person = (...grants: Grant[]): Caller => ({
  ...{
    kind: "user",
    accountId: 1,
    name: "Ada",
    sessionId: "00000000-0000-4000-8000-000000000000",
    provenAt: Date.now(),
  },
  grants,
});

/** One API that all callers ask, one after the other, so that what it keeps for one is there when the next asks. */
const asking = {} as { api: Api; caller: Caller };

function ask(
  caller: Caller,
  verb: VerbName,
  params: Record<string, string> = {},
  { query = "", body }: { query?: string; body?: object } = {},
) {
  const { method } = VERBS[verb].operation;
  const init = body === undefined ? { method } : { method, headers: JSON_TYPE, body: JSON.stringify(body) };
  asking.caller = caller;
  return asking.api.handle(verb, new Request(`http://here/api?${query}`, init), params);
}
const statusOf = async (answer: Promise<Response>) => (await answer).status;

/** A dead letter of each device: by device, its id as in addresses. */
const letters = new Map<string, string>();
const DEVICES = { own: "at-a", other: "at-b", none: "nowhere" } as const;

beforeAll(async () => {
  asking.api = rig.compose({ callerOf: async () => asking.caller });
  await rig.owner.query(`INSERT INTO site (id, name) VALUES (1, 'A'), (2, 'B'), (3, 'C')`);
  await rig.owner.query(`SELECT setval('site_id_seq', 3)`);
  await rig.owner.query(
    `INSERT INTO alert_rule (name, spec, created_by, updated_by) VALUES ('silent', '{"kind": "silence", "of": {}, "afterMs": null, "severity": "warning"}', 'test', 'test')`,
  );
  await send();
});

/** Sends a good message and a bad field of each device, and waits for them. */
async function send(): Promise<void> {
  const time = new Date().toISOString();
  const sites = { own: "A", other: "B", none: undefined } as const;
  const messages = (Object.keys(DEVICES) as (keyof typeof DEVICES)[]).map((at) => {
    const readings = { temperature: 1, [`of-${at}`]: 2, flag: at === "own" ? "text" : 3 };
    return { device: DEVICES[at], site: sites[at], time, readings: { ...readings, "bad name": 1 } };
  });
  expect((await rig.post(JSON.stringify(messages))).status).toBe(202);
  await until(async () => {
    const found = await rig.engines.deadLetters.find({ sites: "all", limit: 100 });
    for (const { device, id } of found) if (device) letters.set(device, id.replaceAll("/", "~"));
    return letters.size === 3;
  });
}

/** The verbs that go by sites, called about a device, and what they answer where they may. */
const ABOUT: Partial<
  Record<VerbName, (device: string) => { params?: Record<string, string>; query?: string; body?: object; ok?: number }>
> = {
  getDevice: (id) => ({ params: { id } }),
  listReadings: (id) => ({ params: { id }, query: "metric=temperature" }),
  listStrips: (id) => ({ params: { id } }),
  downloadCsv: (id) => ({ params: { id }, query: "metric=temperature" }),
  downloadJson: (id) => ({ params: { id }, query: "metric=temperature" }),
  exportTexts: (id) => ({ params: { id } }),
  listMessages: (id) => ({ params: { id } }),
  updateDevice: (id) => ({ params: { id }, body: { notes: "n" } }),
  getDeadLetter: (id) => ({ params: { id: letters.get(id)! } }),
  resendDeadLetter: (id) => ({ params: { id: letters.get(id)! }, body: { dryRun: true } }),
  sendTestMessage: (device) => ({ body: { device }, ok: 202 }),
  explainAlert: (device) => ({ query: `rule=1&device=${device}` }),
};
const LEAST: Partial<Record<VerbName, Role>> = {
  ...{
    getDevice: "viewer",
    listReadings: "viewer",
    listStrips: "viewer",
    downloadCsv: "operator",
    downloadJson: "operator",
    exportTexts: "operator",
  },
  ...{ listMessages: "operator", updateDevice: "editor", getDeadLetter: "operator", resendDeadLetter: "operator" },
  ...{ sendTestMessage: "operator", explainAlert: "viewer" },
};
const ROLES: readonly Role[] = ["viewer", "operator", "editor", "admin"];

test.each(ROLES)("%s of site A: own, other and no site", async (role) => {
  const caller = person({ role, siteId: A });
  const found: Record<string, string> = {};
  const expected: Record<string, string> = {};
  for (const [name, about] of Object.entries(ABOUT) as [VerbName, NonNullable<(typeof ABOUT)[VerbName]>][]) {
    const statuses = [];
    for (const device of Object.values(DEVICES)) {
      const { params, ok: _, ...call } = about(device);
      statuses.push(await statusOf(ask(caller, name, params, call)));
    }
    found[name] = statuses.join(" ");
    const holds = ROLES.indexOf(role) >= ROLES.indexOf(LEAST[name]!);
    expected[name] = holds ? `${about(DEVICES.own).ok ?? 200} 404 404` : "403 403 403";
  }
  expect(found).toEqual(expected);
});

test("a removal is for an administrator of the device's site", async () => {
  const remove = (id: string, ...grants: Grant[]) => statusOf(ask(person(...grants), "deleteDevice", { id }));
  await rig.owner.query(`INSERT INTO device (name, site_id) VALUES ('gone', 1)`);
  expect(await remove("gone", { role: "editor", siteId: A })).toBe(403);
  expect(await remove("gone", { role: "admin", siteId: B })).toBe(404);
  expect(await remove("gone", { role: "viewer", siteId: A }, { role: "admin", siteId: B })).toBe(403);
  const mine = await ask(person({ role: "admin", siteId: A }), "deleteDevice", { id: "gone" });
  expect(await mine.json()).toMatchObject({ current: null, last: null });
  expect(mine.status).toBe(202);
});

test("a permission counts only at the site of the grant it came from, and moving takes it at both", async () => {
  const both = person({ role: "viewer", siteId: A }, { role: "editor", siteId: B });
  const patch = (caller: Caller, id: string, body: object) => ask(caller, "updateDevice", { id }, { body });
  expect(await statusOf(ask(both, "getDevice", { id: "at-a" }))).toBe(200);
  const denied = await refused(patch(both, "at-a", { notes: "x" }));
  expect(denied).toMatchObject({
    kind: "not-allowed",
    detail: 'It takes the permission "edit", which Ada doesn\'t hold at the site A.',
  });
  expect(await statusOf(patch(both, "at-b", { notes: "x" }))).toBe(200);
  expect(await statusOf(patch(both, "nowhere", { notes: "x" }))).toBe(404);
  // To pull it over is as much a change of what is there.
  expect(await statusOf(patch(both, "at-a", { site: "B" }))).toBe(403);
  for (const site of ["A", "C", "new", null])
    expect([site, await statusOf(patch(both, "at-b", { site }))]).toEqual([site, 403]);
  expect((await rig.owner.query(`SELECT FROM site WHERE name = 'new'`)).rowCount).toBe(0);
  const editor = person({ role: "editor", siteId: B }, { role: "editor", siteId: C });
  expect(await statusOf(patch(editor, "at-b", { site: "C" }))).toBe(200);
  expect(await statusOf(patch(editor, "at-b", { site: "B" }))).toBe(200);
  const told = await rig.owner.query(`SELECT FROM audit_row WHERE verb = 'updateDevice' AND outcome = 'denied'`);
  expect(told.rowCount).toBeGreaterThan(0);
});

test("a message can't be edited into one of a device elsewhere", async () => {
  const operator = person({ role: "operator", siteId: A });
  const edited = (device: string) =>
    ask(
      operator,
      "resendDeadLetter",
      { id: letters.get("at-a")! },
      {
        body: { message: JSON.stringify({ device, time: new Date().toISOString(), readings: { x: 1 } }), dryRun: true },
      },
    );
  expect(await statusOf(edited("at-a"))).toBe(200);
  for (const device of ["at-b", "nowhere", "unknown"])
    expect([device, await statusOf(edited(device))]).toEqual([device, 403]);
});

test("work on many dead letters stays within the sites of whoever asked for it", async () => {
  const operator = person({ role: "operator", siteId: A });
  const of = (device: string) =>
    rig.engines.deadLetters.count({ sites: "all", device }).then(({ open, discarded }) => ({ open, discarded }));
  const others = [await of("at-b"), await of("nowhere")];
  const dry = await ask(operator, "startDeadLetterJob", {}, { body: { action: "discard", dryRun: true } });
  expect(await dry.json()).toMatchObject({ dryRun: { count: (await of("at-a")).open } });
  const started = await ask(operator, "startDeadLetterJob", {}, { body: { action: "discard" } });
  const { job } = (await started.json()) as { job: { id: string } };
  await until(async () => (await of("at-a")).open === 0, { what: "the job" });
  expect([await of("at-b"), await of("nowhere")]).toEqual(others);
  const seen = async (...grants: Grant[]) => [
    ((await (await ask(person(...grants), "listDeadLetterJobs")).json()) as { items: unknown[] }).items.length,
    await statusOf(ask(person(...grants), "getDeadLetterJob", { id: job.id })),
    await statusOf(ask(person(...grants), "stopDeadLetterJob", { id: job.id }, { body: {} })),
  ];
  expect(await seen({ role: "operator", siteId: A })).toEqual([1, 200, 200]);
  expect(await seen({ role: "viewer", siteId: A })).toEqual([1, 200, 403]);
  expect(await seen({ role: "operator", siteId: B })).toEqual([0, 404, 404]);
  expect(await seen({ role: "viewer", siteId: A }, { role: "operator", siteId: B })).toEqual([1, 200, 403]);
  expect(await seen({ role: "viewer", siteId: null })).toEqual([1, 200, 403]);
});

test("what a metric means is said for all sites, a device's own unit at its site", async () => {
  const editor = person({ role: "editor", siteId: A });
  const patch = (name: string, body: object) => ask(editor, "updateMetric", { name }, { body });
  expect(await statusOf(patch("temperature", { unit: "°C" }))).toBe(403);
  expect(await statusOf(patch("of-other", { unit: "°C", devices: ["at-a"] }))).toBe(404);
  const answer = await patch("temperature", { unit: "°F", devices: ["at-a", "at-b"] });
  expect(await answer.json()).toMatchObject({ unknownDevices: ["at-b"], ownUnits: 1 });
});

test("people and programs are given roles at sites, by the names of sites", async () => {
  const admin = person({ role: "admin", siteId: null });
  const grants = [
    { role: "viewer" as const, site: "A" },
    { role: "editor" as const, site: "B" },
  ];
  await read(userLink, ask(admin, "addUser", {}, { body: { name: "Root", role: "admin" } }));
  const made = await read(userLink, ask(admin, "addUser", {}, { body: { name: "Grace", grants } }));
  expect(made.user).toMatchObject({ role: "editor", grants });
  const rows = await rig.owner.query(`SELECT role, site_id FROM role_grant WHERE account_id = $1 ORDER BY site_id`, [
    made.user.id,
  ]);
  expect(rows.rows).toEqual([
    { role: "viewer", site_id: 1 },
    { role: "editor", site_id: 2 },
  ]);
  const id = String(made.user.id);
  const changed = await read(
    user,
    ask(admin, "updateUser", { id }, { body: { grants: [{ role: "operator", site: null }] } }),
  );
  expect(changed.grants).toEqual([{ role: "operator", site: null }]);
  for (const body of [{ grants: [{ role: "viewer", site: "nowhere" }] }, { grants: [] }, { role: "viewer", grants }])
    expect(await statusOf(ask(admin, "updateUser", { id }, { body }))).toBe(400);
  const key = { kind: "service", name: "report", role: "viewer", site: "A" };
  expect((await read(madeKey, ask(admin, "makeAccessKey", {}, { body: key }))).key).toMatchObject(key);

  const scoped = await read(me, ask(person({ role: "viewer", siteId: A }), "getMe"));
  const viewing = ["view", "catalog"];
  expect(scoped).toMatchObject({ permissions: viewing, everywhere: [], sites: [{ site: "A", permissions: viewing }] });
  const mixed = person({ role: "viewer", siteId: null }, { role: "operator", siteId: B });
  const { everywhere, sites } = await read(me, ask(mixed, "getMe"));
  // What is held everywhere isn't told again.
  expect([everywhere, sites]).toEqual([
    viewing,
    [{ site: "B", permissions: ["view-messages", "operate", "send", "deliver"] }],
  ]);
});

test("an administrator of one site can't let anybody in, nor see the record or the pipeline", async () => {
  const caller = person({ role: "admin", siteId: A });
  const all = (Object.keys(VERBS) as VerbName[]).filter((name) => {
    const { access, bySite } = VERBS[name].operation;
    return access !== "public" && access !== "signed-in" && bySite !== true;
  });
  // Whoever adds a verb that doesn't go by sites writes it down here: it tells nothing, to who sees some sites alone.
  expect([...all].sort()).toEqual(EVERYWHERE);
  for (const name of all) expect([name, await statusOf(ask(caller, name))]).toEqual([name, 403]);
});

/** The verbs that take their permission at all sites, by name. */
const EVERYWHERE: readonly string[] = [
  ...["addChannel", "addMaintenance", "addRoute", "addRule", "addUser", "allowErased", "checkRoute"],
  ...["deleteChannel", "deleteMaintenance", "deleteMetric", "deleteRoute", "deleteRule", "deleteUser", "erasePerson"],
  ...[
    "estimateRetentionRule",
    "exportAudit",
    "exportRules",
    "forgetMetricName",
    "getAbout",
    "getCost",
    "getHealth",
    "getLineage",
    "getLogLevel",
    "getMetricEffects",
  ],
  ...["getMetricStored", "getPipeline"],
  ...[
    "getRetention",
    "getSignInSettings",
    "getSiteEffects",
    "getStages",
    "getTypeEffects",
    "importRules",
    "listAudit",
    "listChannels",
  ],
  ...[
    "listErasures",
    "listJobRuns",
    "listJobs",
    "listLag",
    "listMaintenance",
    "listRemovals",
    "listRoutes",
    "listRuleVersions",
    "listSetup",
  ],
  ...[
    "listUsers",
    "makeUserLink",
    "mergeMetrics",
    "pauseJob",
    "previewErasure",
    "removeRetention",
    "removeRetentionRule",
  ],
  ...[
    "renameMetric",
    "renameSite",
    "resumeJob",
    "runJob",
    "setLogLevel",
    "setRetention",
    "setRetentionRule",
    "skipBatch",
    "stopJobRun",
  ],
  ...["testChannel", "updateChannel", "updateMaintenance", "updateRoute", "updateRule", "updateType", "updateUser"],
];
