import { SYSTEM } from "@/server/domain/access";
import { parse } from "csv-parse/sync";
import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { z } from "zod";
import { composeEngines, type Engines } from "@/server/compose";
import { composeApi, composePipelineState } from "@/server/compose-web";
import { loadConfig } from "@/server/config/config";
import { devicesAnswer } from "@/server/contracts/devices";
import { fleetOrderAnswer, fleetSummaryAnswer, sparklinesAnswer } from "@/server/contracts/fleet";
import { createPrismaClient, type PrismaClient } from "@/server/postgres/prisma";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import type { Api } from "../runtime";
import type { VerbName } from "../verbs";

const logger = pino({ level: "silent" });
/** One device a second: the first 60 are live, then stale until 600, then silent; the last never reported. */
const DEVICES = 1200;
const name = (i: number) => `d-${String(i).padStart(4, "0")}`;

let db: TestDatabase;
let engines: Engines;
let prisma: PrismaClient;
let api: Api;

beforeAll(async () => {
  db = await freshDatabase();
  const config = loadConfig({ DATABASE_URL: db.appUrl }, "");
  engines = await composeEngines(config, "test", logger);
  prisma = createPrismaClient(engines.pool);
  api = composeApi({
    callerOf: async () => SYSTEM,
    ...{ config, engines, prisma, logger, version: "0" },
    pipelineState: composePipelineState(engines, { staleSeconds: 60, now: Date.now, onLogError: () => {} }),
    health: {
      answer: () => ({
        ...{
          status: "pass",
          verdict: "",
          parts: { what: "", since: null, means: "" },
          time: new Date().toISOString(),
          version: "0",
          leftOut: null,
          probes: [],
          jobs: [],
        },
        engines: engines.names,
      }),
    },
  });
  await db.pool.query(`INSERT INTO site (name) VALUES ('north'), ('south'), ('empty')`);
  await db.pool.query(
    `INSERT INTO device (name, site_id, type, messages, last_seen)
     SELECT 'd-' || lpad(i::text, 4, '0'), 1 + i % 2, CASE WHEN i % 3 = 0 THEN 'press' END, 2000 - i,
       CASE WHEN i < $1::integer - 1 THEN now() + interval '30 s' - i * interval '1 s' END
     FROM generate_series(0, $1::integer - 1) AS i`,
    [DEVICES],
  );
  await db.pool.query("INSERT INTO device (name) VALUES ('-2+3'), ('d_0001')");
  await db.pool.query(
    `INSERT INTO metric (name, kind, unit) VALUES ('temperature', 'number', '°C'), ('door', 'boolean', NULL)`,
  );
  const eventTime = Date.now();
  await engines.twins.merge(
    Array.from({ length: DEVICES - 1 }, (_, i) => ({
      device: name(i),
      values: new Map([["temperature", { value: 20, eventTime: eventTime - 1000 }]]),
    })),
  );
  await engines.twins.merge([
    {
      device: name(0),
      values: new Map([
        ["temperature", { value: -21.5, eventTime }],
        ["door", { value: false, eventTime }],
      ]),
    },
    { device: name(1), values: new Map([["temperature", { value: '=1+1,"x"', eventTime }]]) },
    { device: name(2), values: new Map([["temperature", { value: 3, eventTime }]]) },
  ]);
});
afterAll(async () => {
  await prisma?.$disconnect();
  await engines?.close();
  await db?.drop();
});

function get(verb: VerbName, query: string): Promise<Response> {
  return api.handle(verb, new Request(`http://here/api?${query}`), {});
}

async function read<T extends z.ZodType>(schema: T, answer: Promise<Response>): Promise<z.output<T>> {
  const json: unknown = await (await answer).json();
  return schema.parse(json);
}

const summary = (query: string) => read(fleetSummaryAnswer, get("getFleetSummary", query));
const order = (query: string) => read(fleetOrderAnswer, get("getFleetOrder", query));

