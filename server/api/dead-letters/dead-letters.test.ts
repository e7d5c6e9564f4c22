import { beforeEach, describe, expect, test } from "vitest";
import type { z } from "zod";
import { problem } from "@/server/contracts/common";
import {
  deadLetter,
  deadLetterGroupsAnswer,
  deadLetterJob,
  deadLetterJobAnswer,
  deadLetterJobsAnswer,
  deadLettersAnswer,
  resendAnswer,
} from "@/server/contracts/dead-letters";
import { siteHeaders } from "@/server/domain/site-mark";
import { TOPICS } from "@/server/domain/terms";
import { LogUnavailableError } from "@/server/ports/event-log";
import { createApiRig } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";
import type { VerbName } from "../verbs";
import { innerId, publicId } from "./id";

const now = Date.now();
const PATIENCE = { timeoutMs: 20_000 };

const rig = createApiRig({ MAX_METRICS: "3" });
// Not TRUNCATE: it would wait for every step of a job that is under way, and what that asks meanwhile would wait for it.
beforeEach(() => rig.owner.query("DELETE FROM dead_letter; DELETE FROM job_run"));

const { get } = rig;

function post(verb: VerbName, params: Record<string, string>, body: unknown, to = rig.api): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return to.handle(
    verb,
    new Request("http://here/api", { method: "POST", body: JSON.stringify(body), headers }),
    params,
  );
}

async function read<T extends z.ZodType>(schema: T, answer: Promise<Response>): Promise<z.output<T>> {
  const response = await answer;
  const json: unknown = await response.json();
  expect(response.status, JSON.stringify(json)).toBe(200);
  return schema.parse(json);
}

async function refused(answer: Promise<Response>) {
  const body = problem.parse(await (await answer).json());
  return { kind: body.type.replace("/problems/", ""), status: body.status, detail: body.detail, more: body };
}

const list = (query = "") => read(deadLettersAnswer, get("listDeadLetters", {}, query));
const one = (id: string) => read(deadLetter, get("getDeadLetter", { id }));
const readings = async () =>
  (await rig.owner.query("SELECT metric, value FROM reading WHERE time > now() - interval '2 days'")).rowCount;

/** Puts messages into the log and waits until they have become `count` dead letters. */
async function refuse(messages: readonly unknown[], count = messages.length) {
  const records = messages.map((message) => ({ key: "d", value: Buffer.from(JSON.stringify(message)) }));
  await rig.engines.eventLog.append(TOPICS.telemetry, records);
  await until(async () => (await list("status=all&limit=500")).items.length === count, PATIENCE);
  return (await list("limit=500")).items;
}

const iso = (ms: number) => new Date(ms).toISOString();
let serial = 0;
const ahead = () => ({ device: "d", time: iso(now + 3 * 3_600_000 + serial++), readings: { a: serial } });

describe("ids in addresses", () => {
  test.each(["pg-1/iot.telemetry/0/3/15/m", "a~b!/t~~/!0~1/", "~~!!//", "!1"])("%s", (id) => {
    expect(publicId(id)).not.toContain("/");
    expect(innerId(publicId(id))).toBe(id);
    expect(encodeURIComponent(publicId(id))).toBe(publicId(id));
  });
});

