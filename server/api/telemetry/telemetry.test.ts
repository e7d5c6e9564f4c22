import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { telemetryAnswer } from "@/server/contracts/telemetry";
import { noIngestCounts } from "@/server/ingest/ingest-rates";
import { LogUnavailableError } from "@/server/ports/event-log";
import { createApiRig, JSON_TYPE, message, NDJSON, NOW, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();
const refuse = () => Promise.reject(new LogUnavailableError("away"));

describe("what is refused, and how", () => {
  test.each([
    ["text/plain", {}, "{}", "unsupported-media-type"],
    ["application/json", { "content-encoding": "br" }, "{}", "unsupported-encoding"],
    ["application/json", { "content-encoding": "gzip" }, "{}", "unreadable-body"],
    ["application/json", {}, "{", "unreadable-body"],
    ["application/json", {}, "[]", "empty-request"],
    ["application/x-ndjson", {}, "\n \n", "empty-request"],
    ["application/json", {}, "5", "nothing-accepted"],
  ])("%s %o %s: %s", async (type, headers, body, kind) => {
    expect((await refused(rig.post(body, { headers: { "content-type": type, ...headers } }))).kind).toBe(kind);
  });

  test("a mapped message that says a reading twice is rejected by name: written anew, only the last would be there", async () => {
    const body = `{"id":"q","ts":1764237600,"data":{"a":1,"a":2,"b":3}}\n{"id":"q","ts":1764237601,"data":{"b":3}}`;
    const query = "device=id&time=ts&readings=data";
    const { accepted, rejected } = await read(telemetryAnswer, rig.post(body, { headers: NDJSON, query }));
    expect([accepted, rejected]).toEqual([1, [{ index: 0, reason: "notJson", detail: 'it says "a" more than once' }]]);
  });

  test("a refusal of all says what would mend the first", async () => {
    const body = '{"device":"a/b","time":"2026-11-27T10:00:00Z","readings":{"a":1}}';
    const { detail } = await refused(rig.post(body, { headers: NDJSON }));
    expect(detail).toMatch(/the first: badDevice: "a\/b" cannot name a device\. Use 1–128 of the characters A–Z/);
  });

  test("rejected items are named; the others are taken", async () => {
    const body = `${JSON.stringify(message("q", 1))}\n\nnot json\n{"device":"q","time":"soon","readings":{"a":1}}\n`;
    const { accepted, rejected } = await read(telemetryAnswer, rig.post(body, { headers: NDJSON }));
    expect([accepted, rejected.map(({ index, reason }) => [index, reason])]).toEqual([
      1,
      [
        [1, "notJson"],
        [2, "badTime"],
      ],
    ]);
    expect((await refused(rig.post("[1,2]"))).rejected).toHaveLength(2);
  });

  test("past the first hundred, rejected items are counted, in the answer as in what the route counts", async () => {
    const counts = noIngestCounts();
    const many = `${JSON.stringify(message("q", 1))}\n`.concat("x\n".repeat(150), "{}\n".repeat(150));
    const to = rig.compose({ counts });
    const answer = await read(telemetryAnswer, rig.post(many, { headers: NDJSON, to }));
    expect([answer.rejected.length, answer.rejectedMore]).toEqual([100, { notJson: 50, noDevice: 150 }]);
    expect(counts.rejected).toEqual(new Map(Object.entries({ notJson: 150, noDevice: 150 })));
    const none = await refused(rig.post("x\n".repeat(500), { headers: NDJSON, to }));
    expect(none).toMatchObject({ rejected: { length: 100 }, rejectedMore: { notJson: 400 } });
  });

  test("what is nested without end is not parsed, and what unpacks without end is not unpacked", async () => {
    const deep = `{"device":"q","readings":${"[".repeat(30_000)}`;
    expect((await refused(rig.post(deep))).rejected).toMatchObject([{ reason: "tooDeep" }]);
    const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
    const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024, "["));
    expect(await refused(rig.post(bomb, { headers }))).toMatchObject({ kind: "body-too-large" });
    const even = `[${Array(5000)
      .fill(JSON.stringify(message("q", 3)))
      .join(",")}]`;
    expect((await read(telemetryAnswer, rig.post(gzipSync(even), { headers }))).accepted).toBe(5000);
  });

  test("the route counts what it tells its senders, and not what comes again", async () => {
    const counts = noIngestCounts();
    const counting = rig.compose({ counts });
    const away = rig.compose({ append: refuse, counts });
    const mixed = `${JSON.stringify(message("q", 1))}\nnot json\n`;
    await refused(rig.post(mixed, { headers: NDJSON, to: away }));
    await read(telemetryAnswer, rig.post(mixed, { headers: NDJSON, to: counting }));
    await refused(rig.post("[1,2]", { to: counting }));
    expect(counts).toEqual({
      accepted: 1,
      rejected: new Map([["notJson", 3]]),
      requests: new Map([
        ["log-unavailable", 1],
        ["nothing-accepted", 1],
      ]),
    });
  });

  test("too large, packed or not, and too many", async () => {
    const small = rig.compose({ ingest: { INGEST_MAX_BODY_BYTES: 2000, INGEST_MAX_MESSAGES: 3 } });
    const large = JSON.stringify(message("q", 1, { text: "x".repeat(5000) }));
    const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
    expect((await refused(rig.post(large, { to: small }))).kind).toBe("body-too-large");
    expect((await refused(rig.post(gzipSync(large), { headers, to: small }))).kind).toBe("body-too-large");
    expect((await refused(rig.post("[1,2,3,4]", { to: small }))).kind).toBe("too-many-messages");
  });

  test("a foreign message is mapped, a packed one unpacked", async () => {
    const line = JSON.stringify({ ts: NOW / 1000, who: { id: "q" }, data: { temperature: 5 } });
    const headers = { ...NDJSON, "content-encoding": "gzip" };
    const query = "device=who.id&time=ts&readings=data";
    expect((await read(telemetryAnswer, rig.post(gzipSync(line), { headers, query }))).accepted).toBe(1);
  });

  test("a log that is away is 503, one that is slow 429; both say when to try again", async () => {
    const body = JSON.stringify(message("q", 9));
    const away = await refused(rig.post(body, { to: rig.compose({ append: refuse }) }));
    expect([away.kind, away.headers.get("retry-after")]).toEqual(["log-unavailable", "2"]);

    let arrive = () => {};
    const slow = rig.compose({
      ingest: { INGEST_MAX_WAITING_BYTES: body.length + 10 },
      append: () => new Promise((resolve) => (arrive = resolve)),
    });
    const first = rig.post(body, { to: slow });
    const second = await until(() => refused(rig.post(body, { to: slow })));
    expect([second.kind, second.headers.get("retry-after")]).toEqual(["too-busy", "1"]);
    const arrived = async (answer: Promise<Response>) => {
      let answered = false;
      void answer.finally(() => (answered = true));
      await until(() => (arrive(), answered));
      return (await answer).status;
    };
    expect(await arrived(first)).toBe(202);
    expect(await arrived(rig.post(body, { to: slow }))).toBe(202);
  });
});
