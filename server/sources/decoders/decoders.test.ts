import fc from "fast-check";
import { compressSync } from "snappy";
import { describe, expect, it } from "vitest";
import { writeJson } from "@/server/domain/json";
import { type CsvSettings, csvSettings } from "@/server/domain/mapping/csv";
import { DECODERS } from "@/server/domain/mapping/mapping";
import { UnreadableError } from "./decoder";
import { DECODER_OF } from "./decoders";
import { many, one } from "./protobuf";
import { ARRIVED, deliveryOf, jsonOf, writeProtobuf } from "./testing";

const decode = (name: (typeof DECODERS)[number], ...delivery: Parameters<typeof deliveryOf>) =>
  DECODER_OF[name](deliveryOf(...delivery)).map((part) =>
    "error" in part ? `${part.path}: ${part.error}` : jsonOf(part),
  );

describe.each(DECODERS)("decoder %s", (name) => {
  it("makes parts of any bytes, or says why it can't", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.json().map((text) => new TextEncoder().encode(text)),
        ),
        (body) => {
          try {
            for (const part of DECODER_OF[name](deliveryOf(body, { topic: "spBv1.0/g/NDATA/n" })))
              expect(part).toHaveProperty("path");
          } catch (error) {
            expect(error).toBeInstanceOf(UnreadableError);
          }
        },
      ),
    );
  });
});

describe("JSON and lines of it", () => {
  it("reads any shape, a byte order mark before it, and numbers with their digits", () => {
    expect(decode("json", "\ufeff[1, {}]")).toEqual([[1, {}]]);
    const [part] = DECODER_OF.json(deliveryOf('{"a":12345678901234567890}'));
    expect(part && "value" in part && [...part.value.tokens.values()][0]!.get("a")).toBe("12345678901234567890");
  });

  it("says why it can't", () => {
    expect(() => decode("json", " ")).toThrow("it is empty");
    expect(() => decode("json", new Uint8Array([0xff]))).toThrow("it is not UTF-8 text");
    expect(() => decode("json", "[".repeat(100) + "]".repeat(100))).toThrow("it is not JSON: nested more than 32 deep");
  });

  it("refuses a bad line by its number and takes the others", () => {
    expect(decode("ndjson", '{"a":1}\r\n\n{"a":\n7')).toEqual([
      { a: 1 },
      expect.stringMatching(/^line 3: it is not JSON/),
      7,
    ]);
  });
});

describe("CSV", () => {
  const csv = (body: string, settings?: Partial<CsvSettings>) =>
    DECODER_OF.csv(deliveryOf(body), settings && { csv: csvSettings.parse(settings) }).map((part) =>
      "error" in part ? part.error : [part.path, jsonOf(part)],
    );

  it("is a flat object of texts a row, by the line it ends in", () => {
    expect(csv('\ufeffa,b\r\n1,"x\r\ny"\r\n\r\n,\r\n2\r\n')).toEqual([
      ["line 3", { a: "1", b: "x\r\ny" }],
      ["line 6", { a: "2" }],
    ]);
  });

  it("is laid out as its mapping says", () => {
    const rows = "station;hall\n# a comment\n1,5;7\n2,5;8\n";
    expect(csv(rows, { delimiter: ";", skip: 1, header: ["t", ""], comment: "#" })).toEqual([
      ["line 3", { t: "1,5" }],
      ["line 4", { t: "2,5" }],
    ]);
  });

  it("says why it can't", () => {
    expect(() => csv("a,a\n1,2\n")).toThrow('its header names "a" twice');
    expect(() => csv('a\n"1\n')).toThrow(/it cannot be read as CSV/);
    expect(() => csv("", {})).toThrow("it has no rows");
  });
});

