import { beforeAll, describe, expect, test } from "vitest";
import { composeAdmission } from "@/server/compose-sources";
import { watchAccess } from "@/server/access/watch";
import { telemetryAnswer } from "@/server/contracts/telemetry";
import type { Caller } from "@/server/domain/access";
import { DatabaseUnavailableError } from "@/server/postgres/client";
import { createApiRig, NDJSON, NOW, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const LIMITS = { KEY_NEW_DEVICES_PER_HOUR: 3, KEY_NEW_METRICS_PER_HOUR: 2 };
const rig = createApiRig(Object.fromEntries(Object.entries(LIMITS).map(([name, value]) => [name, String(value)])));
const sites = new Map<string, number>();
beforeAll(async () => {
  const { rows } = await rig.owner.query<{ id: number; name: string }>(
    `INSERT INTO site (name) VALUES ('north'), ('south'), ('east') RETURNING id, name`,
  );
  for (const { id, name } of rows) sites.set(name, id);
});

function key(keyId: string, { site, device = null }: { site?: string; device?: string | null } = {}): Caller {
  const siteId = site === undefined ? null : sites.get(site)!;
  return { kind: "key", keyId, name: keyId, of: device === null ? "site" : "device", siteId, device, grants: [] };
}
const program = (...names: string[]): Caller => ({
  ...{ kind: "key", keyId: "program", name: "program", of: "service", siteId: null, device: null },
  grants: names.map((name) => ({ role: "operator", siteId: sites.get(name)! })),
});
let times = 0;
const message = (device: string, readings: object = { t: 1 }, more: object = {}) =>
  JSON.stringify({ device, time: NOW - 60_000 + times++, readings, ...more });
const lines = (...messages: string[]) => messages.join("\n");
const send = (caller: Caller, ...messages: string[]) =>
  rig.post(lines(...messages), { headers: NDJSON, to: rig.compose({ caller }) });
const accepted = async (answer: Promise<Response>) => (await read(telemetryAnswer, answer)).accepted;
const siteOf = async (device: string) => {
  const { rows } = await rig.owner.query<{ site: string | null }>(
    `SELECT s.name AS site FROM device d LEFT JOIN site s ON s.id = d.site_id WHERE d.name = $1`,
    [device],
  );
  return rows[0]?.site;
};
const denials = async () =>
  (await rig.owner.query(`SELECT actor, verb FROM audit_row WHERE outcome = 'denied' ORDER BY id`)).rows;

describe("whom a sender may speak for", () => {
  test("a device key: its device alone; others' items are named, and all of them alone are 403 and a row of the record", async () => {
    const own = key("own", { device: "meter-1" });
    const answer = await read(telemetryAnswer, send(own, message("meter-1"), message("meter-2")));
    expect(answer).toMatchObject({ accepted: 1, rejected: [{ index: 1, reason: "notAllowed" }] });
    const { kind, status, rejected } = await refused(send(own, message("meter-2"), message("meter-3")));
    expect([kind, status, rejected]).toMatchObject(["not-allowed", 403, { length: 2 }]);
    expect(await denials()).toEqual([{ actor: "own", verb: "ingestTelemetry" }]);
  });

  test("a site key: devices of its site, which wins over the message's; a device of another is refused", async () => {
    expect(await accepted(send(key("n", { site: "north" }), message("press-1", { t: 1 }, { site: "south" })))).toBe(1);
    await until(async () => (await siteOf("press-1")) === "north");
    const { kind, detail } = await refused(send(key("s", { site: "south" }), message("press-1")));
    expect([kind, detail]).toEqual(["not-allowed", expect.stringContaining("press-1 is no device of south")]);
    expect(await accepted(send(key("any"), message("press-1")))).toBe(1);
  });

  test("a program that may send at some sites: for a new device its message names one of them", async () => {
    expect(await accepted(send(program("north", "south"), message("mill-1", { t: 1 }, { site: "south" })))).toBe(1);
    await until(async () => (await siteOf("mill-1")) === "south");
    expect(await accepted(send(program("north", "south"), message("mill-1"), message("press-1")))).toBe(2);
    const { rejected } = await refused(
      send(program("north", "south"), message("mill-2"), message("mill-2", { t: 1 }, { site: "east" })),
    );
    expect(rejected).toMatchObject([{ reason: "notAllowed" }, { reason: "notAllowed" }]);
    expect((await refused(send(program("east"), message("mill-1")))).kind).toBe("not-allowed");
    expect((await refused(send(program(), message("mill-1")))).kind).toBe("not-allowed");
  });

  test("two sites that claim a new device at once: the one that comes first in the log keeps it, the other's message is kept as a dead letter", async () => {
    const both = ["north", "south"].map((site) => send(key(site, { site }), message("claimed")));
    const answers = await Promise.all(both);
    const { pool } = rig.engines;
    // A busy machine may have stored the first before the second is judged: then the door refuses it.
    const late = answers.find(({ status }) => status !== 202);
    if (late !== undefined) expect((await refused(Promise.resolve(late))).kind).toBe("not-allowed");
    await until(async () => {
      if (late !== undefined) return true;
      const { rows } = await pool.query<{ reason: string }>(`SELECT reason FROM dead_letter WHERE device = 'claimed'`);
      return rows.length === 1 && rows[0]!.reason === "otherSite";
    });
    const owner = await siteOf("claimed");
    expect(["north", "south"]).toContain(owner);
    await until(async () => {
      const { rows } = await pool.query(`SELECT FROM reading WHERE device = 'claimed'`);
      return rows.length === 1;
    });
  });

  test("a device that is moved is its new site's as soon as PostgreSQL says so", async () => {
    const admission = composeAdmission({ ingest: rig.config.ingest }, rig.engines);
    const stop = watchAccess(rig.connectionString, rig.logger, () => admission.forget());
    try {
      const as = (site: string) => rig.compose({ caller: key(site, { site }), admission });
      const post = (site: string) => rig.post(message("press-1"), { to: as(site) });
      expect(await accepted(post("north"))).toBe(1);
      expect((await refused(post("south"))).kind).toBe("not-allowed");
      await rig.owner.query(`UPDATE device SET site_id = $1 WHERE name = 'press-1'`, [sites.get("south")]);
      await until(async () => (await post("south")).status === 202);
      expect((await refused(post("north"))).kind).toBe("not-allowed");
    } finally {
      await stop();
    }
  });

  test("while PostgreSQL is away, what is not known is taken, and left to the worker", async () => {
    const away = () => Promise.reject(new DatabaseUnavailableError("away"));
    const pool = { ...rig.engines.pool, query: away, connect: away } as unknown as typeof rig.engines.pool;
    const admission = composeAdmission({ ingest: rig.config.ingest }, { pool });
    const to = rig.compose({ caller: key("k"), admission });
    expect(await accepted(rig.post(message("while-away", { while_away: 1 }), { to }))).toBe(1);
  });
});

describe("how much that is new a sender may name", () => {
  const more = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`${n}-of-${i}`, 1]));

  test("at its limit it is told when to try again, fills no catalog, and keeps nobody else out", async () => {
    const greedy = key("greedy");
    expect(await accepted(send(greedy, message("g-1", { g1: 1 }), message("g-2", { g2: 1 })))).toBe(2);
    const both = await read(telemetryAnswer, send(greedy, message("g-3", { g1: 2 }), message("g-1", more(5))));
    expect(both).toMatchObject({ accepted: 1, rejected: [{ index: 1, reason: "tooManyNew" }] });
    const late = await refused(send(greedy, message("g-1", more(5))));
    expect([late.kind, late.status]).toEqual(["too-many-new", 429]);
    expect(Number(late.headers.get("retry-after"))).toBeGreaterThan(3500);
    expect(Number(late.headers.get("retry-after"))).toBeLessThanOrEqual(3600);
    expect((await refused(send(greedy, message("g-4", { g1: 1 })))).detail).toMatch(
      /the device g-4 is new, .*: again from \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\./,
    );
    expect(await accepted(send(greedy, message("g-1", { g1: 3, g2: 4 })))).toBe(1);
    expect(await accepted(send(key("modest"), message("m-1", { m1: 1 })))).toBe(1);
    await until(async () => (await rig.owner.query(`SELECT FROM metric WHERE name = 'm1'`)).rowCount === 1);
    const { rows } = await rig.owner.query(
      `SELECT name FROM metric WHERE name LIKE '%of%' UNION ALL SELECT name FROM device WHERE name = 'g-4'`,
    );
    expect(rows).toEqual([]);
  });

  test("a name counts once, whichever process meets it how often, and no more after an hour", async () => {
    const busy = key("busy");
    const sends = Array.from({ length: 5 }, () => send(busy, message("b-1", { b1: 1 }), message("b-2", { b2: 1 })));
    expect(await Promise.all(sends.map(accepted))).toEqual([2, 2, 2, 2, 2]);
    expect((await refused(send(busy, message("b-1", { b3: 1 })))).kind).toBe("too-many-new");
    await rig.owner.query(`UPDATE new_name SET at = at - interval '1 hour' WHERE sender = 'busy'`);
    expect(await accepted(send(busy, message("b-1", { b3: 1 })))).toBe(1);
  });

  test("however many processes ask at once, no more is named than may be", async () => {
    const eager = key("eager");
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => send(eager, message(`e-${i}`, { t: 1 }))));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 202, 202, 429, 429, 429, 429, 429]);
  });
});

test("who sends faster than it may, on average, waits, and nobody else does", async () => {
  const to = rig.compose({
    ingest: { KEY_MESSAGES_PER_SECOND: 1 },
    callerOf: async (request) => key(request.headers.get("x-key") ?? ""),
  });
  const post = (who: string, count: number) => {
    const body = lines(...Array.from({ length: count }, () => message("press-1")));
    return rig.post(body, { headers: { ...NDJSON, "x-key": who }, to });
  };
  expect(await accepted(post("fast", 100))).toBe(100);
  const late = await refused(post("fast", 1));
  expect([late.kind, late.status]).toEqual(["too-fast", 429]);
  expect(Number(late.headers.get("retry-after"))).toBeGreaterThan(30);
  expect(await accepted(post("slow", 1))).toBe(1);
});
