import { Writable } from "node:stream";
import fc from "fast-check";
import pino from "pino";
import { beforeAll, expect, test } from "vitest";
import { createApiRig, JSON_TYPE } from "@/server/testing/api-rig";
import type { Api } from "./runtime";
import { type VerbName, VERBS } from "./verbs";

/** Values that engines, dates, numbers or addresses can't hold, or only just. */
const NASTY = [
  ...["\0", "a\0b", "\u0001", "\t", "a\nb", "\r\n", "\u001f", "\u007f", "\u0085", "\u2028", "\ufeff", "\ufffe"],
  ...["", " ", ".", "..", "/", "%", "%00", "%ff", "\\", "'", '"', "`", "$1", "{}", "[]", "*", ",", ",,", "a,\0,b"],
  ...["null", "undefined", "true", "NaN", "Infinity", "-0", "-1", "0", "1.5", "0x10", "1e3", "1e400", "-1e400"],
  ...["2147483647", "2147483648", "-2147483649", "9007199254740991", "9007199254740993", "9223372036854775808"],
  ...["0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999-23:59"],
  ...["+275760-09-13T00:00:00.000Z", "-271821-04-20T00:00:00.000Z", "2026-02-30T00:00:00Z", "24:00", "infinity"],
  ...["__proto__", "constructor", "toString", "\u{1f4a9}", "e\u0301", "\ud800", "x".repeat(128), "x".repeat(5000)],
];

/** Such values for JSON, with others that only JSON can hold. */
const NASTY_JSON: unknown[] = [
  ...NASTY,
  ...[null, true, 0, -1, 1.5, 2 ** 31, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 2 ** 63],
  ...[8.64e15, -8.64e15, 8.64e15 + 1, -62_135_596_800_001, 1e300, [], {}, ["\0"], { at: "\0" }],
];

/** Values with which every verb finds something, so that it is only the nasty one that stands in the way. */
const USUAL: Readonly<Record<string, string>> = {
  ...{ id: "press-07", ids: "press-07", name: "temperature", metric: "temperature", metrics: "temperature" },
  ...{ run: "3f0c6b1e-58a5-4c43-9a0b-3b6a3f6f4f11", partition: "0" },
};
/** Where things are called by numbers. */
const NUMBERED = /^\/api\/v1\/(channels|routes|silences|maintenance|alerts|rules|odd|notes|views)\//;
const JOB_PATH = { name: "job-retention", id: "none" };

