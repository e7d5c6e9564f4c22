import { describe, expect, test } from "vitest";
import { readJson } from "../json";
import { decodeMessage } from "../decode-message";
import { compileMapping } from "./compile";
import { type Beside, type Mapped, NOTHING_BESIDE } from "./delivery";
import { type MappingInput, mappingSchema, OWN_MAPPING } from "./mapping";

const ARRIVED = Date.parse("2026-11-28T12:00:00Z");
const BASE: MappingInput = { decode: "json", device: ["{id}"], readings: [{ root: "" }] };

function run(
  mapping: Partial<MappingInput>,
  payload: string | object,
  { arrived = ARRIVED, ...beside }: Partial<Beside> & { arrived?: number } = {},
): Mapped & { texts: string[]; rows: unknown[] } {
  const compiled = compileMapping(mappingSchema.parse({ ...BASE, ...mapping }), { explain: true });
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  const body = new TextEncoder().encode(text);
  const part = { value: readJson(text), path: "", beside: {} };
  const mapped = compiled([part], { body, arrived, beside: { ...NOTHING_BESIDE, ...beside } });
  const rows = mapped.messages.flatMap(({ device, time, readings }) =>
    readings.map(({ metric, value, unit }) => [device, new Date(time).toISOString(), metric, value, unit]),
  );
  return { ...mapped, rows, texts: mapped.messages.map(({ bytes }) => new TextDecoder().decode(bytes)) };
}

const T = "2026-11-28T12:00:00.000Z";

test("a TTN uplink", () => {
  const mapped = run(
    {
      when: [{ exists: "uplink_message" }],
      device: ["{end_device_ids.device_id}", "{end_device_ids.dev_eui}"],
      time: [
        { from: { path: "uplink_message.received_at" }, format: "rfc3339" },
        { from: { path: "received_at" }, format: "rfc3339" },
      ],
      readings: [{ root: "uplink_message.decoded_payload" }],
      units: [{ metric: "temperature", from: { unit: "°F" } }],
      labels: { application: "{end_device_ids.application_ids.application_id}" },
    },
    {
      end_device_ids: { device_id: "tank 1/ü", application_ids: { application_id: "tanks" } },
      received_at: "2026-11-28T10:00:00.999999999Z",
      uplink_message: {
        received_at: "2026-11-28T10:00:00.123456789Z",
        decoded_payload: { temperature: 70.2, level: { cm: "12.50", ok: true }, note: "x", gone: null },
      },
    },
  );
  expect(mapped.rows).toEqual([
    ["tank-1._C3_BC", "2026-11-28T10:00:00.123Z", "temperature", 21.222222222222, "°C"],
    ["tank-1._C3_BC", "2026-11-28T10:00:00.123Z", "level.cm", 12.5, null],
    ["tank-1._C3_BC", "2026-11-28T10:00:00.123Z", "level.ok", true, null],
    ["tank-1._C3_BC", "2026-11-28T10:00:00.123Z", "note", "x", null],
  ]);
  expect(mapped.texts).toEqual([
    '{"device":"tank-1._C3_BC","time":"2026-11-28T10:00:00.123Z","readings":{"temperature":21.222222222222,"level.cm":12.5,"level.ok":true,"note":"x"},"units":{"temperature":"°C"},"labels":{"application":"tanks","name":"tank 1/ü"}}',
  ]);
  expect(mapped.leaves).toEqual([
    { path: "end_device_ids.device_id", as: "device", why: "" },
    { path: "end_device_ids.application_ids.application_id", as: "label", why: "" },
    { path: "received_at", as: "ignored", why: "outside" },
    { path: "uplink_message.received_at", as: "time", why: "" },
    { path: "uplink_message.decoded_payload.temperature", as: "reading", why: "temperature" },
    { path: "uplink_message.decoded_payload.level.cm", as: "reading", why: "level.cm" },
    { path: "uplink_message.decoded_payload.level.ok", as: "reading", why: "level.ok" },
    { path: "uplink_message.decoded_payload.note", as: "reading", why: "note" },
    { path: "uplink_message.decoded_payload.gone", as: "ignored", why: "null" },
  ]);
});

test("what a condition doesn't let through is ignored whole, and counted", () => {
  const mapped = run(
    { when: [{ value: "{query.event}", equals: ["up"] }] },
    { id: "a", t: 1 },
    { query: { event: "join" } },
  );
  expect(mapped).toMatchObject({ messages: [], refused: [], ignored: new Map([["when", 1]]) });
  expect(mapped.leaves!.map(({ as, why }) => [as, why])).toEqual([
    ["ignored", "when"],
    ["ignored", "when"],
  ]);
});

