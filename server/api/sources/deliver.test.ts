import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { madeKey } from "@/server/contracts/access";
import { deadLetterJobAnswer, resendAnswer } from "@/server/contracts/dead-letters";
import {
  deliveryAnswer,
  source as sourceSchema,
  sourceDetail,
  sourceHandshake,
  sourceSamplesAnswer,
} from "@/server/contracts/sources";
import type { MappingInput } from "@/server/domain/mapping/mapping";
import { createApiRig, JSON_TYPE, NOW, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";
import { publicId } from "../dead-letters/id";
import type { VerbName } from "../verbs";
import { VERBS } from "../verbs";

const rig = createApiRig();
const PATIENCE = { timeoutMs: 60_000 };

function ask(verb: VerbName, params: Record<string, string>, body?: object) {
  const { method } = VERBS[verb].operation;
  const init = body === undefined ? { method } : { method, headers: JSON_TYPE, body: JSON.stringify(body) };
  return rig.api.handle(verb, new Request("http://here/api", init), params);
}

/** The mapping of the test's senders, which at first doesn't know where some of them keep the time. */
const mapping = (time: string[]): MappingInput => ({
  decode: "json",
  when: [{ value: "{query.event}", differs: ["join"] }],
  device: ["{id}"],
  time: time.map((path) => ({ from: { path }, format: "ms" as const })),
  withoutTime: "refuse",
  readings: [{ root: "data" }],
});

const keys = new Map<string, string>();
async function addSource(name: string, answer: "strict" | "webhook", more: object = {}): Promise<void> {
  await read(sourceSchema, ask("addSource", {}, { name, kind: "generic", answer, mapping: mapping(["at"]), ...more }));
  const { text } = await read(madeKey, ask("makeSourceKey", { source: name }, {}));
  keys.set(name, text);
}

interface Sent {
  readonly headers?: Record<string, string>;
  readonly query?: string;
  readonly method?: string;
}
function deliver(source: string, body: string | Uint8Array, { headers, query = "", method = "POST" }: Sent = {}) {
  const shown = headers ?? { authorization: `Bearer ${keys.get(source)}` };
  const init = { method, headers: shown, ...(method !== "GET" && { body: body as string }) };
  return rig.api.handle("deliver", new Request(`http://here/ingest/${source}${query}`, init), { source });
}

/** Nobody tells this process of sources that are new: it asks. */
const isOpen = (source: string) =>
  until(async () => (await deliver(source, "{}", { query: "?event=join" })).status !== 403);

const good = (device: string, i: number) =>
  JSON.stringify({ id: device, at: NOW - 600_000 + i, data: { t: i, on: true } });
/** With its time somewhere else, and bytes that no parser gives back. */
const odd = (device: string, i: number) =>
  `{ "id":"${device}",  "when": ${NOW - 600_000 + i}, "data": {"t":${i}.0,"on":true} }`;

const readings = async (like: string) =>
  Number(
    (await rig.owner.query<{ n: string }>(`SELECT count(*) AS n FROM reading WHERE device LIKE $1`, [like])).rows[0]!.n,
  );
const openLetters = (source: string) =>
  rig.engines.deadLetters.find({ sites: "all", source, status: "open", limit: 1000 });

beforeAll(async () => {
  await addSource("barn", "webhook");
  await addSource("yard", "strict");
});

test(
  "1,000 bodies of a webhook, a tenth of them in a shape its mapping doesn't know: all are answered 2xx, nothing is lost, and the mended mapping reads them",
  { timeout: 180_000 },
  async () => {
    const bodies = Array.from({ length: 1000 }, (_, i) =>
      i % 10 === 3 ? odd(`w-${i % 7}`, i) : good(`w-${i % 7}`, i),
    );
    const answers = [];
    for (let at = 0; at < bodies.length; at += 50)
      answers.push(...(await Promise.all(bodies.slice(at, at + 50).map((body) => deliver("barn", body)))));
    expect(answers.every(({ ok }) => ok)).toBe(true);
    const told = await Promise.all(answers.map(async (answer) => deliveryAnswer.parse(await answer.json())));
    expect(told.filter(({ accepted }) => accepted === 1)).toHaveLength(900);
    expect(told.filter(({ kept, refused }) => kept && refused[0]!.reason === "noTime")).toHaveLength(100);

    await until(async () => (await readings("w-%")) === 1800, PATIENCE);
    await until(async () => (await openLetters("barn")).length === 100, PATIENCE);
    const letters = await openLetters("barn");
    expect(letters.map(({ raw }) => Buffer.from(raw).toString()).sort()).toEqual(
      bodies.filter((_, i) => i % 10 === 3).sort(),
    );
    expect(letters[0]).toMatchObject({ reason: "notMapped", device: null, delivery: { source: "barn", version: 1 } });

    // As it is, a resend would change nothing: one is told so, and many stay open.
    const one = publicId(letters[0]!.id);
    expect((await refused(ask("resendDeadLetter", { id: one }, {}))).kind).toBe("would-be-refused");
    const filter = { source: "barn", reason: "notMapped" };
    const dry = { action: "resend", filter, dryRun: true, perSecond: 1000 };
    expect((await read(deadLetterJobAnswer, ask("startDeadLetterJob", {}, dry))).dryRun).toMatchObject({
      ...{ count: 100, checked: 100, wouldPass: 0, wouldFail: [{ reason: "notMapped", count: 100 }] },
    });

    await read(
      VERBS.saveSourceMapping.operation.answer,
      ask("saveSourceMapping", { source: "barn" }, { mapping: mapping(["at", "when"]), base: 1 }),
    );
    const { preview } = await read(resendAnswer, ask("resendDeadLetter", { id: one }, { dryRun: true }));
    expect(preview).toEqual({ ok: true, readings: 2, problems: [] });
    expect((await read(deadLetterJobAnswer, ask("startDeadLetterJob", {}, dry))).dryRun).toMatchObject({
      wouldPass: 100,
    });
    const { job } = await read(deadLetterJobAnswer, ask("startDeadLetterJob", {}, { ...dry, dryRun: false }));
    expect(job!.filter).toEqual(filter);
    await until(async () => (await openLetters("barn")).length === 0, PATIENCE);
    await until(async () => (await readings("w-%")) === 2000, PATIENCE);
    const done = async () =>
      (await rig.owner.query(`SELECT state, cursor FROM job_run WHERE id = $1`, [job!.id])).rows[0];
    await until(async () => (await done()).state === "done", PATIENCE);
    expect((await done()).cursor).toMatchObject({ stored: 100, refused: 0, skipped: 0 });

    // The same as if the mapping had been right from the start.
    await addSource("right", "webhook", { mapping: mapping(["at", "when"]) });
    await isOpen("right");
    await Promise.all(bodies.map((body) => deliver("right", body.replace('"w-', '"v-'))));
    await until(async () => (await readings("v-%")) === 2000, PATIENCE);
    const { rows } = await rig.owner.query(
      `SELECT substr(device, 3), metric, time, value FROM reading WHERE device LIKE 'w-%'
       EXCEPT SELECT substr(device, 3), metric, time, value FROM reading WHERE device LIKE 'v-%'`,
    );
    expect(rows).toEqual([]);

    await until(async () => {
      const { source } = await read(sourceDetail, ask("getSource", { source: "barn" }));
      return source.counts.received === 1000;
    });
    const { source, openDeadLetters } = await read(sourceDetail, ask("getSource", { source: "barn" }));
    expect([source.counts, openDeadLetters]).toMatchObject([
      {
        ...{ received: 1000, accepted: 900, kept: 100, refused: { noTime: 100 }, ignored: 0 },
        lastError: { reason: "noTime" },
      },
      0,
    ]);
    // The payload of the last error is one of those that are kept, however many came in that second.
    const { lastError, samples } = await until(async () => {
      const { source } = await read(sourceDetail, ask("getSource", { source: "barn" }));
      const { items } = await read(sourceSamplesAnswer, ask("listSourceSamples", { source: "barn" }));
      const { lastError } = source.counts;
      return lastError === null || lastError.sample === null ? null : { lastError, samples: items };
    });
    const its = samples.find(({ id }) => id === lastError.sample)!;
    expect([its.at, its.outcome.refused[0]?.reason]).toEqual([lastError.at, "noTime"]);
    const { items } = await read(sourceSamplesAnswer, ask("listSourceSamples", { source: "barn" }));
    expect(items.length).toBeGreaterThan(0);
    expect(items[0]!.payload.body).toContain('"id":"w-');
  },
);

describe("the door", () => {
  test("Fieldwatch's own source takes its shape, though its stored mapping leaves out what has a default", async () => {
    const body = JSON.stringify({ device: "own-1", time: new Date(NOW - 60_000).toISOString(), readings: { t: 1 } });
    const api = rig.compose({
      caller: {
        ...{ kind: "key", keyId: "admin", name: "admin", of: "service", siteId: null, device: null },
        grants: [{ role: "admin", siteId: null }],
      },
    });
    const request = new Request("http://here/ingest/fieldwatch", { method: "POST", body });
    expect((await read(deliveryAnswer, api.handle("deliver", request, { source: "fieldwatch" }))).accepted).toBe(1);
  });

  test("a source may have any name, whatever else is asked for beside sources", async () => {
    for (const name of ["preview", "guess", "new"]) {
      await addSource(name, "strict");
      expect((await refused(ask("addSource", {}, { name, kind: "generic" }))).kind).toBe("taken");
      expect((await read(sourceDetail, ask("getSource", { source: name }))).source.name).toBe(name);
    }
    // An address beside {source} would be somebody's source.
    const paths = Object.values(VERBS).map(({ operation }) => operation.path.split("/"));
    const beside = paths
      .filter((levels) => levels[3] === "sources" && levels[4] !== undefined)
      .map((levels) => levels[4]);
    expect([...new Set(beside)]).toEqual(["{source}"]);
  });

  test("a source made without settings has those of its kind's template, as on the screen", async () => {
    for (const [kind, answer] of [
      ["influx", "strict"],
      ["generic", "webhook"],
    ] as const) {
      const made = await read(sourceSchema, ask("addSource", {}, { name: `plain-${kind}`, kind }));
      expect([made.answer, made.door]).toEqual([answer, { type: "http" }]);
    }
  });

  test("takes a key wherever a sender can say it, and tells nobody's else", async () => {
    const key = keys.get("yard")!;
    const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });
    const ways: Sent[] = [
      { headers: { authorization: `Bearer ${key}` } },
      { headers: { authorization: `Token ${key}` } },
      { headers: basic(`anybody:${key}`) },
      { headers: basic(`${key}:`) },
      { headers: { "x-api-key": key } },
      { headers: {}, query: `?key=${key}&x=1&x=2` },
    ];
    for (const [i, way] of ways.entries())
      expect((await read(deliveryAnswer, deliver("yard", good("k-1", i), way))).accepted).toBe(1);
    for (const way of [
      { headers: {} },
      { headers: { cookie: "fieldwatch=x" } },
      { headers: { "x-api-key": "fwi_no" } },
    ])
      expect((await refused(deliver("yard", good("k-1", 1), way))).kind).toBe("not-signed-in");
    const other = { headers: { "x-api-key": keys.get("barn")! } };
    expect((await refused(deliver("yard", good("k-1", 1), other))).kind).toBe("not-allowed");
    // A source's key sends nowhere else.
    expect(
      JSON.stringify((await read(sourceSamplesAnswer, ask("listSourceSamples", { source: "yard" }))).items),
    ).not.toContain(key);
  });

  test("strict: what can't be read is told, and nothing of it is kept", async () => {
    const { kind, refused: told } = (await refused(deliver("yard", odd("s-1", 1)))) as unknown as {
      kind: string;
      refused: object[];
    };
    expect([kind, told]).toMatchObject(["nothing-accepted", [{ reason: "noTime" }]]);
    expect((await refused(deliver("yard", "no json"))).kind).toBe("nothing-accepted");
    expect(await openLetters("yard")).toEqual([]);
  });

  test("ignored by the mapping's rule is a good answer, counted; packed bodies are unpacked; other methods are taken", async () => {
    const ignored = await read(deliveryAnswer, deliver("barn", good("j-1", 1), { query: "?event=join" }));
    expect(ignored).toMatchObject({ accepted: 0, ignored: true, kept: false });
    const headers = { authorization: `Bearer ${keys.get("barn")}`, "content-encoding": "gzip" };
    expect(
      (await read(deliveryAnswer, deliver("barn", gzipSync(good("j-1", 2)), { headers, method: "PUT" }))).accepted,
    ).toBe(1);
    expect((await read(deliveryAnswer, deliver("barn", "", { method: "GET" }))).kept).toBe(true);
    const large = "x".repeat(800_000);
    expect((await refused(deliver("barn", large))).kind).toBe("body-too-large");
  });

  test("of a webhook, what can't be unpacked is kept as it came, with its encoding; bombs and what is too large are not", async () => {
    await addSource("packer", "webhook");
    await isOpen("packer");
    const packed = (body: string | Uint8Array, encoding: string) =>
      deliver("packer", body, {
        headers: { authorization: `Bearer ${keys.get("packer")}`, "content-encoding": encoding },
      });
    const bytes = Buffer.from("28b52ffd0400410000616263", "hex");
    for (const [body, encoding] of [
      [bytes, "zstd"],
      [Buffer.from("no gzip"), "gzip"],
    ] as const) {
      const answer = await read(deliveryAnswer, packed(body, encoding));
      expect([answer.kept, answer.refused[0]?.reason]).toEqual([true, "unreadable"]);
      const letters = await until(async () => {
        const found = await openLetters("packer");
        return found.find(({ delivery }) => delivery?.beside.headers["content-encoding"] === encoding);
      }, PATIENCE);
      expect(Buffer.from(letters.raw)).toEqual(body);
    }
    expect((await refused(packed(gzipSync(Buffer.alloc(2_000_000)), "gzip"))).kind).toBe("body-too-large");
    expect((await refused(packed("x".repeat(800_000), "zstd"))).kind).toBe("body-too-large");
  });

  test("who is turned away at the door of a source is counted there, and told why", async () => {
    await addSource("gate", "strict");
    await isOpen("gate");
    const shown = { authorization: `Bearer ${keys.get("gate")}` };
    const zstd = { headers: { ...shown, "content-encoding": "zstd" } };
    expect((await refused(deliver("gate", "x", zstd))).kind).toBe("unsupported-encoding");
    const gzip = { headers: { ...shown, "content-encoding": "gzip" } };
    expect((await refused(deliver("gate", "x", gzip))).kind).toBe("unreadable-body");
    const foreign = { headers: { authorization: `Bearer ${keys.get("yard")}` } };
    expect((await refused(deliver("gate", "x", foreign))).detail).toMatch(/its own source alone/);
    const { source } = await read(sourceDetail, ask("getSource", { source: "gate" }));
    await read(sourceSchema, ask("updateSource", { source: "gate" }, { revision: source.revision, enabled: false }));
    // Another process, which has not read the source before.
    const late = new Request("http://here/ingest/gate", { method: "POST", headers: shown, body: "x" });
    const told = await refused(rig.compose().handle("deliver", late, { source: "gate" }));
    expect(told.detail).toMatch(/is disabled/);
    const counts = await until(async () => {
      const { source } = await read(sourceDetail, ask("getSource", { source: "gate" }));
      return (source.counts.refused["not-allowed"] ?? 0) > 1 ? source.counts : null;
    }, PATIENCE);
    expect(counts.refused).toMatchObject({ "unsupported-encoding": 1, "unreadable-body": 1 });
    expect(counts.lastError).toMatchObject({ reason: "not-allowed" });
    const asking = { method: "OPTIONS", headers: { "webhook-request-origin": "sender.example" } };
    expect((await refused(deliver("yard", "", asking))).kind).toBe("not-signed-in");
    const asked = await deliver("yard", "", { ...asking, headers: { ...asking.headers, ...foreign.headers } });
    expect([asked.status, asked.headers.get("webhook-allowed-origin")]).toEqual([200, "sender.example"]);
    const door = { type: "mqtt", topics: ["a/#/b"] };
    expect((await refused(ask("addSource", {}, { name: "broken", kind: "generic", door }))).kind).toBe(
      "invalid-parameters",
    );
  });

  test("of a burst, the newest are kept as samples, without secrets", async () => {
    await addSource("burst", "strict");
    await isOpen("burst");
    const secrets = `"psk":"hush","wifi_pin":1234,"pin":"0000","appKey":"A1"`;
    for (let i = 0; i < 30; i++)
      await deliver("burst", `{"id":"b-1","at":${NOW - 60_000 + i},"data":{"t":${i},"spin":7},${secrets}}`);
    const items = await until(async () => {
      const { items } = await read(sourceSamplesAnswer, ask("listSourceSamples", { source: "burst" }));
      return items[0]?.payload.body.includes(`"t":29`) && items.length === 20 ? items : null;
    }, PATIENCE);
    expect(items[0]!.payload.body).toContain(`"spin":7},"psk":"…","wifi_pin":"…","pin":"…","appKey":"…"}`);
  });

  test("handshakes: Event Grid's code is said back, AWS's address is kept for a person, and only if it is AWS's", async () => {
    const grid = { authorization: `Bearer ${keys.get("barn")}`, "aeg-event-type": "SubscriptionValidation" };
    const asked = await deliver("barn", JSON.stringify([{ data: { validationCode: "abc-1" } }]), { headers: grid });
    expect(await asked.json()).toMatchObject({ validationResponse: "abc-1" });
    const aws = (enableUrl: string) =>
      deliver("barn", JSON.stringify({ messageType: "DestinationConfirmation", enableUrl }));
    const url = "https://iot.eu-west-1.amazonaws.com/confirmdestination/abc";
    expect((await aws(url)).status).toBe(200);
    await aws("https://iot.eu-west-1.amazonaws.com.evil.example/confirmdestination/abc");
    const { handshakes } = await read(sourceDetail, ask("getSource", { source: "barn" }));
    expect(handshakes.map((one) => [one.url, one.confirmedAt])).toEqual([[url, null]]);
  });

  test("a person confirms a handshake: its address is fetched once, and what didn't work is said", async () => {
    const url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=secret-token";
    await deliver("yard", JSON.stringify({ Type: "SubscriptionConfirmation", SubscribeURL: url }));
    const asked: [string, RequestInit][] = [];
    let answer = (): Response => Response.json({}, { status: 302, headers: { location: "https://elsewhere.example" } });
    const api = rig.compose({
      async fetchOutside(at, init) {
        asked.push([at, init]);
        return answer();
      },
    });
    const { handshakes } = await read(sourceDetail, ask("getSource", { source: "yard" }));
    const confirm = (id: number | undefined, source = "yard") =>
      api.handle("confirmHandshake", new Request("http://here/api", { method: "POST" }), { source, id: String(id) });
    const id = handshakes[0]?.id;
    // Who has the address can confirm it by themselves.
    const viewer = rig.compose({
      caller: {
        ...{ kind: "user", accountId: 2, name: "Vi", sessionId: "00000000-0000-4000-8000-000000000001", provenAt: NOW },
        grants: [{ role: "viewer", siteId: null }],
      },
    });
    const seen = viewer.handle("getSource", new Request("http://here/api"), { source: "yard" });
    expect((await read(sourceDetail, seen)).handshakes).toEqual([]);
    expect(await refused(confirm(id))).toMatchObject({ kind: "not-confirmed", status: 502 });
    answer = () => {
      throw new TypeError("fetch failed", { cause: { code: "ENOTFOUND" } });
    };
    expect((await refused(confirm(id))).detail).toMatch(
      /^sns\.eu-west-1\.amazonaws\.com could not be reached \(ENOTFOUND\)/,
    );
    expect((await refused(confirm(id, "barn"))).kind).toBe("not-found");
    answer = () => new Response("<xml/>");
    const { confirmedAt } = await read(sourceHandshake, confirm(id));
    expect(confirmedAt).not.toBeNull();
    // Again is no error, and nothing is fetched.
    expect((await read(sourceHandshake, confirm(id))).confirmedAt).toBe(confirmedAt);
    expect(asked.map(([at, { redirect, method }]) => [at, redirect, method])).toEqual(
      asked.map(() => [url, "manual", undefined]),
    );
    expect(asked).toHaveLength(3);
    const { rows } = await rig.owner.query<{ outcome: string; detail: object }>(
      `SELECT outcome, detail FROM audit_row WHERE verb = 'confirmHandshake' AND target = 'yard' ORDER BY id`,
    );
    expect(rows.filter(({ outcome }) => outcome === "done").length).toBe(2);
    expect(JSON.stringify(rows)).toContain("sns.eu-west-1.amazonaws.com");
    expect(JSON.stringify(rows)).not.toContain("secret-token");
  });

  test("a site's source sends for its site alone, and ends with its key and itself", async () => {
    await rig.owner.query(`INSERT INTO site (name) VALUES ('north')`);
    await addSource("hall", "strict", { site: "north" });
    await isOpen("hall");
    expect((await read(deliveryAnswer, deliver("hall", good("h-1", 1)))).accepted).toBe(1);
    await until(async () => {
      const { rows } = await rig.owner.query(
        `SELECT s.name FROM device d JOIN site s ON s.id = d.site_id WHERE d.name = 'h-1'`,
      );
      return rows[0]?.name === "north";
    });
    const { text } = await read(madeKey, ask("makeSourceKey", { source: "hall" }, {}));
    expect((await refused(ask("makeSourceKey", { source: "hall" }, {}))).kind).toBe("wrong-status");
    expect(text).toMatch(/^fwi_/);
    await ask("deleteSource", { source: "hall" });
    expect((await refused(ask("getSource", { source: "hall" }))).kind).toBe("not-found");
    expect((await rig.owner.query(`SELECT FROM access_key WHERE name = 'hall'`)).rowCount).toBe(0);
    const { rows } = await rig.owner.query<{ verb: string; detail: object }>(
      `SELECT verb, detail FROM audit_row WHERE target = 'hall' AND outcome = 'done' ORDER BY id`,
    );
    expect(rows.map(({ verb }) => verb)).toEqual(["addSource", "makeSourceKey", "makeSourceKey", "deleteSource"]);
    expect(JSON.stringify(rows)).not.toContain(text);
  });
});
