import { beforeAll, expect, test } from "vitest";
import { deliveryAnswer, source as sourceSchema } from "@/server/contracts/sources";
import { telemetryAnswer } from "@/server/contracts/telemetry";
import type { Caller } from "@/server/domain/access";
import { createApiRig, JSON_TYPE, NDJSON, NOW, read } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();
const at = (i: number) => new Date(NOW - 600_000 + i * 1000).toISOString();

/** Messages with every member there is, right and wrong, of a device. */
const messages = (device: string) =>
  [
    `{"device":"${device}","time":"${at(0)}","id":"m-1","site":"Werk Köln","type":"meter","labels":{"room":"east","row":"3"},"readings":{"heat":70.2,"serial":9007199254740993},"units":{"heat":"°F"},"firmware":"1.2"}`,
    `{"device":"${device}","time":${NOW - 599_000},"state":{"door":"closed","oil":0.8}}`,
    `{"device":"${device}","time":"${at(2)}","readings":{"heat":21.5,"on":true,"mode":"idle","none":null},"units":{"heat":"°C"},"state":{"lid":"open"}}`,
    `{"device":"${device}","time":"${at(3)}","readings":{"heat":1,"dew":NaN,"a b":1,"list":[1]},"units":{"heat":"V"},"labels":{"room":7},"type":7}`,
    `{"device":"${device}","time":"${at(4)}","readings":{"soil":"20.5"}}`,
  ].join("\n");

/** What is wrong with all of a message is told at both doors. */
const WRONG = `{"device":"..","time":"${at(0)}","readings":{"x":1}}\nnot json\n{"device":"w","readings":{"x":1}}\n{"device":"w","time":"${at(0)}","readings":{"x":1}}`;

let sourceCaller: Caller;
beforeAll(async () => {
  const init = {
    method: "POST",
    headers: JSON_TYPE,
    body: JSON.stringify({ name: "own", kind: "fieldwatch", answer: "strict" }),
  };
  await read(sourceSchema, rig.api.handle("addSource", new Request("http://here/", init), {}));
  const { rows } = await rig.owner.query<{ id: number }>(`SELECT id FROM source WHERE name = 'own'`);
  sourceCaller = {
    ...{ kind: "key", keyId: "own", name: "own", of: "source", siteId: null, device: null, grants: [] },
    sourceId: rows[0]!.id,
  };
});

const deliver = (body: string, headers: Record<string, string>) =>
  rig
    .compose({ caller: sourceCaller })
    .handle("deliver", new Request("http://here/ingest/own", { method: "POST", headers, body }), { source: "own" });

/** All that became of a device's messages, without its name and where they lie in the log. */
async function outcomeOf(device: string) {
  const { pool, deadLetters, archive, twins } = rig.engines;
  const ask = async (sql: string) => (await pool.query<Record<string, unknown>>(sql, [device])).rows;
  const letters = await deadLetters.find({ sites: "all", device, limit: 99 });
  const archived = await archive.find({ device, limit: 99 });
  const twin = (await twins.get([device])).get(device);
  return {
    readings: await ask(`SELECT metric, time, value FROM reading WHERE device = $1 ORDER BY time, metric`),
    letters: letters.map(({ reason, field, detail }) => `${field} ${reason} ${detail}`).sort(),
    archived: archived.map(({ body }) => body.replaceAll(device, "")).sort(),
    state: [...(twin?.values ?? [])].map(([name, { value, isState = false }]) => ({ name, value, isState })),
    labels: await ask(
      `SELECT key, l.value FROM device_label l JOIN device d ON d.id = l.device_id WHERE d.name = $1 ORDER BY 1`,
    ),
    about: await ask(
      `SELECT s.name AS site, d.type FROM device d LEFT JOIN site s ON s.id = d.site_id WHERE d.name = $1`,
    ),
  };
}

/** Documents, and so letters, are there before the rest is committed. */
async function isStored(device: string): Promise<boolean> {
  const { letters, readings } = await outcomeOf(device);
  return letters.length === 6 && readings.length > 0;
}

test("a source of the own shape takes what the telemetry route takes, alike", async () => {
  expect((await read(telemetryAnswer, rig.post(messages("route"), { headers: NDJSON }))).accepted).toBe(5);
  await until(() => isStored("route"));
  expect(await read(deliveryAnswer, deliver(messages("sourc"), NDJSON))).toMatchObject({ accepted: 5, refusals: 0 });
  await until(() => isStored("sourc"));
  const route = await outcomeOf("route");
  expect(await outcomeOf("sourc")).toEqual(route);
  expect(route.about).toEqual([{ site: "Werk Köln", type: "meter" }]);
  expect(route.labels).toEqual([
    { key: "room", value: "east" },
    { key: "row", value: "3" },
  ]);
  expect(route.readings.filter(({ metric }) => metric === "heat").map(({ value }) => value)).toEqual([70.2, 70.7]);
});

test("both refuse the same messages, one line of many or a list", async () => {
  const { rejected } = await read(telemetryAnswer, rig.post(WRONG, { headers: NDJSON }));
  const { accepted, refused } = await read(deliveryAnswer, deliver(WRONG, NDJSON));
  expect([accepted, refused.map(({ path }) => path)]).toEqual([1, ["line 1", "line 2", "line 3"]]);
  expect(rejected.map(({ reason }) => reason)).toEqual(["badDevice", "notJson", "noTime"]);
  expect(refused.map(({ reason }) => reason)).toEqual(["badDevice", "unreadable", "noTime"]);
  const list = `[${messages("route").replaceAll("\n", ",")}]`;
  expect(await read(deliveryAnswer, deliver(list, JSON_TYPE))).toMatchObject({ accepted: 5, refusals: 0 });
});