describe("conditions", () => {
  test.each([
    [{ topic: "tele/+/SENSOR" }, "tele/a/SENSOR", true],
    [{ topic: "tele/+/SENSOR" }, "tele/a/b/SENSOR", false],
    [{ topic: "tele/#" }, "tele/a/b", true],
    [{ topic: "tele/#" }, "tele", true],
    [{ topic: "tele/#" }, "stat/a", false],
    [{ exists: "n" }, "x", true],
    [{ exists: "q" }, "x", false],
    [{ missing: "q" }, "x", true],
    [{ value: "{topic.0}", differs: ["bridge"] }, "bridge/x", false],
    [{ value: "{n}", equals: [1] }, "x", true],
    [{ value: "{q}", equals: [null] }, "x", true],
    [{ value: "{q}", differs: [null] }, "x", false],
  ])("%j of topic %s: %s", (condition, topic, holds) => {
    expect(run({ when: [condition] }, { id: "a", n: 1 }, { topic }).messages.length).toBe(holds ? 1 : 0);
  });
});

test("elements of a list and keys of an object have devices of their own, whole payloads among them", () => {
  const each = { path: "metrics", of: "array", optional: true } as const;
  const mapping = { each, device: ["{tags.host}"], readings: [{ root: "fields" }] };
  const one = (host: string, value: number) => ({ tags: { host }, fields: { value } });
  expect(run(mapping, { metrics: [one("a", 1), one("b", 2)] }).rows).toEqual([
    ["a", T, "value", 1, null],
    ["b", T, "value", 2, null],
  ]);
  expect(run(mapping, one("c", 3)).rows).toEqual([["c", T, "value", 3, null]]);
  const keyed = { each: { path: "", of: "object" } as const, device: ["{@key}"], readings: [{ root: "" }] };
  expect(run(keyed, { "Dev A": { t: 1 }, b: { t: 2 } }).rows).toEqual([
    ["Dev-A", T, "t", 1, null],
    ["b", T, "t", 2, null],
  ]);
});

test("one element that is refused costs no other", () => {
  const mapped = run(
    { each: { path: "", of: "array" }, time: [{ from: { path: "ts" }, format: "ms" }], readings: [{ root: "values" }] },
    [{ id: "a", ts: "soon", values: { t: 1 } }, { id: "b", ts: 1795831391550, values: { t: 2 } }, { values: { t: 3 } }],
  );
  expect(mapped.rows).toEqual([["b", "2026-11-28T02:03:11.550Z", "t", 2, null]]);
  expect(mapped.refused).toEqual([
    { path: "0", reason: "badTime", detail: '"soon" is no number of a time since 1970' },
    { path: "2", reason: "noDevice", detail: "there is no {id}" },
  ]);
});

test("values: numeric texts, words for true and false, enumerations, sentinels", () => {
  const mapped = run(
    {
      values: {
        booleans: [{ metric: "*", true: ["on", "open"], false: ["off", "closed"] }],
        enums: [{ metric: "mode", values: { auto: 1, manual: 2 } }],
      },
      absent: [
        { metric: "t*", values: [-127, 327.67, "nan"] },
        { metric: "*", values: ["unavailable"] },
      ],
    },
    '{"id":"a","b":"100.00","plug":"ON","door":"Closed","mode":"manual","t1":-127,"t2":"327.67","t3":"nan","t4":-128,"x":"unavailable","code":"000012300007","big":12345678901234567890,"text":"12345678901234567890","sci":"1.5E3","empty":""}',
  );
  expect(mapped.rows.map((row) => (row as unknown[]).slice(2, 4))).toEqual([
    ["b", 100],
    ["plug", true],
    ["door", false],
    ["mode", 2],
    ["t4", -128],
    ["code", "000012300007"],
    ["big", 12345678901234567000],
    ["text", 12345678901234567000],
    ["sci", 1500],
  ]);
  expect(mapped.texts[0]).toContain('"big":12345678901234567890,"text":12345678901234567890');
  expect(mapped.ignored).toEqual(
    new Map([
      ["absent", 4],
      ["empty", 1],
    ]),
  );
});