describe("values without a tree", () => {
  it.each([
    ["21.5", 21.5],
    ["ON", "ON"],
    ["nan", "nan"],
    ["-Infinity", "-Infinity"],
    ['"22.4"', "22.4"],
    ["true", true],
    ["000012300007", "000012300007"],
    ["", ""],
    [" 7\n", 7],
    ['{"a":1}', { a: 1 }],
  ])("reads %s as one value", (text, value) => {
    expect(decode("text", text)).toEqual([value]);
  });

  it("reads forms, addresses and bytes", () => {
    expect(decode("form", "a=1&b=x+y%21&a=2&__proto__=z")).toEqual([
      Object.fromEntries([
        ["a", ["1", "2"]],
        ["b", "x y!"],
        ["__proto__", "z"],
      ]),
    ]);
    expect(decode("query", "", { query: { temp: "21.5" } })).toEqual([{ temp: "21.5" }]);
    expect(decode("binary", new Uint8Array([0, 255]))).toEqual([{ base64: "AP8=" }]);
  });
});

describe("SenML", () => {
  const senml = (records: unknown) => decode("senml", JSON.stringify(records));

  it("resolves base values and relative times (RFC 8428 §5.1)", () => {
    expect(senml([{ n: "urn:dev:ow:10e2073a01080063", u: "Cel", v: 23.1 }])).toEqual([
      { device: "urn:dev:ow:10e2073a01080063", unit: "Cel", readings: { value: 23.1 } },
    ]);
    expect(
      senml([
        { bn: "urn:dev:ow:10e2073a0108006:", bt: 1.276020076001e9, bu: "A", bver: 5, n: "voltage", u: "V", v: 120.1 },
        { n: "current", t: -5, v: 1.2 },
        { n: "current", t: 0, v: 1.7 },
        { bv: 0.25, n: "current", v: 2, ut: 3 },
      ]),
    ).toEqual([
      { device: "urn:dev:ow:10e2073a0108006", time: 1276020076.001, unit: "V", readings: { voltage: 120.1 } },
      { device: "urn:dev:ow:10e2073a0108006", time: 1276020071.001, unit: "A", readings: { current: 1.2 } },
      { device: "urn:dev:ow:10e2073a0108006", time: 1276020076.001, unit: "A", readings: { current: 1.7 } },
      {
        device: "urn:dev:ow:10e2073a0108006",
        time: 1276020076.001,
        unit: "A",
        readings: { current: 2.25 },
        other: { ut: 3 },
      },
    ]);
    expect(senml([{ bn: "d", n: "t", t: -10, v: 1 }])).toEqual([
      { device: "d", time: ARRIVED / 1000 - 10, readings: { t: 1 } },
    ]);
  });

  it("reads booleans, text, sums, and base records without a value", () => {
    expect(
      senml([{ bn: "d/" }, { n: "open", vb: false }, { n: "label", vs: "x" }, { n: "energy", s: 7, u: "J" }]),
    ).toEqual([
      { device: "d", readings: { open: false } },
      { device: "d", readings: { label: "x" } },
      { device: "d", unit: "J", readings: { "energy.sum": 7 } },
    ]);
  });

  it("adds base values up in decimal, as they were written", () => {
    const pack =
      '[{"bn":"d","bv":0.1,"n":"a","v":0.2},{"n":"b","v":-5e-1},{"bv":9007199254740993,"bs":0.7,"n":"c","v":2,"s":0.1},{"bv":0,"bs":1e308,"n":"e","s":1e308}]';
    const sums = DECODER_OF.senml(deliveryOf(pack)).map((part) =>
      "value" in part ? /"readings":(\{.*?\})/.exec(writeJson(part.value.json, part.value.tokens))![1] : part.error,
    );
    expect(sums).toEqual(['{"a":0.3}', '{"b":-0.4}', '{"c":9007199254740995,"c.sum":0.8}', '{"e.sum":null}']);
  });

  it("refuses by its place what it must not pass over", () => {
    expect(
      senml([{ n: "a", v: 1 }, { n: "a", v: 1, ext_: 2 }, { v: 1 }, { n: "a", v: "1" }, { n: "b", v: 2 }]),
    ).toEqual([
      { device: "a", readings: { value: 1 } },
      '1: "ext_" must be understood and isn\'t',
      "2: it has no name (n) and no base name (bn)",
      "3: v is no number",
      { device: "b", readings: { value: 2 } },
    ]);
    expect(() => senml({ n: "a", v: 1 })).toThrow("it is no array of SenML records");
  });
});

