import { beforeEach, describe, expect, test } from "vitest";
import { readBlocks } from "@/server/readings/blocks";
import { addRule, changeRule } from "@/server/testing/alert-rig";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { findSilent } from "./silence";

const bench = pipelineBench({ partitions: 1 });
const T = Date.UTC(2026, 0, 15, 10);
const S = 1000;

const SHARE = { kind: "share-of-site" };

const deps = () => ({ pool: bench.pool, readBlocks, staleMs: 600 * S });
const look = (second: number) => findSilent(deps(), T + second * S);

beforeEach(async () => {
  await addRule(bench.pool, "silent", { kind: "silence", afterMs: 60 * S });
});

/** Adds devices of a site that were last heard so many seconds after T. */
async function devices(site: string, lastSeen: readonly number[], prefix = "d") {
  await bench.pool.query(
    `WITH at AS (INSERT INTO site (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id)
     INSERT INTO device (name, site_id, last_seen, last_event_time)
     SELECT $1 || '-' || $4 || n, at.id, to_timestamp($2 + s), to_timestamp($2 + s) FROM at, unnest($3::float8[]) WITH ORDINALITY u (s, n)`,
    [site, T / S, lastSeen, prefix],
  );
}

async function heard(site: string, count: number, second: number) {
  for (let i = 1; i <= count; i++)
    bench.log.append(0, { device: `${site}-d${i}`, time: T + second * S, readings: { level: 1 } }, T + second * S);
  await (await bench.rig()).drain();
}

async function ofSites() {
  const { rows } = await bench.pool.query<Record<string, unknown>>(
    `SELECT a.site_name AS site, a.state, a.severity, a.closed_reason AS reason, a.last_value AS silent,
       (extract(epoch FROM a.started_at) - ${T / S})::float8 AS started, (extract(epoch FROM a.fired_at) - ${T / S})::float8 AS fired,
       (extract(epoch FROM a.ended_at) - ${T / S})::float8 AS ended, (SELECT count(*) FROM alert c WHERE c.parent_id = a.id)::integer AS beneath,
       e.detail->'of' AS of
     FROM alert a JOIN alert_event e ON e.alert_id = a.id AND e.kind = 'fired' WHERE a.device_id IS NULL ORDER BY a.id`,
  );
  return rows;
}