test("lists by index, dropped, or as history with times of their own", () => {
  const payload = { id: "a", p: [1, 2], history: [{ ts: 1795831391, t: 1 }, { ts: 1795831392, t: 2 }, { t: 3 }], t: 9 };
  expect(run({ readings: [{ root: "", exclude: ["history.*"] }] }, payload).rows).toEqual([
    ["a", T, "p.0", 1, null],
    ["a", T, "p.1", 2, null],
    ["a", T, "t", 9, null],
  ]);
  expect(run({ readings: [{ root: "", arrays: "drop" }] }, payload).rows).toEqual([["a", T, "t", 9, null]]);
  const historyTime = { path: "ts", format: "s" } as const;
  const mapped = run({ readings: [{ root: "", arrays: "history", historyTime, exclude: ["p*"] }] }, payload);
  expect(mapped.rows).toEqual([
    ["a", "2026-11-28T02:03:11.000Z", "t", 1, null],
    ["a", "2026-11-28T02:03:12.000Z", "t", 2, null],
    ["a", T, "t", 9, null],
  ]);
  expect(mapped.refused.map(({ path, reason }) => [path, reason])).toEqual([
    ["p.0", "noTime"],
    ["p.1", "noTime"],
    ["history.2", "noTime"],
  ]);
  expect(mapped.leaves!.find(({ path }) => path === "history.0.ts")).toMatchObject({ as: "time" });
});

test("names: included, excluded, renamed, with a prefix, and made legal", () => {
  expect(
    run(
      {
        readings: [{ root: "", prefix: "{topic.1}.", include: ["E.*", "CO(GT)"], exclude: ["*Total"] }],
        rename: [{ from: "*.E.*", to: "{*2}" }],
      },
      { id: "a", E: { Power: 1, Total: 2 }, "CO(GT)": 3, other: 4 },
      { topic: "tele/x" },
    ).rows,
  ).toEqual([
    ["a", T, "Power", 1, null],
    ["a", T, "x.CO_28GT_29", 3, null],
  ]);
});

test("two values of one name: the second is refused by name", () => {
  const mapped = run({ rename: [{ from: "*", to: "t" }] }, { id: "a", x: 1, y: 2 });
  expect(mapped.rows).toEqual([["a", T, "t", 1, null]]);
  expect(mapped.refused).toMatchObject([{ path: "y", reason: "badName" }]);
});

test("a single value, its metric's name from the topic, its unit from there too", () => {
  const mapped = run(
    {
      device: ["{topic.0}"],
      readings: [{ root: "", name: "{topic.2}" }],
      units: [{ metric: "temp", from: { unit: "F" } }],
    },
    "212",
    { topic: "esp/sensor/temp/state" },
  );
  expect(mapped.rows).toEqual([["esp", T, "temp", 100, "°C"]]);
  expect(mapped.leaves).toEqual([{ path: "", as: "reading", why: "temp" }]);
});

test("units: converted by the table, where a part says them, or kept as they are written", () => {
  const mapped = run(
    {
      units: [
        { metric: "volts", from: { unit: "mV" } },
        { metric: "p", from: { path: "unit" } },
        { metric: "odd", from: { unit: "furlongs" } },
        { metric: "t", from: { unit: "C" } },
      ],
    },
    '{"id":"a","volts":3005,"p":29.92,"unit":"inHg","odd":7,"t":21.50000000000000000001}',
  );
  expect(mapped.rows.map((row) => (row as unknown[]).slice(2))).toEqual([
    ["volts", 3.005, "V"],
    ["p", 1013.20453696, "hPa"],
    ["odd", 7, "furlongs"],
    ["t", 21.5, "°C"],
  ]);
  expect(mapped.texts[0]).toContain('"t":21.50000000000000000001');
  expect(mapped.leaves!.find(({ path }) => path === "unit")).toMatchObject({ as: "unit" });
});

test("more readings than a message takes become several, of one device and time", () => {
  const values = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`m${i}`, i]));
  const mapped = run({}, { id: "a", ...values });
  expect(mapped.messages.map(({ readings }) => readings.length)).toEqual([64, 64, 22]);
  const long = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`m${i}`, "ü".repeat(9000)]));
  for (const { bytes } of run({}, { id: "a", ...long }).messages) expect(bytes.length).toBeLessThanOrEqual(65536);
});

