import { beforeAll, beforeEach, expect, test } from "vitest";
import { MOST_VIEWS, savedView, viewsAnswer } from "@/server/contracts/views";
import type { Caller, Grant } from "@/server/domain/access";
import { createApiRig, JSON_TYPE, read, refused } from "@/server/testing/api-rig";
import type { Api } from "../runtime";
import { type VerbName, VERBS } from "../verbs";

const rig = createApiRig();
const person = (accountId: number, name: string, ...grants: Grant[]): Caller => ({
  ...{ kind: "user", accountId, name, sessionId: "00000000-0000-4000-8000-000000000000", provenAt: Date.now() },
  grants,
});
const ADA = person(1, "Ada", { role: "viewer", siteId: null });
const BOB = person(2, "Bob", { role: "operator", siteId: null });
const SITE = person(3, "Cleo", { role: "admin", siteId: 1 });
const KEY: Caller = {
  ...{ kind: "key", keyId: "k", name: "ci", of: "service", siteId: null, device: null },
  grants: [{ role: "operator", siteId: null }],
};

const asking = {} as { api: Api; caller: Caller };
beforeAll(async () => {
  asking.api = rig.compose({ callerOf: async () => asking.caller });
  await rig.owner.query(`INSERT INTO account (id, name) VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Cleo')`);
});
beforeEach(() => rig.owner.query(`DELETE FROM saved_view`));

function ask(caller: Caller, verb: VerbName, body?: object, id?: number): Promise<Response> {
  asking.caller = caller;
  const init = body === undefined ? {} : { headers: JSON_TYPE, body: JSON.stringify(body) };
  const request = new Request("http://here/api", { method: VERBS[verb].operation.method, ...init });
  return asking.api.handle(verb, request, id === undefined ? {} : { id: String(id) });
}
const add = (caller: Caller, body: object) =>
  read(savedView, ask(caller, "addView", { page: "devices", name: "Low", query: "where=battery+%3C+20", ...body }));
const change = (caller: Caller, id: number, body: object) => read(savedView, ask(caller, "updateView", body, id));
const names = async (caller: Caller) =>
  (await read(viewsAnswer, ask(caller, "listSavedViews"))).items.map(({ name }) => name);

test("a viewer keeps own views, which nobody else sees; what an operator shares is everyone's", async () => {
  const own = await add(ADA, { name: "Mine" });
  const shared = await add(BOB, { name: "Ours", shared: true, onWall: true });
  expect(own).toMatchObject({ shared: false, by: "Ada", onWall: false, query: "where=battery+%3C+20" });
  expect(shared).toMatchObject({ shared: true, by: "Bob", onWall: true });
  expect([await names(ADA), await names(BOB), await names(SITE), await names(KEY)]).toEqual([
    ["Mine", "Ours"],
    ["Ours"],
    ["Ours"],
    ["Ours"],
  ]);
  for (const [verb, body] of [
    ["updateView", { name: "x" }],
    ["deleteView", undefined],
  ] as const) {
    expect((await refused(ask(BOB, verb, body, own.id))).status).toBe(404);
    // Who holds everything at one site alone changes nothing that is everyone's.
    for (const caller of [ADA, SITE])
      expect((await refused(ask(caller, verb, body, shared.id))).detail).toMatch(/"operate".* at all sites/);
  }
  expect((await refused(ask(ADA, "updateView", { shared: true }, own.id))).status).toBe(403);
  expect((await ask(BOB, "deleteView", undefined, shared.id)).status).toBe(200);
  expect(await names(SITE)).toEqual([]);
});