test("the order is whole, has trouble first, and its first rows in full", async () => {
  const answer = await order("rows=3&search=d-");
  expect(answer.ids).toHaveLength(DEVICES);
  expect(answer.items.map(({ id, state }) => [id, state])).toEqual(answer.ids.slice(0, 3).map((id) => [id, "silent"]));
  // 30 s ahead, a device a second, stale at 60 s and silent at 600 s; the last was never heard from.
  const at = (id: string) => answer.ids.indexOf(id);
  expect(at(name(700))).toBeLessThan(at(name(200)));
  expect(at(name(200))).toBeLessThan(at(name(DEVICES - 1)));
  expect(at(name(DEVICES - 1))).toBeLessThan(at(name(0)));
  expect(answer.commonMetrics).toEqual(["temperature"]);
  expect(answer.reportedMetrics[0]).toBe("temperature");
  expect((await order("search=nothing-is-called-so")).reportedMetrics).toEqual([]);
});

test.each(["state", "-state", "id", "-id", "lastSeen", "-lastSeen", "messages", "-messages"])(
  "sorted by %s: the order, the pages and the fingerprint agree",
  async (sort) => {
    const filter = `sort=${sort}&site=south&search=d-`;
    // A device that changes its state in between makes another order: then everything is asked for again.
    for (let attempt = 0; ; attempt++) {
      const whole = await order(`${filter}&rows=0`);
      const paged: string[] = [];
      for (let cursor: string | null = ""; cursor !== null;) {
        const page: z.output<typeof devicesAnswer> = await read(
          devicesAnswer,
          get("listDevices", `${filter}&limit=250${cursor && `&cursor=${cursor}`}`),
        );
        expect(page.total).toBe(DEVICES / 2);
        paged.push(...page.items.map(({ id }) => id));
        cursor = page.next;
      }
      const { tag } = await summary(filter);
      if (tag !== whole.tag && attempt < 5) continue;
      expect(tag).toBe(whole.tag);
      expect(paged).toEqual(whole.ids);
      return;
    }
  },
);

test("counts: states don't depend on the chosen state, sites not on the chosen site", async () => {
  const all = await summary("");
  expect(all).toMatchObject({ all: DEVICES + 2, total: DEVICES + 2 });
  expect(all.states.new).toBe(3);
  expect(all.states.live + all.states.stale + all.states.silent).toBe(DEVICES - 1);
  expect(all.sites.map(({ name, devices }) => ({ name, devices }))).toEqual([
    { name: "empty", devices: 0 },
    { name: "north", devices: DEVICES / 2 },
    { name: "south", devices: DEVICES / 2 },
  ]);
  const chosen = await summary("site=north&state=new&search=D-");
  expect(chosen.total).toBe(0);
  expect(chosen.states.new).toBe(0);
  expect(chosen.states.silent).toBeGreaterThan(0);
  // Every silent device here has a site.
  expect(all.sites.map(({ states: { live, stale, silent } }) => live + stale + silent > 0)).toEqual([
    false,
    true,
    true,
  ]);
  const silent = all.sites.map(({ states }) => states.silent);
  expect(silent.reduce((sum, one) => sum + one, 0)).toBe(all.states.silent);
  expect(all.sites.map(({ lastSeen }) => lastSeen === null)).toEqual([true, false, false]);
  expect(chosen.sites.map(({ devices }) => devices)).toEqual([0, 0, 1]);
});

test("a search takes its text literally; nothing found is no error", async () => {
  expect((await order("search=d_0001")).ids).toEqual(["d_0001"]);
  expect((await order("search=PRESS&site=north&sort=id")).ids[1]).toBe(name(6));
  const none = await order("search=nothing");
  expect([none.ids, none.items, none.tag]).toEqual([[], [], (await summary("search=nothing")).tag]);
});

