import { afterAll, beforeAll, expect, test } from "vitest";
import { mappingSchema } from "@/server/domain/mapping/mapping";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { makeSource } from "@/server/testing/source-rig";
import { decodeSparkplug } from "../decoders/sparkplug";
import { PAYLOAD } from "../decoders/sparkplug-types";
import { deliveryOf, jsonOf, writeProtobuf } from "../decoders/testing";
import { type Incoming, readDelivery } from "../read";
import { createReread } from "../reread";
import { sparkplugB } from "../templates/sparkplug-b";
import { createBirths } from "./births";
import { createSparkplugNodes, namesOf } from "./nodes";
import { rebirthRequest } from "./rebirth";

let db: TestDatabase;
let source: number;
beforeAll(async () => {
  db = await freshDatabase();
  source = (await makeSource(db.pool, "line", { type: "mqtt", topics: [] })).id;
});
afterAll(() => db.drop());

const message = (type: string, payload: object) =>
  deliveryOf(writeProtobuf({ timestamp: "1486144502122", ...payload }, PAYLOAD), {
    topic: `spBv1.0/Plant/${type}/Edge/Pump`,
  });
const birth = message("DBIRTH", {
  seq: "1",
  metrics: [
    { name: "Level", alias: "1", datatype: 4, longValue: String(2n ** 64n - 5n) },
    { name: "On", alias: "2", datatype: 11, isNull: true },
  ],
});
const data = (seq: number) =>
  message("DDATA", { seq: String(seq), metrics: [{ alias: "1", longValue: String(2n ** 64n - 6n) }] });
const readings = (incoming: Incoming) =>
  incoming.parts!().map((part) => (jsonOf(part) as { readings: object }).readings);

test("a birth outlives the process: data of aliases alone has its names after a restart", async () => {
  const first = createSparkplugNodes(createBirths(db.pool));
  const [born] = await first.complete(source, [birth]);
  expect(readings(born!)).toEqual([{ Level: -5, On: null }]);
  const second = createSparkplugNodes(createBirths(db.pool));
  const [told] = await second.complete(source, [data(2)]);
  expect(readings(told!)).toEqual([{ Level: -6 }]);
});

test("a gap, or data without a birth, asks the node once for a rebirth; a restart alone doesn't", async () => {
  let time = 0;
  const nodes = createSparkplugNodes(createBirths(db.pool), () => time);
  const asked: string[] = [];
  const complete = (...deliveries: ReturnType<typeof data>[]) =>
    nodes.complete(source, deliveries, (topic) => asked.push(topic));
  await complete(birth, data(2), data(3));
  expect(asked).toEqual([]);
  await complete(data(5), data(7));
  expect(asked).toEqual(["spBv1.0/Plant/NCMD/Edge"]);
  time += 10_000;
  const [unnamed] = await complete(message("DDATA", { seq: "8", metrics: [{ alias: "9", intValue: 1 }] }));
  expect(asked.length).toBe(2);
  expect(unnamed!.parts!()).toMatchObject([{ error: expect.stringContaining("alias 9 has no name") as string }]);
});

test("numbers of messages go from 255 on to 0", async () => {
  const nodes = createSparkplugNodes(createBirths(db.pool));
  const asked: string[] = [];
  await nodes.complete(source, [data(254), data(255), data(0), data(1)], (topic) => asked.push(topic));
  expect(asked).toEqual([]);
});

test("a birth that can't be kept is no birth: all of it comes again", async () => {
  const broken = { ...createBirths(db.pool), write: async () => Promise.reject(new Error("away")) };
  await expect(createSparkplugNodes(broken).complete(source, [birth])).rejects.toThrow("away");
});

