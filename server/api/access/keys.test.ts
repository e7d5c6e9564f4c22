import { createAuthenticator } from "@/server/access/authenticate";
import { beforeAll, describe, expect, test } from "vitest";
import { keysAnswer, keyView, madeKey } from "@/server/contracts/access";
import type { Caller, Grant } from "@/server/domain/access";
import { createApiRig, JSON_TYPE, read, refused } from "@/server/testing/api-rig";
import { credentialsIn } from "../address";
import type { VerbName } from "../verbs";

const rig = createApiRig();
const sites = new Map<string, number>();
beforeAll(async () => {
  const { rows } = await rig.owner.query<{ id: number; name: string }>(
    `INSERT INTO site (name) VALUES ('north'), ('south') RETURNING id, name`,
  );
  for (const { id, name } of rows) sites.set(name, id);
});

const person = (...grants: Grant[]): Caller => ({
  ...{ kind: "user", accountId: 1, name: "Ada", sessionId: "00000000-0000-4000-8000-000000000000" },
  provenAt: Date.now(),
  grants,
});
const at = (site: string) => sites.get(site)!;
const DAY = 86_400_000;

function call(verb: VerbName, caller: Caller, { id = "", body }: { id?: string; body?: object } = {}) {
  const init =
    body === undefined ? { method: "POST" } : { method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) };
  const request = verb === "listAccessKeys" ? new Request("http://here/x") : new Request("http://here/x", init);
  return rig.compose({ caller }).handle(verb, request, id === "" ? {} : { id });
}
const admin = person({ role: "admin", siteId: null });
const make = (caller: Caller, body: object) => call("makeAccessKey", caller, { body: { name: "line 7", ...body } });
const made = async (caller: Caller, body: object) => (await read(madeKey, make(caller, body))).key;
const names = async (caller: Caller) =>
  (await read(keysAnswer, call("listAccessKeys", caller))).items.map(({ name }) => name).sort();