test("a view is shared, and taken back by who may; keys have none of their own", async () => {
  const { id } = await add(BOB, {});
  expect(await change(BOB, id, { shared: true })).toMatchObject({ shared: true });
  expect(await names(ADA)).toEqual(["Low"]);
  expect(await change(BOB, id, { shared: false })).toMatchObject({ shared: false });
  expect(await names(ADA)).toEqual([]);
  const body = { page: "devices", name: "of a key", query: "" };
  expect(await refused(ask(KEY, "addView", body))).toMatchObject({ kind: "invalid-parameters" });
  expect(await add(KEY, { name: "of a key", shared: true })).toMatchObject({ by: null });
});

test("views are put in order, one's own among everyone's", async () => {
  const [a, b] = [await add(BOB, { name: "a", shared: true }), await add(BOB, { name: "b", shared: true })];
  const mine = await add(ADA, { name: "mine", before: b.id });
  expect(await names(ADA)).toEqual(["a", "mine", "b"]);
  await change(ADA, mine.id, { before: a.id });
  expect(await names(ADA)).toEqual(["mine", "a", "b"]);
  await change(BOB, a.id, { before: null });
  expect([await names(ADA), await names(BOB)]).toEqual([
    ["mine", "b", "a"],
    ["b", "a"],
  ]);
  // Another's is nowhere to be put before.
  expect(await refused(ask(BOB, "updateView", { before: mine.id }, a.id))).toMatchObject({
    kind: "invalid-parameters",
  });
});

test.each([
  ["devices", "label=floor%3A2&label=line&sort=-value%3Abattery&columns=site,value%3Abattery&trend=battery", null],
  ["devices", "where=battery+%3C+low", /query: where: at character 11/],
  ["devices", "next=https%3A%2F%2Felsewhere.example", /next is nothing that the page Devices takes/],
  ["devices", "sort=id&sort=site", /sort is given more than once/],
  ["devices", "state=dead", /state/],
  ["explore", "metric=temperature&by=site&site=north&range=-2h&previous=day&off=a&off=b", null],
  ["explore", "by=site", /metric/],
  ["events", "kinds=silence,note&severity=critical&span=24h", null],
  ["events", "kinds=silence,nothing", /kinds/],
  ["alerts", "show=acknowledged&site=north", null],
  ["alerts", "columns=site", /columns is nothing that the page Alerts takes/],
  ["users", "", /page/],
  ["devices", `search=${"x".repeat(4001)}`, /query/],
])("the page %s and the query %s", async (page, query, problem) => {
  const answer = ask(ADA, "addView", { page, name: "x", query });
  if (problem === null) expect(await read(savedView, answer)).toMatchObject({ page, query });
  else {
    const { status, detail } = await refused(answer);
    expect([status, detail]).toEqual([400, expect.stringMatching(problem)]);
  }
});

test("a name is readable, and taken once in a page and by one owner", async () => {
  for (const name of ["", " ", "x".repeat(61), "a\nb"])
    expect((await refused(ask(ADA, "addView", { page: "devices", name, query: "" }))).status).toBe(400);
  const first = await add(ADA, { name: " Low " });
  expect(first.name).toBe("Low");
  expect((await refused(ask(ADA, "addView", { page: "devices", name: "Low", query: "" }))).kind).toBe("taken");
  await add(ADA, { page: "events", query: "" });
  await add(BOB, {});
  await add(BOB, { shared: true });
  const other = await add(ADA, { name: "Other" });
  expect((await refused(ask(ADA, "updateView", { name: "Low" }, other.id))).kind).toBe("taken");
  expect(await change(ADA, first.id, { name: "Lowest", query: "" })).toMatchObject({ name: "Lowest", query: "" });
});

test("there are only so many", async () => {
  await rig.owner.query(
    `INSERT INTO saved_view (account_id, page, name, query, place) SELECT 1, 'devices', i::text, '', i FROM generate_series(1, ${MOST_VIEWS}) i`,
  );
  const { kind, detail } = await refused(ask(ADA, "addView", { page: "devices", name: "one more", query: "" }));
  expect([kind, detail]).toEqual(["too-many-views", expect.stringContaining("delete one first")]);
  await add(BOB, {});
});
