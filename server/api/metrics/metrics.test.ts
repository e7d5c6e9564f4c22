import { beforeAll, expect, test } from "vitest";
import { deviceDetail, devicesAnswer, readingsAnswer } from "@/server/contracts/devices";
import { fleetSummaryAnswer } from "@/server/contracts/fleet";
import { metricChanged, metricsAnswer } from "@/server/contracts/metrics";
import { pipelineAnswer } from "@/server/contracts/pipeline";
import { createApiRig, JSON_TYPE, NDJSON, NOW, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig({ DATA_OWNER: "Plant data" });
const patch = (name: string, body: unknown) =>
  rig.api.handle(
    "updateMetric",
    new Request("http://here/api", { method: "PATCH", body: JSON.stringify(body), headers: JSON_TYPE }),
    { name },
  );
const metric = async (name: string) =>
  (await read(metricsAnswer, rig.get("listMetrics"))).items.find((one) => one.name === name);
const device = (id: string) => read(deviceDetail, rig.get("getDevice", { id }));
const KEPT = "readings for ever, minutes for ever, hours for ever";
const iso = (ms: number) => new Date(NOW + ms).toISOString();

beforeAll(async () => {
  const readings = { temperature: 71.6, pressure: 1.013, speed: 1480, level: 182, current: 12, voltage: 3300 };
  const lines = [
    { device: "us-1", time: iso(-1000), readings },
    { device: "us-1", time: iso(-1000), readings: { ...readings, temperature: 72, voltage: 3301 } },
    { device: "us-1", time: iso(-1000), readings },
    { device: "eu-1", time: iso(-1000), readings: { temperature: 22, toString: 1 } },
  ];
  await rig.post(lines.map((line) => JSON.stringify(line)).join("\n"), { headers: NDJSON });
  await until(async () => (await read(pipelineAnswer, rig.get("getPipeline"))).totals.messages === lines.length, {
    timeoutMs: 20_000,
  });
});

test("no unit is made up from a name", async () => {
  const { items } = await read(metricsAnswer, rig.get("listMetrics"));
  expect(items).toHaveLength(7);
  for (const one of items) expect(one).toMatchObject({ unit: null, min: null, max: null, meaning: "none" });
});

test("conflicts are told by device, with the last as an example, and devices with conflicts are found", async () => {
  expect((await read(pipelineAnswer, rig.get("getPipeline"))).totals).toMatchObject({
    ...{ messages: 4, readings: 8, duplicates: 10, conflicts: 2, deadLetters: 0 },
  });
  const found = await device("us-1");
  expect(found.conflicts).toBe(2);
  expect(found.lastConflict).toEqual({ metric: "voltage", time: iso(-1000), kept: 3300, refused: 3301 });
  expect(await device("eu-1")).toMatchObject({ conflicts: 0, lastConflict: null });
  const listed = await read(devicesAnswer, rig.get("listDevices", {}, "conflicts=true"));
  expect(listed.items.map(({ id, conflicts }) => [id, conflicts])).toEqual([["us-1", 2]]);
  expect(await read(fleetSummaryAnswer, rig.get("getFleetSummary"))).toMatchObject({ total: 2, conflicts: 1 });
  const csv = await (await rig.get("exportDevices", {}, "conflicts=true&metrics=level")).text();
  expect(csv.split("\r\n")[0]).toContain(",messages,conflicts,labels,level");
  expect((await refused(rig.get("listDevices", {}, "conflicts=no"))).errors?.[0]?.at).toBe("conflicts");
});

test("a unit is set for all devices, or for some of them, and taken away again", async () => {
  const all = await read(metricChanged, patch("temperature", { unit: " °C ", min: -40, max: 90 }));
  expect(all).toMatchObject({ unit: "°C", min: -40, max: 90, meaning: "set", ownUnits: 0, unknownDevices: [] });
  const some = await read(metricChanged, patch("temperature", { unit: "°F", devices: ["us-1", "us-2"] }));
  expect(some).toMatchObject({ unit: "°C", ownUnits: 1, unknownDevices: ["us-2"] });

  const unitOf = async (id: string) =>
    (await read(readingsAnswer, rig.get("listReadings", { id }, "metric=temperature"))).unit;
  expect([await unitOf("us-1"), await unitOf("eu-1")]).toEqual(["°F", "°C"]);
  expect(await device("us-1")).toMatchObject({ units: { temperature: "°F" } });
  expect((await read(devicesAnswer, rig.get("listDevices"))).items.map(({ units }) => units)).toEqual([
    {},
    { temperature: "°F" },
  ]);
  const csv = await (await rig.get("downloadCsv", { id: "us-1" }, "metric=temperature")).text();
  expect(csv).toMatch(/^time,temperature \(°F\)\r\n.*,71\.6\r\n$/);
  const { rows } = await rig.owner.query(
    "SELECT device, unit FROM reading_hour WHERE metric = 'temperature' ORDER BY 1",
  );
  expect(rows).toEqual([
    { device: "eu-1", unit: "°C" },
    { device: "us-1", unit: "°F" },
  ]);

  expect(await read(metricChanged, patch("temperature", { unit: null, devices: ["us-1"] }))).toMatchObject({
    ownUnits: 0,
  });
  expect(await unitOf("us-1")).toBe("°C");
  expect(await read(metricChanged, patch("temperature", { unit: null }))).toMatchObject({ unit: null, min: -40 });
});

test("what nobody has said can be said without overwriting anybody", async () => {
  await read(metricChanged, patch("level", { unit: "mm", unsetOnly: true }));
  expect(await read(metricChanged, patch("level", { unit: "%", unsetOnly: true }))).toMatchObject({ unit: "mm" });
  await read(metricChanged, patch("level", { unit: "in", devices: ["us-1"], unsetOnly: true }));
  await read(metricChanged, patch("level", { unit: "%", devices: ["us-1", "eu-1"], unsetOnly: true }));
  expect([(await device("us-1")).units, (await device("eu-1")).units]).toEqual([{ level: "in" }, { level: "%" }]);
});

test("a unit that an earlier version guessed is marked as such until it is confirmed", async () => {
  await rig.owner.query("UPDATE metric SET unit = 'V', min = 0, meaning = 'guessed' WHERE name = 'voltage'");
  expect(await metric("voltage")).toMatchObject({ unit: "V", meaning: "guessed" });
  expect(await read(metricChanged, patch("voltage", { unit: "mV", unsetOnly: true }))).toMatchObject({
    ...{ unit: "mV", min: 0, meaning: "set" },
  });
});

test.each([
  [{}, "body"],
  [{ unit: "x".repeat(33) }, "unit"],
  [{ unit: "a\nb" }, "unit"],
  [{ unit: 7 }, "unit"],
  [{ min: 2, max: 1 }, "max"],
  [{ devices: ["us-1"] }, "devices"],
  [{ devices: ["us-1"], unit: "V", max: 1 }, "devices"],
  [{ devices: [], unit: "V" }, "devices"],
  [{ kind: "text", unit: "V" }, "kind"],
])("%j is refused and named", async (body, at) => {
  const before = await metric("current");
  const answer = await refused(patch("current", body));
  expect([answer.status, answer.errors?.map((error) => error.at)]).toEqual([400, expect.arrayContaining([at])]);
  expect(await metric("current")).toEqual(before);
});

test("units are any short text, and a metric that isn't there has none", async () => {
  for (const unit of ["°F", "bar", "rpm", "mV", "µg/m³", "m³/h", "%RH", "1/min", "kg·m⁻²", "Ω"])
    expect(await read(metricChanged, patch("speed", { unit }))).toMatchObject({ unit: unit.normalize("NFC") });
  // A name that JavaScript's objects have too.
  expect(await read(metricChanged, patch("toString", { unit: "x", devices: ["us-1"] }))).toMatchObject({ ownUnits: 1 });
  expect((await refused(patch("nothing", { unit: "V" }))).status).toBe(404);
});

test("the dictionary tells the same as a file, for spreadsheets and for people", async () => {
  const owner = "Tanks";
  await patch("level", { unit: "cm", description: "Of the tank, | from below", owner, decimals: 1, min: 0 });
  const { items } = await read(metricsAnswer, rig.get("listMetrics"));
  const csv = (await (await rig.get("exportDictionary")).text()).trimEnd().split("\r\n");
  expect(csv[0]).toMatch(
    /^metric,description,owner,kind,unit,min,max,decimals,.*,kept,other_names,devices_with_own_unit,first_seen$/,
  );
  expect(csv.slice(1).map((line) => line.split(",")[0])).toEqual(items.map(({ name }) => name));
  const { firstSeen, ownUnits } = items.find(({ name }) => name === "level")!;
  expect(csv.find((line) => line.startsWith("level,"))).toBe(
    `level,"Of the tank, | from below",Tanks,number,cm,0,,1,,,,,"${KEPT}",,${ownUnits},${firstSeen}`,
  );
  const markdown = await (await rig.get("exportDictionaryMarkdown")).text();
  expect(markdown.split("\n")).toContain(
    `| level | Of the tank, \\| from below | Tanks | number | cm | 0 |  | 1 |  |  |  |  | ${KEPT} |  | ${ownUnits} | ${firstSeen} |`,
  );
});

test("where nobody said a unit for all, those of the devices are told, the commonest first", async () => {
  await patch("pressure", { unit: "bar", devices: ["us-1"] });
  const told = async (name: string) => {
    const lines = (await (await rig.get("exportDictionary")).text()).split("\r\n");
    return lines
      .find((one) => one.startsWith(`${name},`))!
      .split(",")
      .slice(3, 5);
  };
  expect((await metric("pressure"))!).toMatchObject({ unit: null, units: [{ unit: "bar", devices: 1 }] });
  expect(await told("pressure")).toEqual(["number", "bar"]);
  await patch("pressure", { unit: "kPa" });
  expect(await told("pressure")).toEqual(["number", "kPa"]);
});

test("who answers for a metric is said of it, or is who answers for all; how long it is kept goes by the rules of its series", async () => {
  const tell = async () => {
    const { items, dataOwner } = await read(metricsAnswer, rig.get("listMetrics"));
    const of = (name: string) => items.find((one) => one.name === name)!;
    const lines = (await (await rig.get("exportDictionary")).text()).split("\r\n");
    return { of, dataOwner, line: (name: string) => lines.find((one) => one.startsWith(`${name},`))! };
  };
  const own = await read(metricChanged, patch("current", { owner: " Drives <drives@plant.example> " }));
  expect(own).toMatchObject({ owner: "Drives <drives@plant.example>" });
  expect((await refused(patch("current", { owner: "x".repeat(129) }))).errors?.[0]?.at).toBe("owner");
  const { pool } = rig.engines;
  const { rows } = await pool.query<{ personal: object }>(
    "SELECT detail::text AS detail, personal FROM audit_row WHERE verb = 'updateMetric' AND outcome = 'done' ORDER BY id DESC LIMIT 1",
  );
  // An owner may be a person: the record keeps it apart.
  expect(rows).toEqual([
    {
      detail: expect.not.stringContaining("Drives"),
      personal: expect.objectContaining({ "detail.after.owner": expect.any(String) }),
    },
  ]);
  expect(await tell()).toMatchObject({ dataOwner: "Plant data" });
  let { of, line } = await tell();
  expect([of("voltage").owner, of("current").owner]).toEqual([null, "Drives <drives@plant.example>"]);
  expect(line("voltage")).toContain("voltage,,Plant data,number");

  await pool.query(
    `UPDATE device SET type = 'press' WHERE name = 'us-1';
     INSERT INTO series_rule (selects, pattern, raw, minutes, hours) VALUES ('type', 'press', 30, 730, NULL), ('metric', 'volt*', 7, 7, 365)`,
  );
  ({ of, line } = await tell());
  const [general, press] = [
    { rule: null, raw: null, minutes: null, hours: null },
    { rule: { selects: "type", pattern: "press" }, raw: 30, minutes: 730, hours: null },
  ];
  // Both devices send it, of which one is a press.
  expect(of("temperature").kept).toEqual([press, general]);
  expect(of("current").kept).toEqual([press]);
  expect(of("voltage").kept).toEqual([
    { rule: { selects: "metric", pattern: "volt*" }, raw: 7, minutes: 7, hours: 365 },
  ]);
  expect(line("temperature")).toContain(
    '"readings 30 days (type press) to for ever (generally), minutes 2 years (type press) to for ever (generally), hours for ever"',
  );
  await patch("current", { owner: null });
  expect((await metric("current"))!.owner).toBeNull();
  await pool.query("DELETE FROM series_rule");
});