describe("one dead letter", () => {
  test("edited and sent is stored, once, and its history tells", async () => {
    const [letter] = await refuse([ahead()]);
    const { id } = letter!;
    const before = await readings();
    const message = letter!.raw.replace(/"time":"[^"]+"/, `"time":"${iso(now)}"`);
    const dry = await read(resendAnswer, post("resendDeadLetter", { id }, { message, dryRun: true }));
    expect(dry).toMatchObject({ preview: { ok: true, readings: 1, problems: [] }, letter: { status: "open" } });
    const asItIs = await read(resendAnswer, post("resendDeadLetter", { id }, { dryRun: true }));
    expect(asItIs.preview).toMatchObject({ ok: false, readings: 0, problems: [{ reason: "futureTime", field: null }] });

    const sent = await Promise.all([1, 2, 3].map(() => post("resendDeadLetter", { id }, { message })));
    expect(sent.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    await until(async () => (await one(id)).status === "resent", PATIENCE);
    expect(await one(id)).toMatchObject({ resends: 1, resendOf: null, resentAs: null });
    expect((await one(id)).history).toMatchObject([
      { kind: "sent", edited: true },
      { kind: "stored", edited: true, detail: "1 reading stored, 0 repeats" },
    ]);
    await until(async () => (await readings()) === before! + 1, PATIENCE);
    const again = await refused(post("resendDeadLetter", { id }, { message }));
    expect(again).toMatchObject({ status: 409, kind: "wrong-status", more: { current: "resent" } });
  });

  test("that would be refused isn't sent when edited, and goes on as a new one when not", async () => {
    const [letter] = await refuse([ahead()]);
    const { id } = letter!;
    const message = `{"device":"d","time":"${iso(now)}","readings":{"a":"hot","b":[],"c":1}}`;
    const answer = await refused(post("resendDeadLetter", { id }, { message }));
    expect(answer).toMatchObject({ status: 422, kind: "would-be-refused" });
    expect(answer.detail).toContain("Type changed: a is a string");
    expect(answer.detail).toContain("Not a value: b is an array");
    expect(answer.more.preview).toMatchObject({ readings: 1, problems: [{ field: "b" }, { field: "a" }] });
    expect((await one(id)).status).toBe("open");

    await read(resendAnswer, post("resendDeadLetter", { id }, {}));
    await until(async () => (await one(id)).status === "resent", PATIENCE);
    const { resentAs } = await one(id);
    expect(await one(resentAs!)).toMatchObject({ status: "open", resendOf: id, resends: 1 });
    expect((await list("status=resent")).items.map((item) => item.id)).toEqual([id]);
  });

  test("what it names anew when it is edited counts against the limits of who sends it, as at every door", async () => {
    const of = { of: "service", siteId: null, device: null, grants: [{ role: "operator", siteId: null }] } as const;
    const caller = { kind: "key", keyId: "operators", name: "operators", ...of } as const;
    const api = rig.compose({ caller, ingest: { KEY_NEW_DEVICES_PER_HOUR: 1 } });
    const letters = await refuse([ahead(), ahead(), ahead()]);
    const send = (i: number, device: string) => {
      const message = `{"device":"${device}","time":"${iso(now - i)}","readings":{"a":1}}`;
      return post("resendDeadLetter", { id: letters[i]!.id }, { message }, api);
    };
    await read(resendAnswer, send(0, "edited-1"));
    const second = await send(1, "edited-2");
    expect([second.status, Number(second.headers.get("retry-after")) > 3000]).toEqual([429, true]);
    expect((await one(letters[1]!.id)).status).toBe("open");
    // What is there already costs nothing.
    await until(async () => (await one(letters[0]!.id)).status === "resent", PATIENCE);
    await read(resendAnswer, send(2, "edited-1"));
  });

  test("of a sender that speaks for a site is judged with it each time it is sent, edited or not", async () => {
    const value = Buffer.from(JSON.stringify({ ...ahead(), device: "press-9", site: "south" }));
    await rig.engines.eventLog.append(TOPICS.telemetry, [{ key: "press-9", value, headers: siteHeaders("north") }]);
    await until(async () => (await list()).items.length === 1, PATIENCE);
    const { id, raw } = (await list()).items[0]!;
    const message = raw.replace(/"time":"[^"]+"/, `"time":"${iso(now)}"`);
    await read(resendAnswer, post("resendDeadLetter", { id }, { message }));
    await until(async () => (await one(id)).status === "resent", PATIENCE);
    const { owner } = rig;
    const siteOf = `SELECT s.name FROM device d JOIN site s ON s.id = d.site_id WHERE d.name = 'press-9'`;
    expect((await owner.query(siteOf)).rows).toEqual([{ name: "north" }]);

    // Moved away meanwhile: the preview says so, and what it becomes when it is sent all the same keeps its site.
    await owner.query(`INSERT INTO site (name) VALUES ('east');
      UPDATE device SET site_id = (SELECT id FROM site WHERE name = 'east'), site_by_person = true WHERE name = 'press-9';
      TRUNCATE dead_letter`);
    await rig.engines.eventLog.append(TOPICS.telemetry, [{ key: "press-9", value, headers: siteHeaders("north") }]);
    await until(async () => (await list()).items.length === 1, PATIENCE);
    const late = (await list()).items[0]!.id;
    const body = { message: raw.replace(/"time":"[^"]+"/, `"time":"${iso(now + 1)}"`) };
    expect(await refused(post("resendDeadLetter", { id: late }, body))).toMatchObject({
      ...{ kind: "would-be-refused", detail: expect.stringContaining("press-9 is no device of north") },
    });
    await read(resendAnswer, post("resendDeadLetter", { id: late }, {}));
    await until(async () => (await one(late)).status === "resent", PATIENCE);
    const { rows } = await rig.owner.query(`SELECT DISTINCT sender_site AS site FROM dead_letter`);
    expect(rows).toEqual([{ site: "north" }]);
  });

  test("previews know the catalog's limits", async () => {
    const [letter] = await refuse([ahead()]);
    const { id } = letter!;
    const preview = async (message: string) =>
      (await read(resendAnswer, post("resendDeadLetter", { id }, { message, dryRun: true }))).preview;
    const found = await preview(
      `{"device":"new","time":"${iso(now)}","readings":{"a":1,"x":1,"y":2,"z":3,"note":"t"}}`,
    );
    expect(found).toMatchObject({ ok: false, problems: [{ reason: "tooManyMetrics", field: "z" }] });
    expect(found.readings).toBe(3);
    expect(await preview("{")).toMatchObject({ ok: false, problems: [{ reason: "notJson" }] });
    expect((await rig.owner.query("SELECT FROM device WHERE name = 'new'")).rowCount).toBe(0);
  });

  test("given up and taken back, each only when it can be", async () => {
    const [letter] = await refuse([ahead()]);
    const { id } = letter!;
    expect(await refused(post("restoreDeadLetter", { id }, {}))).toMatchObject({ status: 409, kind: "wrong-status" });
    expect(await read(deadLetter, post("discardDeadLetter", { id }, {}))).toMatchObject({ status: "discarded" });
    expect((await refused(post("resendDeadLetter", { id }, {}))).status).toBe(409);
    expect((await refused(post("discardDeadLetter", { id }, {}))).status).toBe(409);
    expect((await list()).items).toEqual([]);
    expect(await read(deadLetter, post("restoreDeadLetter", { id }, {}))).toMatchObject({ status: "open" });
    expect((await one(id)).history.map(({ kind }) => kind)).toEqual(["discarded", "restored"]);
  });

  test("stays claimed when the log doesn't answer", async () => {
    const [letter] = await refuse([ahead()]);
    const append = () => Promise.reject(new LogUnavailableError("away"));
    const away = rig.compose({ append });
    const answer = await refused(post("resendDeadLetter", { id: letter!.id }, {}, away));
    expect(answer).toMatchObject({ status: 503, kind: "log-unavailable" });
    expect((await one(letter!.id)).status).toBe("resending");
  });

  test("what isn't there, and what isn't JSON", async () => {
    expect((await refused(get("getDeadLetter", { id: "none~t~0~0~1~m" }))).kind).toBe("not-found");
    for (const verb of ["resendDeadLetter", "discardDeadLetter", "restoreDeadLetter"] as const)
      expect((await refused(post(verb, { id: "none" }, {}))).kind).toBe("not-found");
    expect((await refused(get("getDeadLetterJob", { id: "none" }))).kind).toBe("not-found");
    const form = new Request("http://here/api", {
      method: "POST",
      body: "{}",
      headers: { "content-type": "text/plain" },
    });
    for (const verb of ["resendDeadLetter", "discardDeadLetter", "startDeadLetterJob", "stopDeadLetterJob"] as const)
      expect(
        (await refused(rig.api.handle(verb, form.clone(), { ...(!verb.startsWith("start") && { id: "x" }) }))).kind,
      ).toBe("unsupported-media-type");
  });
});

describe("many dead letters", () => {
  test("in groups, with filters", async () => {
    await refuse([ahead(), ahead(), { device: "d", time: iso(now), readings: { a: [] } }, 5], 4);
    const groups = (query = "") => read(deadLetterGroupsAnswer, get("listDeadLetterGroups", {}, query));
    const all = await groups();
    expect(all).toMatchObject({ total: 3, counts: { open: 4, resending: 0, resent: 0, discarded: 0 } });
    expect(all.items.map(({ reason, device, field, count }) => [reason, device, field, count])).toContainEqual([
      "futureTime",
      "d",
      null,
      2,
    ]);
    expect(all.items[0]!.trend).toHaveLength(24);
    expect(all.items[0]!.trend.slice(-2).reduce((a, b) => a + b)).toBe(2);
    expect((await groups("device=")).items.map(({ reason }) => reason)).toEqual(["notJson"]);
    expect((await groups("field=a")).items.map(({ reason }) => reason)).toEqual(["badValue"]);
    expect((await groups("field=&device=d")).items.map(({ count }) => count)).toEqual([2]);
    expect((await list("field=a")).items).toHaveLength(1);
    expect((await groups("status=discarded")).items).toEqual([]);
  });

  test("resent by a job: first dry, then for all, what is refused again not a second time", async () => {
    await refuse([ahead(), ahead(), ahead(), { device: "d", time: iso(now), readings: { a: [] } }], 4);
    const body = { action: "resend", filter: { reason: "futureTime" }, perSecond: 500 };
    const dry = await read(deadLetterJobAnswer, post("startDeadLetterJob", {}, { ...body, dryRun: true }));
    expect(dry).toMatchObject({ job: null, dryRun: { count: 3, checked: 3, wouldPass: 0, seconds: 3 / 500 } });
    expect(dry.dryRun!.wouldFail).toMatchObject([{ reason: "futureTime", count: 3 }]);
    expect((await list()).items).toHaveLength(4);

    const { job } = await read(deadLetterJobAnswer, post("startDeadLetterJob", {}, body));
    expect(job).toMatchObject({ status: "waiting", total: 3, done: 0, filter: { reason: "futureTime" } });
    const state = () => read(deadLetterJob, get("getDeadLetterJob", { id: job!.id }));
    await until(async () => (await state()).status === "done", PATIENCE);
    expect(await state()).toMatchObject({ done: 3, skipped: 0, stored: 0, refused: 3, error: null });
    expect((await list("status=all&reason=futureTime")).items).toHaveLength(6);
    expect((await list("reason=futureTime")).items.every(({ resends }) => resends === 1)).toBe(true);
    expect(await read(deadLetterJobsAnswer, get("listDeadLetterJobs"))).toEqual({ items: [await state()] });
  });

  test("given up by a job, stopped or not", async () => {
    await refuse([ahead(), ahead()]);
    const { job } = await read(deadLetterJobAnswer, post("startDeadLetterJob", {}, { action: "discard" }));
    const state = (id: string) => read(deadLetterJob, get("getDeadLetterJob", { id }));
    await until(async () => (await state(job!.id)).status === "done", PATIENCE);
    expect((await list("status=discarded")).items).toHaveLength(2);
    const stopped = await read(deadLetterJob, post("stopDeadLetterJob", { id: job!.id }, {}));
    expect(stopped).toMatchObject({ status: "done", done: 2 });
  });

  test("not by more jobs than fit", async () => {
    await rig.owner.query(
      `INSERT INTO job_run (id, job, lane, trigger, params, total, state)
       SELECT 'busy-' || i, 'dead-letters', 'busy-' || i, 'request',
         '{"action":"resend","filter":{"device":"nobody","reason":"tooDeep"},"until":0,"perSecond":1}', 0, 'waiting' FROM generate_series(1, 8) i`,
    );
    await rig.owner.query(
      `INSERT INTO dead_letter (id, log, partition, "offset", reason, detail, device, ingest_time, processed_time, raw, status, job)
       SELECT 'held-' || i, 'l', 0, i, 'tooDeep', '', 'nobody', now(), now(), '', 'resending', 'busy-' || i FROM generate_series(1, 8) i`,
    );
    expect((await refused(post("startDeadLetterJob", {}, { action: "discard" }))).kind).toBe("too-many-jobs");
    const stopped = await read(deadLetterJob, post("stopDeadLetterJob", { id: "busy-1" }, {}));
    expect(stopped.status).toBe("stopped");
    expect(stopped.finishedAt).not.toBeNull();
    expect((await read(deadLetterJobAnswer, post("startDeadLetterJob", {}, { action: "discard" }))).job).not.toBeNull();
  });
});