test("rows by id, those that aren't there left out", async () => {
  const { items, total } = await read(devicesAnswer, get("listDevices", `ids=${name(5)},nobody,${name(0)}&sort=id`));
  expect([items.map(({ id }) => id), total]).toEqual([[name(0), name(5)], 2]);
  expect(items[0]!.values["temperature"]?.value).toBe(-21.5);
  const many = Array.from({ length: 201 }, (_, i) => name(i)).join(",");
  expect((await get("listDevices", `ids=${many}`)).status).toBe(400);
});

test("sparklines from the minute rollups, gaps as nulls", async () => {
  const minute = Math.floor(Date.now() / 60_000) * 60_000;
  const ids = await db.pool.query<{ id: number }>("SELECT id FROM device WHERE name = ANY ($1) ORDER BY name", [
    [name(0), name(1)],
  ]);
  await db.pool.query(
    `INSERT INTO rollup_minute SELECT $1, b, '{2,1}', '{1,4}', '{1,10}', '{1,1}', '{1,4}', '{1,1}', '{0,0}', '{1,1}', '{0,0}'
     FROM unnest($2::timestamptz[]) AS b`,
    [ids.rows[0]!.id, [minute, minute - 120_000, minute - 3_600_000].map((time) => new Date(time))],
  );
  const answer = await read(
    sparklinesAnswer,
    get("listSparklines", `ids=${name(0)},${name(1)},nobody&metric=temperature&minutes=5`),
  );
  expect(answer).toMatchObject({ metric: "temperature", unit: "°C", stepMs: 60_000 });
  expect(Object.keys(answer.series)).toEqual([name(0)]);
  // The minute may have turned since.
  const points = answer.series[name(0)]!;
  expect(points).toHaveLength(5);
  expect(points.join().replace(/,+$/, "")).toMatch(/^,+2\.5,,2\.5$/);
  expect((await get("listSparklines", `ids=${name(0)}&metric=nothing`)).status).toBe(404);
});

test("CSV: every device that matches once, in order, harmless to a spreadsheet", async () => {
  const response = await get("exportDevices", "sort=id");
  expect(response.headers.get("content-type")).toContain("text/csv");
  expect(response.headers.get("content-disposition")).toMatch(/^attachment; filename="devices-[\dT-]+Z\.csv"$/);
  const text = await response.text();
  expect(
    text.startsWith(
      "id,site,type,state,firstSeen,lastSeen,lastEventTime,messages,conflicts,labels,door,temperature\r\n",
    ),
  ).toBe(true);
  const rows = parse(text, { columns: true }) as Record<string, string>[];
  expect(rows).toHaveLength(DEVICES + 2);
  const { ids } = await order("sort=id&rows=0");
  expect(rows.map((row) => row["id"])).toEqual(ids.map((id) => (id === "-2+3" ? "'-2+3" : id)));
  const of = (id: string) => rows.find((row) => row["id"] === id)!;
  expect(of(name(0))).toMatchObject({
    site: "north",
    state: "live",
    messages: "2000",
    door: "false",
    temperature: "-21.5",
  });
  expect(of(name(0))["lastSeen"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(of(name(1))["temperature"]).toBe(`'=1+1,"x"`);
  expect(of(name(DEVICES - 1))).toMatchObject({ state: "new", lastSeen: "", temperature: "" });

  const few = await (await get("exportDevices", "search=d-000&state=live&metrics=temperature&sort=-id")).text();
  expect(few.split("\r\n")[0]).toMatch(/,messages,conflicts,labels,temperature$/);
  expect(few.split("\r\n")[1]).toMatch(/^d-0009,/);
  expect(few.trimEnd().split("\r\n")).toHaveLength(11);
});

const list = (query: string) => read(devicesAnswer, get("listDevices", query));

test("sorted by a metric's latest value: a page after another holds everything once, and what has no value comes last", async () => {
  const up = (await order("sort=value:temperature&rows=0")).ids;
  expect(up[0]).toBe(name(0));
  expect(up[1]).toBe(name(2));
  // Text is no value, whatever the field is called.
  expect(up.slice(-4).toSorted()).toEqual(["-2+3", name(1), name(DEVICES - 1), "d_0001"].toSorted());
  const down = (await order("sort=-value:temperature&rows=0")).ids;
  expect(down.at(-5)).toBe(name(0));
  expect(down.slice(-4)).toEqual(up.slice(-4));
  for (const sort of ["value:temperature", "-value:temperature"]) {
    const paged: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const page: z.output<typeof devicesAnswer> = await list(`sort=${sort}&limit=350${next && `&cursor=${next}`}`);
      expect(page.total).toBe(DEVICES + 2);
      paged.push(...page.items.map(({ id }) => id));
      next = page.next;
    }
    expect(paged).toEqual(sort.startsWith("-") ? down : up);
  }
  expect((await summary("sort=value:temperature")).tag).toBe((await order("sort=value:temperature")).tag);
});

test("every column sorts, and its pages hold everything once", async () => {
  for (const sort of [
    "site",
    "-site",
    "type",
    "-type",
    "firstSeen",
    "-lastEventTime",
    "-conflicts",
    "id",
    "-lastSeen",
  ]) {
    const whole = (await order(`sort=${sort}&rows=0&search=d-000`)).ids;
    const paged: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const page: z.output<typeof devicesAnswer> = await list(
        `sort=${sort}&search=d-000&limit=3${next && `&cursor=${next}`}`,
      );
      paged.push(...page.items.map(({ id }) => id));
      next = page.next;
    }
    expect(paged, sort).toEqual(whole);
    expect(new Set(paged).size).toBe(10);
  }
});

