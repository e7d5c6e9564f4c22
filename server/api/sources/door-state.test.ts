import { expect, test } from "vitest";
import { source as sourceSchema, sourceDetail } from "@/server/contracts/sources";
import { createApiRig, JSON_TYPE, read } from "@/server/testing/api-rig";
import { writeReports } from "@/server/sources/doors/reports";

const rig = createApiRig();

function ask(verb: "addSource" | "getSource", params: Record<string, string>, body?: object) {
  const init = body === undefined ? {} : { method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) };
  return rig.api.handle(verb, new Request("http://here/api", init), params);
}
const seen = (source: string) => read(sourceDetail, ask("getSource", { source }));
const idOf = async (name: string) =>
  (await rig.owner.query<{ id: number }>(`SELECT id FROM source WHERE name = $1`, [name])).rows[0]!.id;

test("a source tells why its own door can't be used, and nothing of those of others", async () => {
  const door = { type: "mqtt-bridge", url: "mqtt://plant.example:1883", clientId: "fieldwatch", topics: ["#"] };
  await read(sourceSchema, ask("addSource", {}, { name: "plant", kind: "generic", door }));
  await read(sourceSchema, ask("addSource", {}, { name: "shed", kind: "generic", door: { type: "mqtt", topics: [] } }));
  await read(sourceSchema, ask("addSource", {}, { name: "route", kind: "generic" }));
  expect((await seen("plant")).doors).toEqual([]);
  const told = { what: "bridge to mqtt://plant.example:1883", trouble: "Connection refused", fix: null, lag: null };
  const listener = { what: "MQTT on 127.0.0.1:1883", trouble: null, fix: null, lag: null };
  await writeReports(rig.engines.pool, "intake-1", [
    { sourceId: await idOf("plant"), state: { ...told, clients: null } },
    { sourceId: null, state: { ...listener, clients: 2 } },
  ]);
  expect((await seen("plant")).doors).toEqual([told]);
  expect((await seen("shed")).doors).toEqual([listener]);
  expect((await seen("route")).doors).toEqual([]);
});

test("the longest pause is of the last deliveries, and of several of them", async () => {
  await read(sourceSchema, ask("addSource", {}, { name: "hourly", kind: "generic" }));
  const add = (minutes: number) =>
    rig.owner.query(
      `INSERT INTO source_sample (source_id, at, beside, body, bytes, outcome, is_refused)
       SELECT id, now() - interval '1 min' * $1::float8, '{}', '', 0, '{}', false FROM source WHERE name = 'hourly'`,
      [minutes],
    );
  for (const minutes of [125, 124, 60, 59, 2]) await add(minutes);
  expect((await seen("hourly")).source.counts.longestPauseMs).toBeNull();
  await add(1);
  expect((await seen("hourly")).source.counts.longestPauseMs! / 60_000).toBeCloseTo(64, 0);
});