describe("who makes which keys", () => {
  test("a key is bound to the site it names, which is added where the maker is at home everywhere", async () => {
    expect(await made(admin, { kind: "site", site: " west ", newSite: true })).toMatchObject({
      kind: "site",
      site: "west",
      expiresAt: null,
    });
    expect(await made(admin, { kind: "device", device: "press-1", site: "north" })).toMatchObject({ site: "north" });
    expect(await made(admin, { kind: "service", role: "viewer", site: "north" })).toMatchObject({ site: "north" });
    // Said again of one that is there, it changes nothing.
    expect(await made(admin, { kind: "site", site: "west", newSite: true })).toMatchObject({ site: "west" });
    expect((await refused(make(admin, { kind: "site", site: "a\nb" }))).kind).toBe("invalid-parameters");
  });

  test("an editor makes keys of devices, at its sites alone; a program's key takes an administrator of its site", async () => {
    const editor = person({ role: "editor", siteId: at("north") });
    expect(await made(editor, { kind: "site", site: "north" })).toMatchObject({ site: "north" });
    expect(await made(editor, { kind: "device", device: "press-2", site: "north" })).toMatchObject({ site: "north" });
    expect((await refused(make(editor, { kind: "site" }))).kind).toBe("not-allowed");
    for (const site of ["south", "nowhere"])
      expect((await refused(make(editor, { kind: "site", site }))).kind).toBe("not-found");
    expect((await refused(make(editor, { kind: "service", role: "viewer", site: "north" }))).kind).toBe("not-allowed");
    const both = person({ role: "admin", siteId: at("north") }, { role: "editor", siteId: at("south") });
    expect(await made(both, { kind: "service", role: "admin", site: "north" })).toMatchObject({ role: "admin" });
    expect(await refused(make(both, { kind: "service", role: "viewer", site: "south" }))).toMatchObject({
      ...{
        kind: "not-allowed",
        detail: 'It takes the permission "administer", which Ada doesn\'t hold at the site south.',
      },
    });
    const everywhere = await refused(make(both, { kind: "service", role: "viewer" }));
    expect(everywhere).toMatchObject({
      kind: "not-allowed",
      detail: 'It takes the permission "administer", which Ada doesn\'t hold at all sites.',
    });
  });

  test("a site that isn't there is refused with those it may be meant for, unless it is said to be new", async () => {
    const mistyped = await refused(make(admin, { kind: "site", site: "nroth" }));
    expect(mistyped).toMatchObject({
      ...{ kind: "not-found", detail: 'There is no site nroth. Is north meant? With "newSite": true it is added.' },
    });
    expect((await rig.owner.query(`SELECT FROM site WHERE name = 'nroth'`)).rowCount).toBe(0);
    expect((await refused(make(admin, { kind: "site", newSite: true }))).kind).toBe("invalid-parameters");
    // Who is at home at one site is told of no other, and adds none.
    const editor = person({ role: "editor", siteId: at("north") });
    expect(await refused(make(editor, { kind: "site", site: "sou" }))).toMatchObject({
      ...{ kind: "not-found", detail: "There is no site sou." },
    });
    for (const site of ["south", "east"])
      expect(await refused(make(editor, { kind: "site", site, newSite: true }))).toMatchObject({
        ...{
          kind: "not-allowed",
          detail: 'It takes the permission "make-keys", which Ada doesn\'t hold at all sites.',
        },
      });
  });

  test("what key was refused is in the record", async () => {
    const editor = person({ role: "editor", siteId: at("north") });
    const asked = { kind: "service", name: "of refused", role: "admin", site: "north" };
    expect((await refused(make(editor, asked))).kind).toBe("not-allowed");
    const { rows } = await rig.owner.query(
      `SELECT detail->'asked' AS asked FROM audit_row WHERE verb = 'makeAccessKey' AND outcome = 'denied' AND target = 'of refused'`,
    );
    expect(rows).toEqual([{ asked: expect.objectContaining(asked) }]);
  });

  test("keys of other sites are not seen, not rotated and not revoked", async () => {
    const south = person({ role: "admin", siteId: at("south") });
    const { id } = await made(admin, { kind: "site", site: "south", name: "of the south" });
    const other = await made(admin, { kind: "site", name: "of all" });
    expect(await names(south)).toEqual(["of the south"]);
    expect(await names(admin)).toEqual(expect.arrayContaining(["of all", "of the south"]));
    for (const verb of ["rotateAccessKey", "revokeAccessKey"] as const)
      expect((await refused(call(verb, south, { id: other.id }))).kind).toBe("not-found");
    const editor = person({ role: "editor", siteId: at("south") });
    const program = await made(admin, { kind: "service", role: "viewer", site: "south" });
    expect((await refused(call("revokeAccessKey", editor, { id: program.id }))).kind).toBe("not-allowed");
    expect(await read(keyView, call("revokeAccessKey", editor, { id }))).toMatchObject({ id });
  });

  test("a program's key lasts 90 days unless it is said otherwise, a device's for ever", async () => {
    const days = async (body: object) => {
      const { createdAt, expiresAt } = await made(admin, body);
      return expiresAt === null ? null : Math.round((Date.parse(expiresAt) - Date.parse(createdAt)) / DAY);
    };
    expect(await days({ kind: "service", role: "viewer" })).toBe(90);
    expect(await days({ kind: "service", role: "viewer", days: null })).toBeNull();
    expect(await days({ kind: "site", days: 30 })).toBe(30);
    expect(await days({ kind: "device", device: "d" })).toBeNull();
  });
});

test("rotating makes the same key again, beside the one there is; one that is revoked is left at that", async () => {
  const first = await made(admin, {
    ...{ kind: "service", role: "operator", site: "north", networks: ["10.0.0.0/8"], days: 10 },
  });
  const { key: second, text } = await read(madeKey, call("rotateAccessKey", admin, { id: first.id }));
  const { id: _, createdAt: __, expiresAt, ...settings } = second;
  expect(first).toMatchObject(settings);
  expect(Date.parse(expiresAt!) - Date.parse(second.createdAt)).toBeGreaterThan(10 * DAY - 60_000);
  expect([second.id === first.id, text.includes(second.id)]).toEqual([false, true]);
  const { rows } = await rig.owner.query(
    `SELECT detail->>'of' AS "of" FROM audit_row WHERE verb = 'rotateAccessKey' AND target = $1`,
    [second.id],
  );
  expect(rows).toEqual([{ of: first.id }]);
  await read(keyView, call("revokeAccessKey", admin, { id: first.id }));
  expect((await refused(call("rotateAccessKey", admin, { id: first.id }))).kind).toBe("wrong-status");
});