/** Bodies that say everything there is to say. */
const BODIES: Partial<Record<VerbName, unknown>> = {
  updateDevice: { site: "north", type: "press", notes: "a note" },
  changeDevices: {
    devices: ["press-07"],
    changes: { site: "north", type: "press", labels: { floor: "2" }, retired: true },
  },
  mergeMetrics: { into: "humidity" },
  updateType: { name: "presses", staleSeconds: 60 },
  renameMetric: { to: "humidity-2" },
  renameSite: { name: "north hall", person: "Ada" },
  erasePerson: { person: "Ada", devices: ["press-07"] },
  updateMetric: {
    unit: "V",
    devices: ["press-07"],
    unsetOnly: false,
    decimals: 1,
    thresholds: { warning: { above: 1 } },
  },
  resendDeadLetter: { message: "{}", dryRun: false },
  startDeadLetterJob: {
    ...{
      action: "discard",
      filter: { reason: "typeDrift", device: "nobody", field: "x" },
      perSecond: 1,
      dryRun: false,
    },
  },
  backtestRule: {
    spec: { kind: "silence" },
    device: "press-07",
    from: "2026-01-01T00:00:00Z",
    to: "2026-01-02T00:00:00Z",
  },
  startBacktest: { spec: { kind: "silence" }, name: "x", from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z" },
  skipBatch: { from: 0, to: 1 },
  sendTestMessage: { device: "press-07" },
  addChannel: {
    ...{ name: "x", kind: "ntfy", settings: { url: "http://127.0.0.1:9" }, secrets: { topic: "t" }, enabled: false },
    ...{ fallback: null, mostPerHour: 5 },
  },
  updateChannel: { revision: 0, name: "y", settings: { url: "http://127.0.0.1:9" }, secrets: {}, fallback: null },
  addRoute: {
    ...{
      name: "x",
      matchers: [{ field: "label", key: "line", is: "not", values: ["7*"] }],
      channels: [1],
      groupBy: ["site"],
    },
    ...{
      waitMs: 0,
      intervalMs: 0,
      repeatMs: null,
      resolved: true,
      late: true,
      escalate: { afterMs: 60_000, channels: [1] },
    },
  },
  updateRoute: { revision: 0, place: 1, name: "y" },
  checkRoute: {
    rule: "x",
    site: "north",
    type: null,
    device: "d",
    metric: "m",
    severity: "critical",
    labels: { a: "b" },
  },
  addSilence: {
    ...{ matchers: [{ field: "site", values: ["north"] }], reason: "x", untilResolved: false },
    ...{ startsAt: new Date().toISOString(), endsAt: new Date(Date.now() + 3_600_000).toISOString() },
  },
  extendSilence: { endsAt: new Date(Date.now() + 3_600_000).toISOString() },
  previewSilence: { matchers: [{ field: "site", values: ["north"] }] },
  addMaintenance: { name: "x", matchers: [], cron: "0 2 * * 6", minutes: 60, zone: "Europe/Berlin", note: null },
  updateMaintenance: { revision: 0, name: "y", cron: "0 2 * * 6", minutes: 60, zone: "UTC" },
  addNote: { text: "x", from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", site: "north", device: "press-07" },
  updateNote: { text: "y", from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z" },
  addView: {
    ...{ page: "devices", name: "x", query: "label=a&where=battery+%3C+20", shared: false, onOverview: true },
    ...{ onWall: true, before: null },
  },
  updateView: { name: "y", query: "label=a", shared: false, onOverview: false, onWall: false, before: null },
  addDeployment: { what: "x", version: "1", at: "2026-01-01T00:00:00Z", site: "north", device: "press-07" },
  ingestTelemetry: { device: "press-07", time: 1, id: "x", site: "north", type: "press", readings: { a: 1, b: "x" } },
};

const rig = createApiRig();
const logged: string[] = [];
let api: Api;
beforeAll(async () => {
  await rig.sendFleet();
  // Who asks, as what is signed names them.
  await rig.owner.query(`INSERT INTO account (id, name) VALUES (1, 'Ada') ON CONFLICT DO NOTHING`);
  // Enough for a second page of one.
  await rig.owner.query(`WITH rule AS (
      INSERT INTO alert_rule (name, enabled, spec, created_by, updated_by) VALUES ('hot', false, '{"kind": "silence"}', 'Ada', 'Ada') RETURNING id)
    INSERT INTO alert (rule_id, rule_version, severity, state, started_at, fired_at, decided_at)
    SELECT rule.id, 1, 'warning', 'firing', now(), now(), now() FROM rule, generate_series(1, 2)`);
  await rig.owner.query(
    `INSERT INTO event (kind, key, severity, started_at, ended_at, data) SELECT 'note', i::text, 'info', now(), now(), '{"text": "x", "by": "Ada"}' FROM generate_series(1, 2) i`,
  );
  await rig.owner
    .query(`INSERT INTO odd_stretch (device_id, metric_id, from_time, to_time, goes_on, score, peak, peak_at, channel, now_value, usual, farthest,
      known_since, step_ends, step_scores)
    SELECT d.id, m.id, now(), now() + interval '5 minutes', true, 2, 2, now(), 'value', 9, 1, 4, now() - interval '2 days', '{300}', '{2}'
    FROM device d, metric m LIMIT 2`);
  await rig.owner
    .query(`INSERT INTO quality_day (device_id, metric_id, bucket, received, validity, timeliness, plausibility, uniqueness, score)
    SELECT d.id, m.id, date_trunc('day', now(), 'UTC'), 1, 1, 1, 1, 1, 100 FROM device d, metric m LIMIT 2`);
  await rig.owner.query("INSERT INTO device (name) VALUES ('to-go')");
  const sink = new Writable({
    write: (chunk, _, done) => {
      logged.push(String(chunk));
      done();
    },
  });
  api = rig.compose({ logger: pino({ level: "warn" }, sink) });
});

const isJob = (path: string) => path.startsWith("/api/v1/jobs/");

async function ask(
  name: VerbName,
  { params = {}, query = {}, body }: { params?: object; query?: object; body?: unknown },
): Promise<Response> {
  const { method, path, params: path_, query: query_ } = VERBS[name].operation;
  const usual: Readonly<Record<string, string>> = {
    ...{ ...USUAL, ...(isJob(path) && JOB_PATH), ...(NUMBERED.test(path) && { id: "1" }) },
    // The device that others ask for stays.
    ...(name === "deleteDevice" && { id: "to-go" }),
  };
  const given = (shape: object, isNeeded: (key: string) => boolean) =>
    Object.fromEntries(Object.keys(shape).flatMap((key) => (isNeeded(key) ? [[key, usual[key] ?? "1"]] : [])));
  const required = (shape: Record<string, { safeParse(value: unknown): { success: boolean } }>) => (key: string) =>
    !shape[key]!.safeParse(undefined).success;
  const address = new URL("http://here/api");
  for (const [key, value] of Object.entries({ ...given(query_.shape, required(query_.shape)), ...query }))
    address.searchParams.set(key, String(value));
  const init = method === "GET" ? {} : { body: JSON.stringify(body ?? BODIES[name] ?? {}), headers: JSON_TYPE };
  const request = new Request(address, { method, ...init });
  return api.handle(name, request, { ...given(path_.shape, () => true), ...params });
}

/** Never our fault, all of the answer comes, and nothing is logged but what `ask` can't cause. */
async function assertRefusedOrAnswered(name: VerbName, call: Parameters<typeof ask>[1]): Promise<void> {
  const answer = await ask(name, call);
  const text = await answer.text();
  expect(answer.status, `${name} ${JSON.stringify(call).slice(0, 300)}: ${text.slice(0, 300)}`).toBeLessThan(500);
  expect(logged, `${name} ${JSON.stringify(call).slice(0, 300)}`).toEqual([]);
}

const names = Object.keys(VERBS) as VerbName[];
const places = names.flatMap((name) => {
  const { params, query } = VERBS[name].operation;
  return [
    ...Object.keys(params.shape).map((key) => ({ name, at: "params" as const, key })),
    ...Object.keys(query.shape).map((key) => ({ name, at: "query" as const, key })),
  ];
});

/** Every so manyth of some values, another part of them for each place: all of them are tried everywhere, in a part of the places each. */
const partOf = <T>(values: readonly T[], place: number, parts: number) =>
  values.filter((_, i) => (i + place) % parts === 0);

test("every parameter of every verb takes or refuses whatever it is given", { timeout: 480_000 }, async () => {
  for (const [i, { name, at, key }] of places.entries())
    for (const value of partOf(NASTY, i, 2)) await assertRefusedOrAnswered(name, { [at]: { [key]: value } });
});

test("the same with any text", { timeout: 480_000 }, async () => {
  const text = fc.oneof(fc.string({ unit: "binary", maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 140 }));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...places), text, ({ name, at, key }, value) =>
      assertRefusedOrAnswered(name, { [at]: { [key]: value } }),
    ),
    { numRuns: 100 },
  );
});

