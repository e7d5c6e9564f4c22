import { beforeAll, beforeEach, expect, test } from "vitest";
import { listDeeds } from "@/server/access/audit/deeds";
import { auditAnswer } from "@/server/contracts/access";
import { deadLetterGroupsAnswer, deadLettersAnswer } from "@/server/contracts/dead-letters";
import { type Caller, SYSTEM } from "@/server/domain/access";
import { createApiRig, JSON_TYPE, read } from "@/server/testing/api-rig";
import { describeWithMongo } from "@/server/testing/engines";
import { until } from "@/server/testing/until";
import { createRecording } from "./recording";
import { type VerbName, VERBS } from "./verbs";

const rig = createApiRig();
const ALL = { actor: null, verb: null, target: null, outcome: null, from: null, to: null, before: null, limit: 1000 };
const deeds = (at = rig) => listDeeds(at.engines.pool, ALL);
const person = (role: "viewer" | "operator"): Caller => ({
  ...{ kind: "user", accountId: 7, name: "Grace", sessionId: "00000000-0000-4000-8000-000000000000", provenAt: 0 },
  grants: [{ role, siteId: null }],
});

const verbs = Object.entries(VERBS) as [VerbName, (typeof VERBS)[VerbName]][];
const operations = verbs.map(([name, { operation, writes }]) => ({ name, writes, ...operation }));

test("what shows messages as they came, every file, and every change is recorded", () => {
  const silent = operations.filter(({ writes, audited }) => !writes && audited === undefined);
  expect(silent.filter(({ access, file }) => access === "view-messages" || file).map(({ name }) => name)).toEqual([]);
  // Sending telemetry is no deed of a person, nor is asking what an own payload looks like; signing in and out adds rows of its own.
  const own = [
    "ingestTelemetry",
    "deliver",
    "guessSourceTemplate",
    "signIn",
    "signInByLink",
    "signOut",
    "backChannelLogout",
    // They change nothing, and tell what who asks may see anyway.
    "checkRoute",
    "previewSilence",
    "countRuleMatches",
    "backtestRule",
  ];
  expect(silent.filter(({ method, name }) => method !== "GET" && !own.includes(name)).map(({ name }) => name)).toEqual(
    [],
  );
});

beforeAll(() => rig.sendFleet());

test("each file is a row, however often, that says what was asked for; what is looked at again and again is told once", async () => {
  const asks: [VerbName, Record<string, string>, string][] = [
    ["exportDevices", {}, "site=north"],
    ["downloadCsv", { id: "press-07" }, "metric=temperature"],
    ["downloadJson", { id: "press-07" }, "metric=temperature"],
    ["exportTexts", { id: "press-07" }, ""],
    ["exportAudit", {}, "verb=exportDevices&from=2026-01-01T00:00:00Z"],
    ["exportExplore", {}, "metric=temperature"],
    ["exportDictionary", {}, ""],
    ["exportDictionaryMarkdown", {}, ""],
    ["exportPersonalData", {}, "device=press-07"],
  ];
  expect(asks.map(([name]) => name).sort()).toEqual(
    operations
      .filter(({ file }) => file)
      .map(({ name }) => name)
      .sort(),
  );
  for (const [name, params, search] of asks) {
    for (let i = 0; i < 3; i++) await (await rig.get(name, params, search)).text();
    const rows = (await deeds()).filter(({ verb }) => verb === name);
    expect([name, rows.length]).toEqual([name, 3]);
    expect(rows[0]).toMatchObject({ outcome: "done", actor: "Ada", detail: { asked: expect.anything() as object } });
  }
  for (let i = 0; i < 3; i++) await read(deadLettersAnswer, rig.get("listDeadLetters"));
  expect((await deeds()).filter(({ verb }) => verb === "listDeadLetters")).toHaveLength(1);
});

test("the record is searched by time, and saved as CSV", async () => {
  const all = (await read(auditAnswer, rig.get("listAudit", {}, "limit=500"))).items;
  const middle = all[Math.floor(all.length / 2)]!.time;
  const from = (await read(auditAnswer, rig.get("listAudit", {}, `limit=500&from=${middle}`))).items;
  const to = (await read(auditAnswer, rig.get("listAudit", {}, `limit=500&to=${middle}`))).items;
  expect(from.every(({ time }) => time >= middle) && to.every(({ time }) => time < middle)).toBe(true);
  expect(from.length + to.length).toBeGreaterThanOrEqual(all.length);
  const csv = await (await rig.get("exportAudit", {}, `actor=Ada&to=${middle}`)).text();
  expect(csv.split("\r\n")).toHaveLength(to.filter(({ actor }) => actor === "Ada").length + 2);
  expect(csv).toMatch(/^id,time,actorKind,actorId,actor,verb,target,outcome,address,detail,attempt,sealed\r\n\d+,2/);
});

test("what a message held is quoted only to those who may see messages", async () => {
  const groups = async (caller: Caller) =>
    (
      await read(
        deadLetterGroupsAnswer,
        rig.compose({ caller }).handle("listDeadLetterGroups", new Request("http://here/api"), {}),
      )
    ).items;
  const [seen, hidden] = [await groups(person("operator")), await groups(person("viewer"))];
  expect(seen.map(({ example }) => typeof example)).toContain("string");
  expect(hidden).toEqual(seen.map((group) => ({ ...group, example: null })));
});