test("parts of one device and time become one message", () => {
  const each = { path: "", of: "array" } as const;
  const mapping = { each, readings: [{ root: "v", name: "{n}" }] };
  const mapped = run(mapping, [
    { id: "a", n: "x", v: 1 },
    { id: "b", n: "x", v: 2 },
    { id: "a", n: "y", v: 3 },
    { id: "a", n: "x", v: 4 },
  ]);
  expect(
    mapped.messages.map(({ device, readings }) => [device, readings.map(({ metric, value }) => [metric, value])]),
  ).toEqual([
    [
      "a",
      [
        ["x", 1],
        ["y", 3],
      ],
    ],
    ["b", [["x", 2]]],
    ["a", [["x", 4]]],
  ]);
});

test("a retained message without a time of its own is state; with one it is readings", () => {
  const time = [{ from: { path: "ts" }, format: "s" as const }];
  expect(run({ time }, { id: "a", t: 1 }, { retained: true }).texts).toEqual([
    `{"device":"a","time":"${T}","state":{"t":1}}`,
  ]);
  expect(run({ time }, { id: "a", t: 1, ts: 1795831391 }, { retained: true }).messages[0]!.isState).toBe(false);
});

test("nothing to read is refused; nothing left of it is counted", () => {
  expect(run({ readings: [{ root: "a.b" }] }, { id: "a" }).refused).toMatchObject([
    { path: "", reason: "noReadings", detail: "there is no a.b" },
  ]);
  expect(run({}, { id: "a", t: null })).toMatchObject({
    refused: [],
    messages: [],
    ignored: new Map([
      ["null", 1],
      ["noValues", 1],
    ]),
  });
});

test("several rules: a later one takes what an earlier one leaves out, and nothing twice", () => {
  const readings = [
    { root: "", include: ["a.*"], prefix: "first." },
    { root: "", include: ["*"] },
  ];
  const mapped = run({ readings }, { id: "a", a: { x: 1 }, b: 2 });
  expect(mapped.rows.map((row) => (row as unknown[])[2])).toEqual(["first.a.x", "b"]);
  expect(mapped.ignored).toEqual(new Map());
});

test("what names the device, the time or a unit is left out by no rule; what might have, and did not, is", () => {
  const mapping = { device: ["{id}", "{mac}"], units: [{ metric: "*", from: { path: "unit" } }] };
  const { ignored } = run(mapping, { id: "a", mac: "b", ts: 1795831391, unit: "°C", t: 1 });
  expect(ignored.get("unused")).toBe(1);
});

test("messages are what the worker reads", () => {
  const mapped = run({ absent: [] }, { id: "a b", t: 1.5, on: true, note: 'x"\\' });
  for (const { bytes, time, device } of mapped.messages)
    expect(decodeMessage(bytes, { now: ARRIVED, futureToleranceMs: 0, retentionMs: null })).toMatchObject({
      ok: true,
      message: {
        device,
        eventTime: time,
        shape: { names: ["t", "on"], kinds: ["number", "boolean"] },
        values: [1.5, 1],
        texts: [["note", 'x"\\']],
        refused: [],
      },
    });
});

test("a broken part is refused by its name", () => {
  const compiled = compileMapping(mappingSchema.parse(BASE));
  const delivery = { body: new Uint8Array(), arrived: ARRIVED, beside: NOTHING_BESIDE };
  const good = { value: readJson('{"id":"a","t":1,"x":{}}'), path: "line 2", beside: {} };
  const mapped = compiled([{ path: "line 1", error: "is no line" }, good], delivery);
  expect(mapped.refused).toEqual([{ path: "line 1", reason: "unreadable", detail: "is no line" }]);
  expect(mapped.messages[0]!.readings[0]!.path).toBe("line 2: t");
});

test("a time of any kind is read by its size, and text by RFC 3339", () => {
  const time = [{ from: { path: "t" }, format: "any" as const }];
  const at = (t: unknown) => run({ time }, { id: "d", t, x: 1 }).messages[0]?.time;
  const moment = Date.parse("2026-11-28T12:00:00.250Z");
  for (const t of [moment / 1000, moment, moment * 1000, String(moment), "1795867200.25", `${moment}123456`])
    expect(at(t), String(t)).toBe(moment);
  expect(at("2026-11-28T13:00:00.25+01:00")).toBe(moment);
  expect(at("yesterday")).toBeUndefined();
});

test("levels of a topic are counted from either end, and taken with all that follow", () => {
  const device = ["{topic.1+}/{topic.-1}/{topic.x}", "{topic.1+}/{topic.-2}"];
  const { messages } = run({ device }, { x: 1 }, { topic: "base/a/b/c" });
  expect(messages[0]?.device).toBe("a.b.c.b");
});