async function singles() {
  const { rows } = await bench.pool.query<{ state: string; beneath: boolean; n: number }>(
    `SELECT state, parent_id IS NOT NULL AS beneath, count(*)::integer AS n FROM alert WHERE device_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  return rows.map(({ state, beneath, n }) => `${n} ${state}${beneath ? " beneath" : ""}`);
}

const repeat = (count: number, second: number) => Array.from({ length: count }, () => second);

describe("a share of a site", () => {
  test("that falls silent at once is one alert with the devices' beneath it, decided together", async () => {
    await addRule(bench.pool, "cut off", SHARE);
    await devices("north", [...repeat(4, 0), ...repeat(6, 100)]);
    await devices("south", [...repeat(2, 0), ...repeat(8, 100)]);
    await look(60);
    expect(await singles()).toEqual(["6 firing"]);
    expect(await ofSites(), "3 of 10 would do, but 5 it has to be").toEqual([]);
    await devices("north", [1], "e");
    await look(61);
    expect(await ofSites()).toEqual([
      {
        ...{ site: "north", state: "firing", severity: "critical", reason: null, silent: 5, of: 11 },
        ...{ started: 0, fired: 61, ended: null, beneath: 5 },
      },
    ]);
    expect(await singles()).toEqual(["2 firing", "5 firing beneath"]);
    const { rows } = await bench.pool.query(
      `SELECT count(*)::integer AS n, count(e.handled_at)::integer AS handled, count(DISTINCT e.detail->>'parent')::integer AS parents
       FROM alert_event e WHERE e.kind = 'child'`,
    );
    expect(rows).toEqual([{ n: 5, handled: 5, parents: 1 }]);
  });

  test("is over, once, when the share falls back; who stays silent stays beneath", async () => {
    await addRule(bench.pool, "cut off", SHARE);
    await devices("north", repeat(20, 0));
    await look(60);
    expect(await ofSites()).toMatchObject([{ silent: 20, of: 20, beneath: 20 }]);
    await heard("north", 14, 100);
    await look(101);
    expect(await ofSites(), "6 of 20 are 30 %").toMatchObject([{ state: "firing", silent: 6 }]);
    await heard("north", 15, 110);
    await look(111);
    await look(112);
    expect(await ofSites()).toMatchObject([{ state: "resolved", ended: 111, beneath: 20 }]);
    expect(await singles()).toEqual(["5 firing beneath", "15 resolved beneath"]);
    const { rows } = await bench.pool.query(
      `SELECT kind FROM alert_event e JOIN alert a ON a.id = e.alert_id WHERE a.device_id IS NULL ORDER BY e.id`,
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["fired", "resolved"]);
  });

  test("takes in who falls silent later, and not who was silent for long", async () => {
    await addRule(bench.pool, "cut off", SHARE);
    await devices("north", [...repeat(3, -3600), ...repeat(7, 0), ...repeat(3, 30)]);
    await look(60);
    await look(90);
    expect(await ofSites()).toMatchObject([{ started: 0, silent: 10, of: 10, beneath: 10 }]);
    expect(await singles()).toEqual(["3 firing", "10 firing beneath"]);
  });

  test("counts only devices that the rule is about, and a silence within its time", async () => {
    await addRule(bench.pool, "cut off", {
      ...SHARE,
      of: { devices: ["*-d*"] },
      atLeast: 3,
      withinMs: 10 * S,
      share: 1,
    });
    await devices("north", [0, 8, 16]);
    await devices("north", repeat(5, 0), "x");
    await look(80);
    expect(await ofSites(), "16 s lie between").toEqual([]);
    await devices("north", [16, 16], "d1");
    await bench.pool.query(
      `UPDATE alert_rule SET spec = jsonb_set(spec, '{withinMs}', '16000') WHERE name = 'cut off'`,
    );
    await look(81);
    expect(await ofSites()).toMatchObject([{ silent: 5, of: 5, beneath: 5 }]);
  });
});

describe("an alert of a site", () => {
  async function cutOff() {
    const rule = await addRule(bench.pool, "cut off", SHARE);
    await devices("north", repeat(10, 0));
    await look(60);
    return rule;
  }

  test("goes on under a changed rule by which it is one, and else is closed, never resolved", async () => {
    const rule = await cutOff();
    await changeRule(bench.pool, rule, { ...SHARE, share: 0.5 });
    await look(61);
    await look(62);
    expect(await ofSites()).toMatchObject([{ state: "firing", silent: 10 }]);
    await changeRule(bench.pool, rule, { ...SHARE, atLeast: 11 });
    await look(63);
    await look(64);
    expect(await ofSites()).toMatchObject([{ state: "closed", reason: "rule changed", ended: 63 }]);
    const { rows } = await bench.pool.query(`SELECT count(*)::integer AS n FROM alert_event WHERE kind = 'resolved'`);
    expect(rows).toEqual([{ n: 0 }]);
  });

  test.each(["off", "removed", "without its site"])("is closed when its rule is %s", async (how) => {
    const rule = await cutOff();
    if (how === "off") await bench.pool.query(`UPDATE alert_rule SET enabled = false WHERE id = $1`, [rule]);
    if (how === "removed") await bench.pool.query(`DELETE FROM alert_rule WHERE id = $1`, [rule]);
    if (how === "without its site")
      await bench.pool.query(`UPDATE device SET site_id = NULL; DELETE FROM site WHERE name = 'north'`);
    await look(61);
    expect((await ofSites()).map(({ state }) => state)).toEqual(["closed"]);
    expect((await bench.pool.query(`SELECT FROM alert_state WHERE site_id <> 0`)).rowCount).toBe(0);
  });

  test("that was over is forgotten after the hour in which it might be flapping", async () => {
    await cutOff();
    await heard("north", 10, 70);
    await look(71);
    expect((await bench.pool.query(`SELECT FROM alert_state WHERE site_id <> 0`)).rowCount).toBe(1);
    await bench.pool.query(`UPDATE device SET last_seen = to_timestamp($1)`, [T / S + 3700]);
    await look(3661);
    expect((await bench.pool.query(`SELECT FROM alert_state WHERE site_id <> 0`)).rowCount).toBe(0);
  });

  test("comes again when the site is cut off again", async () => {
    await cutOff();
    await heard("north", 10, 70);
    await look(71);
    await look(70 + 60);
    expect(await ofSites()).toMatchObject([
      { state: "resolved" },
      { state: "firing", started: 71, fired: 130, beneath: 10 },
    ]);
  });
});

test("without such a rule silence is as it was", async () => {
  await devices("north", repeat(10, 0));
  await look(60);
  expect(await singles()).toEqual(["10 firing"]);
  expect(await ofSites()).toEqual([]);
});