test("conditions narrow the list, its counts and its file alike", async () => {
  const where = (text: string) => `where=${encodeURIComponent(text)}`;
  const ids = async (text: string) => (await order(`${where(text)}&sort=id&rows=0`)).ids;
  expect(await ids("temperature < 10")).toEqual([name(0), name(2)]);
  expect(await ids("temperature < 10 and site = north")).toEqual([name(0), name(2)]);
  expect(await ids("temperature < 10 and door = false")).toEqual([name(0)]);
  expect(await ids("temperature != 20")).toEqual(["-2+3", name(0), name(1), name(2), name(DEVICES - 1), "d_0001"]);
  expect(await ids("temperature < 10 and temperature != 3")).toEqual([name(0)]);
  expect(await ids("nothing > 1")).toEqual([]);
  expect(await ids("messages > 1999 and type = press")).toEqual([name(0)]);
  expect(await ids('type != press and site = "no such"')).toEqual([]);
  const quiet = await ids("silent >= 1000 s");
  expect(quiet).not.toContain(name(900));
  expect(quiet).toContain(name(1100));
  expect(quiet).not.toContain(name(DEVICES - 1));
  expect(await ids("alerts >= 1")).toEqual([]);
  expect((await ids("alerts < 1")).length).toBe(DEVICES + 2);
  expect(await ids("quality < 80")).toEqual([]);
  await db.pool.query(`INSERT INTO device_label (device_id, key, value, by_person) VALUES (3, 'floor', '2', true)`);
  expect(await ids("label:floor = 2")).toEqual([name(2)]);
  expect((await ids("label:floor != 2")).length).toBe(DEVICES + 1);

  expect((await summary(where("temperature < 10"))).total).toBe(2);
  expect((await list(where("temperature < 10"))).total).toBe(2);
  const csv = await (await get("exportDevices", where("temperature < 10"))).text();
  expect(csv.trimEnd().split("\r\n")).toHaveLength(3);

  const chosen = await (await get("exportDevices", `ids=${name(3)},${name(1)}&metrics=temperature&sort=id`)).text();
  expect(
    chosen
      .trim()
      .split("\r\n")
      .map((line) => line.split(",")[0]),
  ).toEqual(["id", name(1), name(3)]);
  const wrong = await get("getFleetOrder", where("temperature < cold"));
  expect(wrong.status).toBe(400);
  expect(await wrong.json()).toMatchObject({
    errors: [{ at: "where", message: 'at character 15: "cold" is no number' }],
  });
});