test("a unit may hold only where something else is there", () => {
  const units = [
    { metric: "voltage", where: "battery", from: { unit: "mV" } },
    { metric: "voltage", from: { unit: "V" } },
  ];
  expect(run({ units }, { id: "d", voltage: 3005, battery: 90 }).rows).toContainEqual(["d", T, "voltage", 3.005, "V"]);
  expect(run({ units }, { id: "d", voltage: 230 }).rows).toEqual([["d", T, "voltage", 230, "V"]]);
});

test("a device, and a rule of readings, may hold only for some parts", () => {
  const status = { value: "{topic.-2}", equals: ["status"] };
  const mapping: Partial<MappingInput> = {
    device: [
      { none: "publish to x/<device>/status/…", when: [{ value: "{topic.1}", equals: ["me"] }] },
      { name: "{topic.0:-3}", when: [status] },
      "{id}",
    ],
    readings: [
      { root: "params" },
      { root: "", when: [{ anyOf: [status, { exists: "bare" }] }], prefix: "{topic.-1}." },
    ],
  };
  expect(run(mapping, { tC: 21.4 }, { topic: "x/a/status/t:0" }).rows).toEqual([["x.a", T, "t:0.tC", 21.4, null]]);
  expect(run(mapping, { id: "b", params: { x: 1 } }, { topic: "x/y" }).rows).toEqual([["b", T, "x", 1, null]]);
  expect(run(mapping, { tC: 1 }, { topic: "x/me/status/t:0" }).refused).toEqual([
    { path: "", reason: "noDevice", detail: "publish to x/<device>/status/…" },
  ]);
});

describe("Fieldwatch's own shape", () => {
  const run = (labels: Record<string, string>, text: string) => {
    const compiled = compileMapping(mappingSchema.parse(OWN_MAPPING), { labels });
    const delivery = { body: new Uint8Array(), arrived: ARRIVED, beside: NOTHING_BESIDE };
    const { messages, refused } = compiled([{ value: readJson(text), path: "", beside: {} }], delivery);
    return [...messages.map(({ bytes }) => new TextDecoder().decode(bytes)), ...refused.map(({ path }) => path)];
  };
  const message = `{"device":"d","time":"${T}","readings":{"x":12345678901234567890,"y":NaN},"labels":{"room":"own"},"site":null}`;

  test("goes on as it is, with the labels of its source where it says none", () => {
    expect(run({}, message)).toEqual([message]);
    expect(run({ room: "all", hall: "2", site: "north", type: "press" }, message)).toEqual([
      message
        .replace('{"room":"own"}', '{"room":"own","hall":"2"}')
        .replace('"site":null', '"site":"north","type":"press"'),
    ]);
    expect(run({ room: "all" }, message.replace('{"room":"own"}', '"no labels"'))[0]).toContain('"labels":"no labels"');
  });

  test("refuses what the telemetry route refuses, by its place in a list", () => {
    expect(run({}, `[${message},7,{"device":"d","time":"${T}","readings":{}},[${message}]]`)).toEqual([
      message,
      ...["1", "2", "3"],
    ]);
  });

  test("has no rules of its own", () => {
    const { success, error } = mappingSchema.safeParse({ ...OWN_MAPPING, absent: [{ metric: "*", values: [0] }] });
    expect([success, error?.issues[0]?.path]).toEqual([false, ["absent"]]);
  });
});

test("a path with a dot too many is refused, in a template too; an empty key is written", () => {
  const of = (more: object) => mappingSchema.safeParse({ ...OWN_MAPPING, decode: "json", ...more });
  const told = (more: object) => of(more).error?.issues.map(({ path, message }) => [path.join("."), message]);
  const words = String.raw`has a dot without a key before or behind it; an empty key is written \e`;
  for (const root of ["a.", ".a", "a..b", ".", String.raw`a\\.`])
    expect([root, told({ readings: [{ root }] })]).toEqual([root, [["readings.0.root", words]]]);
  for (const root of ["", "a.b", String.raw`a\.`, String.raw`a.\e`, String.raw`a\\.b`])
    expect([root, told({ readings: [{ root }] })]).toEqual([root, undefined]);
  expect(
    told({ readings: [{ root: "", prefix: "{meta.}" }] })
      ?.flat()
      .join(),
  ).toContain("in {meta.}; an empty key");
  expect(told({ device: ["a.{id}."] })).toBeUndefined();
});