test("a node's death is that of all that hang on it, after a restart too; one of an earlier session is none's", async () => {
  const births = createBirths(db.pool);
  const { id } = await makeSource(db.pool, "mill", { type: "mqtt", topics: [] });
  const at = (type: string, place: string, payload: object) =>
    deliveryOf(writeProtobuf({ timestamp: "1486144502122", ...payload }, PAYLOAD), {
      topic: `spBv1.0/Plant/${type}/${place}`,
    });
  const session = (bdSeq: number) => ({ metrics: [{ name: "bdSeq", datatype: 8, longValue: String(bdSeq) }] });
  const level = { metrics: [{ name: "Level", datatype: 4, longValue: "1" }] };
  await createSparkplugNodes(births).complete(id, [
    at("NBIRTH", "Edge", { seq: "0", ...session(7) }),
    at("DBIRTH", "Edge/Pump", { seq: "1", ...level }),
    at("DBIRTH", "Edge/Fan", { seq: "2", ...level }),
    at("NBIRTH", "Edge2", { seq: "0", ...session(7) }),
    at("DBIRTH", "Edge2/Pump", { seq: "1", ...level }),
  ]);
  const mapping = mappingSchema.parse(sparkplugB.mapping);
  const told = async (...deliveries: ReturnType<typeof at>[]) =>
    (await createSparkplugNodes(births).complete(id, deliveries)).map((incoming) =>
      readDelivery({ mapping, labels: {} }, incoming).messages.map(({ bytes }) => {
        const { device, time, gone } = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
        return [device, time, gone];
      }),
    );
  const arrived = new Date(at("NDEATH", "Edge", session(7)).arrived).toISOString();
  expect(await told(at("NDEATH", "Edge", session(7)))).toEqual([
    [
      ["Plant.Edge", arrived, "arrived"],
      ["Plant.Edge.Pump", arrived, "arrived"],
      ["Plant.Edge.Fan", arrived, "arrived"],
    ],
  ]);
  expect(await told(at("NDEATH", "Edge", session(6)))).toEqual([[]]);
  const [, late] = await told(at("NBIRTH", "Edge", session(8)), at("NDEATH", "Edge", session(7)));
  expect(late).toEqual([]);
  expect(await told(at("DDEATH", "Edge/Fan", { seq: "3" }))).toEqual([
    [["Plant.Edge.Fan", "2017-02-03T17:55:02.122Z", true]],
  ]);
});

test("what is no Sparkplug is left as it is; births go with their source", async () => {
  const nodes = createSparkplugNodes(createBirths(db.pool));
  const other = deliveryOf("{}", { topic: "STATE/host" });
  expect(await nodes.complete(source, [other])).toEqual([other]);
  await withTransaction(db.pool, (tx) => tx.query(`DELETE FROM source WHERE id = $1`, [source]));
  await nodes.complete(source, [birth]);
  expect((await db.pool.query(`SELECT FROM sparkplug_birth WHERE source_id = $1`, [source])).rowCount).toBe(0);
});

test("the request is a payload that says Rebirth", () => {
  const delivery = deliveryOf(rebirthRequest(1486144502122), { topic: "spBv1.0/Plant/NCMD/Edge" });
  expect(decodeSparkplug(delivery, []).parts.map(jsonOf)).toMatchObject([
    { time: "1486144502122", readings: { "Node Control/Rebirth": true } },
  ]);
});

test("what is sent again, and what is previewed, has the names of the births that are kept by now", async () => {
  const mapping = mappingSchema.parse(sparkplugB.mapping);
  const { id } = await makeSource(
    db.pool,
    "plant",
    { type: "mqtt", topics: [] },
    { kind: "sparkplug-b", mapping: sparkplugB.mapping },
  );
  const { body, beside, arrived } = data(4);
  const letter = {
    id: "letter",
    raw: body,
    delivery: { source: "plant", version: 1, arrived, beside, refusals: [], refused: 1 },
  };
  const reread = createReread(db.pool);
  expect((await reread([letter])).get("letter")).toMatchObject({
    records: [],
    refusals: [{ detail: expect.stringContaining("alias 1 has no name") as string }],
  });
  await createSparkplugNodes(createBirths(db.pool)).complete(id, [birth]);
  const { records, refusals } = (await reread([letter])).get("letter")!;
  expect(refusals).toEqual([]);
  expect(records.map(({ value }) => Buffer.from(value).toString())).toEqual([
    expect.stringContaining(`"Level":-6`) as string,
  ]);
  const names = await namesOf(createBirths(db.pool), { id, mapping });
  expect(readings(names(data(5)))).toEqual([{ Level: -6 }]);
});