const DEED = { verb: "discardDeadLetter", target: "x", address: null, detail: null };
const last = async () => (await deeds())[0]!;

test("of a change elsewhere a row tells before that it is tried: whoever is killed leaves it, and its outcome is not known", async () => {
  const untold: unknown[] = [];
  const { around } = createRecording(rig.engines.pool, (error) => untold.push(error));
  let made = false;
  // Never comes back, as the process is gone.
  void around(
    SYSTEM,
    () => DEED,
    async (attempt) => {
      await attempt();
      made = true;
      return new Promise(() => {});
    },
  );
  await until(() => made);
  expect(await last()).toMatchObject({ outcome: "tried", unsettled: true });
  const { id } = await last();

  await around(
    SYSTEM,
    () => DEED,
    (attempt) => attempt(),
  );
  const [done, tried] = await deeds();
  expect([done, tried]).toMatchObject([
    { outcome: "done", attempt: tried!.id },
    { outcome: "tried", unsettled: false },
  ]);
  await expect(
    around(
      SYSTEM,
      () => DEED,
      async (attempt) => {
        await attempt();
        throw new Error("no");
      },
    ),
  ).rejects.toThrow("no");
  expect(await last()).toMatchObject({ outcome: "failed" });
  expect((await deeds()).find((row) => row.id === id)).toMatchObject({ unsettled: true });

  // Its row can't be written: nothing is tried. That of the outcome can't: what was done stays done, and is not told as failed.
  await rig.owner.query(
    `CREATE FUNCTION full_now() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.outcome <> 'tried' OR NEW.target = 'y' THEN RAISE EXCEPTION 'full'; END IF; RETURN NEW; END $$;
     CREATE TRIGGER full_now BEFORE INSERT ON audit_row FOR EACH ROW EXECUTE FUNCTION full_now()`,
  );
  let tries = 0;
  await expect(
    around(
      SYSTEM,
      () => ({ ...DEED, target: "y" }),
      async (attempt) => {
        await attempt();
        tries++;
      },
    ),
  ).rejects.toThrow("can't be written");
  expect(tries).toBe(0);
  expect(
    await around(
      SYSTEM,
      () => DEED,
      async (attempt) => {
        await attempt();
        return ++tries;
      },
    ),
  ).toBe(1);
  expect(untold).toHaveLength(1);
  expect(await last()).toMatchObject({ outcome: "tried", unsettled: true });
  await rig.owner.query("DROP TRIGGER full_now ON audit_row; DROP FUNCTION full_now");
});

test("what is tried says on what, before anything is done, and what is refused before it is tried leaves no row", async () => {
  const count = (await deeds()).length;
  const start = (body: object) => {
    const request = new Request("http://here/api", { method: "POST", body: JSON.stringify(body), headers: JSON_TYPE });
    return rig.api.handle("startDeadLetterJob", request, {});
  };
  expect((await start({ action: "none" })).status).toBe(400);
  expect(await deeds()).toHaveLength(count);
  const asked = { action: "discard", filter: { device: "nobody-has-it" } };
  expect((await start({ ...asked, dryRun: false })).status).toBe(200);
  const [done, tried] = await deeds();
  expect(done).toMatchObject({ outcome: "done", target: expect.stringMatching(/./), attempt: tried!.id });
  expect(tried).toMatchObject({ outcome: "tried", target: done!.target, detail: { asked } });
});

test("what could not be told is told the next time", async () => {
  const { seen } = createRecording(rig.engines.pool, () => {});
  const deed = { verb: "listMessages", target: "once", address: null, detail: null };
  await rig.owner.query("ALTER TABLE audit_row RENAME TO audit_row_away");
  await expect(seen(SYSTEM, deed, false)).rejects.toThrow("can't be written");
  await rig.owner.query("ALTER TABLE audit_row_away RENAME TO audit_row");
  await seen(SYSTEM, deed, false);
  await seen(SYSTEM, deed, false);
  expect((await deeds()).filter(({ target }) => target === "once")).toHaveLength(1);
});

describeWithMongo("on MongoDB", (uri) => {
  const onMongo = createApiRig({ MONGODB_URI: uri });
  beforeEach(() => onMongo.sendFleet());

  test("discarding a dead letter is told before and after", async () => {
    const [letter] = (await read(deadLettersAnswer, onMongo.get("listDeadLetters"))).items;
    const discard = () =>
      onMongo.api.handle(
        "discardDeadLetter",
        new Request("http://here/api", { method: "POST", body: "{}", headers: JSON_TYPE }),
        {
          id: letter!.id,
        },
      );
    expect((await discard()).status).toBe(200);
    const [done, tried] = await deeds(onMongo);
    expect(tried).toMatchObject({ verb: "discardDeadLetter", target: letter!.id, outcome: "tried", unsettled: false });
    expect(tried).toMatchObject({ detail: { before: { status: "open" }, after: { status: "discarded" } } });
    expect(done).toMatchObject({
      ...{ outcome: "done", attempt: tried!.id },
      detail: { before: { status: "open" }, after: { status: "discarded" } },
    });
    expect((await discard()).status).toBe(409);
    expect((await deeds(onMongo))[0]).toMatchObject({ outcome: "failed" });
  });
});
