import { gzipSync } from "node:zlib";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { beforeAll, describe, expect, test } from "vitest";
import type { Caller } from "@/server/domain/access";
import type { SourceKind } from "@/server/domain/source";
import { IngestRefusedError } from "@/server/ingest/refused";
import { LogUnavailableError } from "@/server/ports/event-log";
import { MOST_KEPT_BYTES } from "@/server/sources/intake";
import { KNOWN_SENDERS } from "@/server/sources/templates/templates";
import { createApiRig } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";
import type { Api } from "../runtime";

const rig = createApiRig();
const ids = new Map<string, number>();
const keyOf = (name: string): Caller => ({
  ...{ kind: "key", keyId: name, name, of: "source", siteId: null, device: null, grants: [] },
  sourceId: ids.get(name)!,
});
/** Takes the key's text as the name of its source. */
const callerOf = async (request: Request): Promise<Caller> => {
  const [, , key = request.headers.get("x-api-key")] =
    /^(\w+) (\S+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
  return key !== null && ids.has(key) ? keyOf(key) : { kind: "nobody", why: "There is no such key." };
};
const EDITOR: Caller = {
  ...{ kind: "key", keyId: "editor", name: "editor", of: "service", siteId: null, device: null },
  grants: [{ role: "editor", siteId: null }],
};
let api: Api;
beforeAll(async () => {
  const add = (name: string, kind: SourceKind, answer: string) =>
    rig.compose({ caller: EDITOR }).handle(
      "addSource",
      new Request("http://here/", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name, kind, answer }),
      }),
      {},
    );
  for (const [name, kind, answer] of [
    ["lines", "influx", "strict"],
    ["hook", "influx", "webhook"],
    ["otel", "otlp", "strict"],
    ["prom", "prometheus", "strict"],
  ] as const)
    expect((await add(name, kind, answer)).status).toBe(200);
  const { rows } = await rig.owner.query<{ id: number; name: string }>(`SELECT id, name FROM source`);
  for (const { id, name } of rows) ids.set(name, id);
  api = rig.compose({ callerOf });
});

interface Sent {
  readonly body?: string | Uint8Array;
  readonly headers?: Record<string, string>;
  readonly key?: string | null;
  readonly method?: string;
  readonly to?: Api;
}

function send(
  path: string,
  { body, headers = {}, key = "lines", method = "POST", to = api }: Sent = {},
): Promise<Response> {
  const authorization: Record<string, string> = key === null ? {} : { authorization: `Token ${key}` };
  return to.receive(
    new Request(`http://here${path}`, {
      method,
      headers: { ...authorization, ...headers },
      body: (body as BodyInit) ?? null,
    }),
  );
}

async function stored(device: string): Promise<unknown[]> {
  const { rows } = await rig.owner.query<{ metric: string; value: unknown }>(
    `SELECT metric, value FROM reading WHERE device = $1 ORDER BY metric`,
    [device],
  );
  return rows.map(({ metric, value }) => [metric, value]);
}

const now = Math.floor(Date.now() / 1000) - 60;

