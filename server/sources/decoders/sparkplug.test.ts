import { describe, expect, it } from "vitest";
import { writeJson } from "@/server/domain/json";
import { decodeSparkplug, decodeSparkplugAlone } from "./sparkplug";
import { PAYLOAD } from "./sparkplug-types";
import { deliveryOf, jsonOf, writeProtobuf } from "./testing";

const TIME = "1486144502122";
const send = (type: string, payload: object, births: Parameters<typeof decodeSparkplug>[1] = []) =>
  decodeSparkplug(deliveryOf(writeProtobuf(payload, PAYLOAD), { topic: `spBv1.0/Plant 1/${type}/Edge/Pump` }), births);

const BIRTH = {
  timestamp: TIME,
  seq: "0",
  metrics: [
    {
      name: "Outputs/Speed",
      alias: "1",
      datatype: 4,
      longValue: String(2n ** 64n - 5n),
      properties: { keys: ["engUnit"], values: [{ stringValue: "rpm" }] },
    },
    { name: "Level", alias: "2", datatype: 3, intValue: 2 ** 32 - 5 },
    { name: "Small", alias: "3", datatype: 1, intValue: 0xfb },
    { name: "Temperature", alias: "4", timestamp: "1486144502000", datatype: 9, floatValue: 21.3 },
    { name: "On", alias: "5", datatype: 11, booleanValue: true },
    { name: "Serial", alias: "6", datatype: 12, stringValue: "A-7" },
    { name: "Broken", alias: "7", datatype: 10, isNull: true },
    { name: "Since", alias: "8", datatype: 13, longValue: TIME },
    { name: "Blob", alias: "9", datatype: 17, bytesValue: new Uint8Array([1]) },
    {
      name: "Stale",
      alias: "10",
      datatype: 10,
      doubleValue: 1,
      properties: { keys: ["Quality"], values: [{ intValue: 500 }] },
    },
    { name: "Big", alias: "11", datatype: 8, longValue: String(2n ** 64n - 1n) },
    {
      name: "Motor",
      alias: "12",
      datatype: 19,
      templateValue: { metrics: [{ name: "Amps", datatype: 10, doubleValue: 1.5 }] },
    },
  ],
};
const about = { group: "Plant 1", node: "Edge", device: "Plant 1.Edge.Pump", time: TIME };

describe("Sparkplug B", () => {
  it("reads a birth: signed integers, floats as they were meant, nulls, templates", () => {
    const { parts, births, seq, isBirthMissing } = send("DBIRTH", BIRTH);
    expect(parts.map(jsonOf)).toEqual([
      { ...about, type: "DBIRTH", unit: "rpm", readings: { "Outputs/Speed": -5 } },
      {
        ...about,
        type: "DBIRTH",
        readings: {
          Level: -5,
          Small: -5,
          On: true,
          Serial: "A-7",
          Broken: null,
          Since: "2017-02-03T17:55:02.122Z",
          Big: 2 ** 64,
          "Motor/Amps": 1.5,
        },
        other: { Blob: "no reading", Stale: "quality 500" },
      },
      { ...about, type: "DBIRTH", time: "1486144502000", readings: { Temperature: 21.3 } },
    ]);
    const numbers = parts[1]!;
    expect("value" in numbers && writeJson(numbers.value.json, numbers.value.tokens)).toContain(
      '"Big":18446744073709551615',
    );
    expect({ seq, isBirthMissing }).toEqual({ seq: 0, isBirthMissing: false });
    expect(births).toHaveLength(12);
    expect(births[0]).toEqual({ name: "Outputs/Speed", alias: "1", type: 4, unit: "rpm" });
  });

  it("reads data of aliases alone by the birth: its names, types and units", () => {
    const { births } = send("DBIRTH", BIRTH);
    const data = {
      timestamp: "1486144503000",
      seq: "1",
      metrics: [
        { alias: "1", longValue: String(2n ** 64n - 6n) },
        { alias: "3", intValue: 0xfa },
        { name: "Level", intValue: 2 ** 32 - 7 },
      ],
    };
    expect(send("DDATA", data, births).parts.map(jsonOf)).toMatchObject([
      { unit: "rpm", readings: { "Outputs/Speed": -6 } },
      { readings: { Small: -6, Level: -7 } },
    ]);
  });

  it("refuses an alias that no birth names, and takes the rest", () => {
    const { parts, isBirthMissing } = send("DDATA", {
      timestamp: TIME,
      metrics: [
        { alias: "9", intValue: 1 },
        { name: "Level", intValue: 1 },
      ],
    });
    expect(isBirthMissing).toBe(true);
    expect(parts).toMatchObject([
      { value: { json: { readings: { Level: 1 } } } },
      {
        path: "alias 9",
        error: "alias 9 has no name: no birth certificate of Plant 1.Edge.Pump that names it has come",
      },
    ]);
  });

  it("tells the session of a death", () => {
    expect(send("NDEATH", { metrics: [{ name: "bdSeq", longValue: "7" }] })).toMatchObject({ bdSeq: 7, seq: null });
  });

  it("reads a death as its device alone, and takes the time of a device's own but not of a node's, whose is that of its birth", () => {
    const death = { timestamp: TIME, seq: "9", metrics: [{ name: "bdSeq", longValue: "7" }] };
    expect(send("NDEATH", death).parts.map(jsonOf)).toEqual([
      { group: "Plant 1", type: "NDEATH", node: "Edge", device: "Plant 1.Edge.Pump" },
    ]);
    expect(send("DDEATH", death).parts.map(jsonOf)).toEqual([
      { group: "Plant 1", type: "DDEATH", node: "Edge", device: "Plant 1.Edge.Pump", time: TIME },
    ]);
  });

  it("refuses what is no payload", () => {
    expect(() => decodeSparkplugAlone(deliveryOf("{}"))).toThrow("it is not protobuf of this kind");
  });
});