let spoiledPlaces = 0;
/** A value with each of its parts, one after the other, replaced by a third of the nasty ones. */
function* spoiled(value: unknown): Generator<unknown> {
  yield* partOf(NASTY_JSON, spoiledPlaces++, 3);
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value))
    for (const nasty of spoiled(part))
      yield Array.isArray(value) ? Object.assign([...value], { [key]: nasty }) : { ...value, [key]: nasty };
}

test("every cursor, changed anywhere, is refused or leads somewhere", { timeout: 480_000 }, async () => {
  const listed = places.filter(({ key }) => key === "cursor");
  expect(listed.length).toBeGreaterThanOrEqual(3);
  for (const { name } of listed) {
    const sort = VERBS[name].operation.query.shape as { sort?: { unwrap(): { options?: readonly string[] } } };
    for (const query of sort.sort?.unwrap().options?.map((one) => ({ sort: one })) ?? [{}]) {
      const { next } = (await (await ask(name, { query: { ...query, limit: 1 } })).json()) as { next: string | null };
      expect(next, name).not.toBeNull();
      const [order, place] = JSON.parse(Buffer.from(next!, "base64url").toString()) as [string, unknown];
      for (const value of [...spoiled([order, place])]) {
        const cursor = Buffer.from(JSON.stringify(value)).toString("base64url");
        await assertRefusedOrAnswered(name, { query: { ...query, cursor } });
      }
    }
  }
});

test("every body, with anything in any place, is taken or refused", { timeout: 480_000 }, async () => {
  for (const name of names.filter((one) => "bodies" in VERBS[one].operation))
    for (const body of spoiled(BODIES[name] ?? {})) await assertRefusedOrAnswered(name, { body });
});