describe("InfluxDB's write", () => {
  test("takes lines of either version, packed or not, with the precision of the address", async () => {
    const v2 = await send("/api/v2/write?bucket=b&org=o&precision=ns", {
      body: gzipSync(`weather,device=v2 temp=21.5,hum=40i ${now}000000000\n`),
      headers: { "content-encoding": "gzip", "content-type": "text/plain; charset=utf-8" },
    });
    expect([v2.status, await v2.text()]).toEqual([204, ""]);
    const v1 = await send("/write?db=d&precision=s&u=me&p=lines", {
      body: `weather,device=v1 temp=20 ${now}`,
      key: null,
    });
    expect(v1.status).toBe(204);
    await until(async () => (await stored("v1")).length === 1 && (await stored("v2")).length === 2);
    expect(await stored("v2")).toEqual([
      ["weather.hum", 40],
      ["weather.temp", 21.5],
    ]);
  });

  test("names the line that wasn't taken, and takes the others", async () => {
    const body = `m,device=part a=1 ${now}\nm,device=part a=\nm,device=part b=2 ${now}`;
    const v2 = await send("/api/v2/write?precision=s", { body });
    const words = 'partial write: line 2: field "a": "" is neither a number, true or false, nor text in quotes';
    expect([v2.status, await v2.json()]).toEqual([400, { code: "invalid", message: words }]);
    const v1 = await send("/write?precision=s", { body });
    expect([v1.status, await v1.json(), v1.headers.get("x-influxdb-error")]).toEqual([400, { error: words }, words]);
    await until(async () => (await stored("part")).length === 2);
    const hook = await send("/api/v2/write?precision=s", { body, key: "hook" });
    expect(hook.status).toBe(204);
  });

  test("says who may, and what it takes", async () => {
    const told = async (sent: Sent, path = "/api/v2/write") => {
      const answer = await send(path, { body: "a x=1", ...sent });
      return [answer.status, ((await answer.json()) as { message?: string; error?: string }).message ?? ""];
    };
    expect(await told({ key: null })).toEqual([401, "There is no such key."]);
    expect(await told({ key: "wrong" })).toEqual([401, "There is no such key."]);
    expect(await told({ key: "otel" })).toEqual([
      400,
      "The source otel reads otlp, and this address takes influx: use a key of a source of that kind.",
    ]);
    expect((await told({ body: "x".repeat(rig.config.ingest.INGEST_MAX_BODY_BYTES + 1) }))[0]).toBe(413);
    expect((await told({ body: "a x=1 1" }, "/api/v2/write?precision=days"))[0]).toBe(400);
  });

  test("tells a sender of too many lines to send fewer, by a status that clients split at", async () => {
    const lines = (count: number, timeOf: (i: number) => number) =>
      Array.from({ length: count }, (_, i) => `m,device=many a=${i} ${timeOf(i)}`).join("\n");
    const fewer = "The body is too large: it has more than 50000 parts (lines, records or points); send fewer at once.";
    const v2 = await send("/api/v2/write?precision=s", { body: lines(50_001, () => now) });
    expect([v2.status, await v2.json()]).toEqual([413, { code: "request too large", message: fewer }]);
    const v1 = await send("/write?precision=s", { body: lines(50_001, () => now) });
    expect([v1.status, await v1.json()]).toEqual([413, { error: fewer }]);
    expect((await send("/write?precision=s", { body: lines(10_001, (i) => now - i) })).status).toBe(413);
    expect(await stored("many")).toEqual([]);
  });

  test("tells a sender of more than can be kept whole to send fewer", async () => {
    const body = Array.from({ length: 20_000 }, (_, i) => `m,device=much a=${i},b=${i},c=${i} ${now - i}`).join("\n");
    expect(body.length).toBeGreaterThan(MOST_KEPT_BYTES);
    expect((await send("/write?precision=s", { body, key: "hook" })).status).toBe(413);
    expect(await stored("much")).toEqual([]);
  });

  test("asks for patience while the log is away", async () => {
    const away = rig.compose({ callerOf, append: () => Promise.reject(new LogUnavailableError("away")) });
    for (const path of ["/api/v2/write", "/write"]) {
      const answer = await send(path, { body: "a,device=d x=1", to: away });
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "2"]);
    }
  });

  test("answers what clients of version 1 ask before", async () => {
    expect([
      (await send("/ping", { method: "GET", key: null })).status,
      (await send("/ping", { method: "HEAD" })).status,
    ]).toEqual([204, 204]);
    const query = await send("/query?q=CREATE+DATABASE+%22telegraf%22", { key: null });
    expect([query.status, await query.json()]).toEqual([200, { results: [{ statement_id: 0 }] }]);
  });
});