describe("Ruuvi", () => {
  const tag = (data: string) =>
    decode(
      "ruuvi",
      JSON.stringify({ data: { gw_mac: "AA:BB", tags: { "C8:25": { rssi: -70, timestamp: "1574082625", data } } } }),
    );
  const V5 = "02010611FF9904".replace("11FF", "1BFF");

  // Ruuvi's own test vectors of format 5 and 3 (docs.ruuvi.com).
  it.each([
    [
      "valid",
      "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F",
      {
        temperature: 24.3,
        humidity: 53.49,
        pressure: 100044,
        accelerationX: 4,
        accelerationY: -4,
        accelerationZ: 1036,
        batteryVoltage: 2977,
        txPower: 4,
        movementCounter: 66,
        measurementSequence: 205,
      },
    ],
    [
      "largest",
      "057FFFFFFEFFFE7FFF7FFF7FFFFFDEFEFFFECBB8334C884F",
      {
        temperature: 163.835,
        humidity: 163.835,
        pressure: 115534,
        accelerationX: 32767,
        accelerationY: 32767,
        accelerationZ: 32767,
        batteryVoltage: 3646,
        txPower: 20,
        movementCounter: 254,
        measurementSequence: 65534,
      },
    ],
    [
      "invalid",
      "058000FFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF",
      {
        temperature: null,
        humidity: null,
        pressure: null,
        accelerationX: null,
        accelerationY: null,
        accelerationZ: null,
        batteryVoltage: null,
        txPower: null,
        movementCounter: null,
        measurementSequence: null,
      },
    ],
  ])("reads format 5, %s", (_name, data, readings) => {
    expect(tag(V5 + data)).toMatchObject([
      { gateway: "AA:BB", tag: "C8:25", time: "1574082625", rssi: -70, format: 5, readings },
    ]);
  });

  it("reads format 3", () => {
    expect(tag("02010611FF990403291A1ECE1EFC18F94202CA0B53")).toMatchObject([
      {
        format: 3,
        readings: {
          temperature: 26.3,
          humidity: 20.5,
          pressure: 102766,
          accelerationX: -1000,
          accelerationY: -1726,
          accelerationZ: 714,
          batteryVoltage: 2899,
        },
      },
    ]);
    expect(tag("02010611FF9904030081450000000000000000000000".slice(0, 42))).toMatchObject([
      { readings: { temperature: -1.69 } },
    ]);
  });

  it("knows tags of others, cut data and formats it doesn't read", () => {
    expect(tag("02010603FF4C00")).toEqual([
      { gateway: "AA:BB", tag: "C8:25", time: "1574082625", rssi: -70, data: "02010603FF4C00" },
    ]);
    expect(tag("0201061BFF9904")).toEqual(["data.tags.C8:25: its advertisement is cut off"]);
    expect(tag("02010605FF990408AA")).toEqual([
      "data.tags.C8:25: Ruuvi's data format 8 is not known here; 3 and 5 are",
    ]);
    expect(tag("xx")).toEqual(['data.tags.C8:25: "data" is not in hexadecimal digits']);
  });
});