test("of keys that take each other's place two work at a time, and one that has expired is not begun again", async () => {
  const rotate = (id: string) => call("rotateAccessKey", admin, { id });
  const first = await made(admin, { kind: "site", name: "gateway" });
  // At the same moment, too.
  const answers = await Promise.all([rotate(first.id), rotate(first.id), rotate(first.id)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
  const { key: second } = madeKey.parse(await answers.find(({ status }) => status === 200)!.json());
  for (const { id } of [first, second])
    expect(await refused(rotate(id))).toMatchObject({
      kind: "wrong-status",
      detail: `2 keys that take each other's place work already (${first.id}, ${second.id}): revoke one first.`,
    });
  await read(keyView, call("revokeAccessKey", admin, { id: first.id }));
  const { key: third } = await read(madeKey, rotate(second.id));
  expect((await refused(rotate(third.id))).detail).toContain(`(${second.id}, ${third.id})`);
  await rig.owner.query(`UPDATE access_key SET expires_at = now() WHERE id = $1`, [second.id]);
  expect((await refused(rotate(second.id))).detail).toBe(`The key ${second.id} is expired: make a new one.`);
  expect((await rotate(third.id)).status).toBe(200);
});

test("the list tells what each key has named first within the hour, and the most it may", async () => {
  const { id } = await made(admin, { kind: "site" });
  await rig.owner.query(`INSERT INTO new_name (kind, name, sender) VALUES ('device', 'x', $1), ('metric', 'y', $1)`, [
    id,
  ]);
  const { items, newNamesLimits } = await read(keysAnswer, call("listAccessKeys", admin));
  expect(items.find((key) => key.id === id)?.newNames).toEqual({ devices: 1, metrics: 1 });
  expect(newNamesLimits).toEqual({ devices: 20_000, metrics: 1000 });
});

test("a key that has ended, or is used from elsewhere, is refused with the reason, and the record tells of it once a minute", async () => {
  const { key, text } = await read(madeKey, make(admin, { kind: "site", name: "gateway", networks: ["10.1.0.0/16"] }));
  const authenticator = createAuthenticator(rig.engines.pool, { secure: "s", plain: "p" });
  const to = rig.compose({
    callerOf: (request) => authenticator.callerOf(credentialsIn(request)),
  });
  const send = (address: string) => {
    const headers = { ...JSON_TYPE, authorization: `Bearer ${text}`, "x-forwarded-for": address };
    return rig.post(JSON.stringify({ device: "d", time: Date.now(), readings: { t: 1 } }), { headers, to });
  };
  expect((await send("10.1.2.3")).status).toBe(202);
  for (let i = 0; i < 3; i++) {
    const { status, detail } = await refused(send("10.2.2.3"));
    expect([status, detail]).toEqual([401, expect.stringContaining("The key gateway may not be used from 10.2.2.3.")]);
  }
  await read(keyView, call("revokeAccessKey", admin, { id: key.id }));
  authenticator.forget("keys");
  expect((await refused(send("10.1.2.3"))).detail).toContain("The key gateway is revoked.");
  const { rows } = await rig.owner.query(
    `SELECT actor_kind, actor, verb, outcome, address, detail FROM audit_row WHERE actor_id = $1 ORDER BY id`,
    [key.id],
  );
  expect(rows).toEqual([
    {
      ...{ actor_kind: "nobody", actor: "gateway", verb: "ingestTelemetry", outcome: "denied", address: "10.2.2.3" },
      detail: { why: "The key gateway may not be used from 10.2.2.3." },
    },
  ]);
});