describe("OTLP over HTTP", () => {
  const point = (device: string, asDouble: unknown, unit = "Cel") => ({
    resource: { attributes: device === "" ? [] : [{ key: "device.id", value: { stringValue: device } }] },
    scopeMetrics: [
      { metrics: [{ name: "heat", unit, gauge: { dataPoints: [{ timeUnixNano: `${now}000000000`, asDouble }] } }] },
    ],
  });
  const post = (resourceMetrics: object[]) =>
    send("/v1/metrics", {
      key: "otel",
      body: gzipSync(JSON.stringify({ resourceMetrics })),
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
    });

  test("takes metrics in JSON and protobuf, and answers in kind", async () => {
    const json = await post([point("oven", 180.5)]);
    expect([json.status, json.headers.get("content-type"), await json.json()]).toEqual([200, "application/json", {}]);
    const { body, contentType } = protobufSample();
    const protobuf = await send("/v1/metrics", { key: "otel", body, headers: { "content-type": contentType } });
    expect([protobuf.status, (await protobuf.arrayBuffer()).byteLength]).toEqual([200, 0]);
    await until(async () => (await stored("oven")).length === 1);
    expect(await stored("oven")).toEqual([["heat", 180.5]]);
  });

  test("tells what it didn't take as a partial success, and of nothing taken that it was bad", async () => {
    const far = {
      ...point("grill", 1),
      scopeMetrics: [
        { metrics: [{ name: "late", gauge: { dataPoints: [{ timeUnixNano: "9999999999000000000", asDouble: 1 }] } }] },
      ],
    };
    const partial = await post([point("grill", 90), far]);
    expect([partial.status, await partial.json()]).toEqual([
      200,
      {
        partialSuccess: {
          rejectedDataPoints: "1",
          errorMessage: expect.stringContaining("ahead of the clock") as string,
        },
      },
    ]);
    const bad = await post([far]);
    expect([bad.status, await bad.json()]).toMatchObject([400, { code: 3 }]);
    const broken = await send("/v1/metrics", {
      key: "otel",
      body: "\u0007no",
      headers: { "content-type": "application/x-protobuf" },
    });
    const reader = new BinaryReader(new Uint8Array(await broken.arrayBuffer()));
    expect([broken.status, reader.tag()[0], reader.int32(), reader.tag()[0], reader.string()]).toEqual([
      ...[400, 1, 3, 2, expect.stringContaining("not protobuf of this kind")],
    ]);
  });
});

describe("Prometheus' remote-write", () => {
  test("takes what is packed by snappy", async () => {
    const { body, encoding } = KNOWN_SENDERS.templates.find(({ kind }) => kind === "prometheus")!.sample;
    const headers = { "content-type": "application/x-protobuf", "content-encoding": "snappy" };
    const answer = await send("/api/v1/prom/write", {
      key: "prom",
      body: Buffer.from(body, encoding as "base64"),
      headers,
    });
    expect([answer.status, await answer.text()]).toEqual([204, ""]);
    await until(async () => (await stored("gw-1:9100")).length === 2);
  });

  test("is told of too much by a status after which Prometheus sends it again", async () => {
    const { body, encoding } = KNOWN_SENDERS.templates.find(({ kind }) => kind === "prometheus")!.sample;
    const tooFast = () => Promise.reject(new IngestRefusedError("too-fast", "Too much.", { retryAfterSeconds: 3 }));
    const answer = await send("/api/v1/prom/write", {
      key: "prom",
      body: Buffer.from(body, encoding as "base64"),
      headers: { "content-type": "application/x-protobuf", "content-encoding": "snappy" },
      to: rig.compose({ callerOf, append: tooFast }),
    });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "3"]);
  });

  test("refuses version 2.0, of which nothing could be read, and says what to set", async () => {
    const answer = await send("/api/v1/prom/write", {
      key: "prom",
      body: Buffer.from([2, 4, 0x22, 0]),
      headers: {
        "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        "content-encoding": "snappy",
      },
    });
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining("set protobuf_message: prometheus.WriteRequest"),
    ]);
  });
});

/** An empty request of OTLP in protobuf, which exporters send too. */
function protobufSample() {
  return { body: new Uint8Array(), contentType: "application/x-protobuf" };
}