describe("CloudEvents", () => {
  const event = { specversion: "1.0", id: "1", source: "/sensors/tn-1", type: "t" };

  it("reads one, a batch, and binary mode", () => {
    expect(decode("cloudevents", JSON.stringify({ ...event, data: { a: 1 } }))).toEqual([{ ...event, data: { a: 1 } }]);
    expect(decode("cloudevents", JSON.stringify([event, 7]))).toEqual([
      event,
      '1: there is no "specversion": it is no CloudEvent',
    ]);
    const headers = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/K%C3%BCche", "content-length": "7" };
    expect(decode("cloudevents", '{"a":1}', { contentType: "application/json", headers })).toEqual([
      { specversion: "1.0", id: "1", source: "/Küche", data: { a: 1 } },
    ]);
  });

  it("reads JSON in base64, and keeps other bytes", () => {
    const packed = { ...event, data_base64: Buffer.from('{"a":1}').toString("base64") };
    expect(decode("cloudevents", JSON.stringify(packed))).toEqual([{ ...event, data: { a: 1 } }]);
    expect(
      decode("cloudevents", JSON.stringify({ ...event, datacontenttype: "image/png", data_base64: "AP8=" })),
    ).toEqual([{ ...event, datacontenttype: "image/png", data: { base64: "AP8=" } }]);
  });
});

describe("Prometheus remote-write", () => {
  const pair = () => ({ 1: one("name", "string"), 2: one("value", "string") });
  const TYPE = {
    1: many("timeseries", () => ({
      1: many("labels", pair),
      2: many("samples", () => ({ 1: one("value", "double"), 2: one("timestamp", "int64") })),
      3: many("exemplars", () => ({
        1: many("labels", pair),
        2: one("value", "double"),
        3: one("timestamp", "int64"),
      })),
      4: many("histograms", "bytes"),
    })),
  };
  const labels = (name: string, more: object = {}) =>
    Object.entries({ __name__: name, instance: "gw-1:9100", job: "node", ...more }).map(
      ([name, value]: [string, string]) => ({ name, value }),
    );
  const write = (timeseries: object[]) =>
    decode("remote-write", compressSync(Buffer.from(writeProtobuf({ timeseries }, TYPE))));

  it("puts the samples of one instance and time together, and tells stale ones without a reading", () => {
    expect(
      write([
        {
          labels: labels("node_load1"),
          samples: [
            { value: 0.5, timestamp: "1700000000123" },
            { value: 0.75, timestamp: "1700000015123" },
          ],
        },
        {
          labels: labels("node_cpu_seconds_total", { cpu: "0", mode: "idle" }),
          samples: [
            { value: 7, timestamp: "1700000000123" },
            { value: NaN, timestamp: "1700000015123" },
          ],
        },
      ]),
    ).toEqual([
      {
        device: "gw-1:9100",
        time: "1700000000123",
        readings: { node_load1: 0.5, "node_cpu_seconds_total.cpu_0.mode_idle": 7 },
      },
      {
        device: "gw-1:9100",
        time: "1700000015123",
        readings: { node_load1: 0.75 },
        other: { "node_cpu_seconds_total.cpu_0.mode_idle": "NaN" },
      },
    ]);
  });

  it("tells exemplars beside the readings, and refuses native histograms by name", () => {
    const trace = [{ name: "trace_id", value: "a1" }];
    const exemplars = [{ labels: trace, value: 2, timestamp: "1700000000123" }];
    const samples = [{ value: 3, timestamp: "1700000000123" }];
    expect(
      write([
        { labels: labels("hits_total"), samples, exemplars },
        { labels: labels("wait_seconds"), histograms: [new Uint8Array([8, 1])] },
      ]),
    ).toEqual([
      {
        ...{ device: "gw-1:9100", time: "1700000000123", readings: { hits_total: 3 } },
        other: { "hits_total.exemplar": { labels: trace, value: 2, timestamp: "1700000000123" } },
      },
      "#2 wait_seconds: native histograms can't be read: have Prometheus scrape classic ones, with buckets",
    ]);
  });

  it("refuses a block that says it is huge before it is unpacked", () => {
    expect(() => decode("remote-write", new Uint8Array([0x80, 0x80, 0x80, 0x80, 0x04, 0]))).toThrow(
      "larger than 16777216 bytes unpacked",
    );
    expect(() => decode("remote-write", "nonsense")).toThrow("it is not packed by snappy");
  });
});