test("names that are told apart: no two that a sender has become one, of devices or of metrics", () => {
  const named = [
    "a/b",
    "a.b",
    "a b",
    "a-b",
    "ü",
    "_C3_BC",
    "_xC3_xBC",
    "a_x2Fb",
    "a_x5Fx2Fb",
    "p_95",
    "_x2",
    "__x2F",
    "_/",
  ];
  const mapping: Partial<MappingInput> = { names: "distinct", readings: [{ root: "v", depth: 0 }] };
  const metrics = run(mapping, { id: "d", v: Object.fromEntries(named.map((name, i) => [name, i])) });
  const made = metrics.messages[0]!.readings.map(({ metric }) => metric);
  expect([new Set(made).size, metrics.refused]).toEqual([named.length, []]);
  expect(made.slice(0, 5)).toEqual(["a_x2Fb", "a.b", "a_x20b", "a-b", "_xC3_xBC"]);
  expect(made).toContain("p_95");
  const devices = named.map((id) => run(mapping, { id, v: { x: 1 } }).messages[0]!.device);
  expect(devices).toEqual(made);
  expect(run(mapping, { id: "a/b", v: { x: 1 } }).texts[0]).toContain('"labels":{"name":"a/b"}');
});

test("what comes more than once in its object is refused where it would be a reading, and the rest is taken", () => {
  const payload = `{"id":"d","a":1,"a":2,"b":3,"n":4,"n":null,"sub":{"x":1},"sub":{"x":2},"list":[{},{"y":1,"y":2}],"rssi":1,"rssi":2}`;
  const mapped = run({ readings: [{ root: "", exclude: ["rssi"] }] }, payload);
  expect(mapped.rows).toEqual([["d", T, "b", 3, null]]);
  expect(mapped.refused.map(({ path, reason, detail }) => [path, reason, detail])).toEqual([
    ["a", "badValue", '"a" is there more than once'],
    ["n", "badValue", '"n" is there more than once'],
    ["sub", "badValue", '"sub" is there more than once'],
    ["list.1.y", "badValue", '"y" is there more than once'],
  ]);
});

test("a device or a time that comes more than once, itself or what it is in, is refused by name", () => {
  const mapping = { device: ["{meta.id}"], time: [{ from: { path: "at" }, format: "any" as const }] };
  const refusedOf = (payload: string) => run(mapping, payload).refused.map(({ reason, detail }) => [reason, detail]);
  expect(refusedOf(`{"meta":{"id":"d"},"at":"${T}","a":1}`)).toEqual([]);
  const of = (reason: string, name: string) => [[reason, `"${name}" is there more than once`]];
  expect(refusedOf(`{"meta":{"id":"d","id":"e"},"at":"${T}","a":1}`)).toEqual(of("badDevice", "id"));
  expect(refusedOf(`{"meta":{"id":"d"},"meta":{"id":"e"},"at":"${T}","a":1}`)).toEqual(of("badDevice", "meta"));
  expect(refusedOf(`{"meta":{"id":"d"},"at":"${T}","at":1795773600,"a":1}`)).toEqual(of("badTime", "at"));
});

test("a reading below what comes more than once is refused, whichever path leads to it", () => {
  const mapped = run({ readings: [{ root: "a.b" }] }, `{"id":"d","a":{"b":{"x":1}},"a":{"b":{"x":2}}}`);
  expect([mapped.rows, mapped.refused.map(({ detail }) => detail)]).toEqual([[], ['"a" is there more than once']]);
});

test("a reading of Fieldwatch's own shape that comes more than once is refused, and the rest goes on", () => {
  const message = (readings: string) => `{"device":"d","time":"${T}","readings":{${readings}}}`;
  const { texts, refused } = run(OWN_MAPPING, `[${message('"a":1,"a":2,"b":3')},${message('"a":4')}]`);
  expect(texts).toEqual([message('"b":3'), message('"a":4')]);
  expect(refused).toEqual([{ path: "0.readings.a", reason: "badValue", detail: '"a" is there more than once' }]);
  const state = run(OWN_MAPPING, `{"device":"d","time":"${T}","state":{"on":true,"on":false,"mode":"eco"}}`);
  expect(state.texts).toEqual([`{"device":"d","time":"${T}","state":{"mode":"eco"}}`]);
  expect(state.refused.map(({ path }) => path)).toEqual(["state.on"]);
});
