import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "./config/config";
import { runSupportBundle } from "./support-bundle";
import { freshDatabase, type TestDatabase } from "./testing/database";

const logger = pino({ level: "silent" });
const SECRET = "fw_1_quite-a-secret-key";
let db: TestDatabase;
let folder: string;
beforeAll(async () => {
  db = await freshDatabase();
  folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-bundle-"));
});
afterAll(async () => {
  await db.drop();
  rmSync(folder, { recursive: true });
});

interface Bundle {
  readonly about: { readonly version: string };
  readonly settings: Readonly<Record<string, unknown>>;
  readonly health: readonly { readonly name: string }[];
  readonly database: Readonly<Record<string, unknown>>;
  readonly log: readonly string[] | null;
}

async function collect(...argv: string[]): Promise<{ text: string; bundle: Bundle; said: string }> {
  const out = path.join(folder, "bundle.json.gz");
  const said: string[] = [];
  const env = {
    ...{ DATABASE_URL: db.appUrl, FIELDWATCH_DATA_DIR: folder, FIELDWATCH_KEY: SECRET },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://otlp.plant.invalid:4318", OTEL_EXPORTER_OTLP_HEADERS: `key=${SECRET}` },
    ...{ OTEL_TRACES_SAMPLER_ARG: "0.5", TRACE_URL: "https://jaeger.plant.invalid/trace/{trace}" },
  };
  expect(await runSupportBundle(loadConfig(env, ""), logger, ["--out", out, ...argv], (line) => said.push(line))).toBe(
    0,
  );
  expect((statSync(out).mode & 0o777).toString(8)).toBe("600");
  const text = gunzipSync(readFileSync(out)).toString();
  return { text, bundle: JSON.parse(text) as Bundle, said: said.join("\n") };
}

test("it holds versions, settings, health and figures of the database, and every question has an answer", async () => {
  const { bundle, said } = await collect();
  expect(said).toContain(path.join(folder, "bundle.json.gz"));
  expect(bundle.about.version).toMatch(/^\d/);
  expect(bundle.settings).toMatchObject({ DATABASE_URL: "***", FIELDWATCH_KEY: "***" });
  expect(bundle.settings).toMatchObject({
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://…:4318", OTEL_EXPORTER_OTLP_HEADERS: "***" },
    ...{ OTEL_TRACES_SAMPLER_ARG: 0.5, TRACE_URL: "https://…/trace/{trace}" },
  });
  const asked = bundle.health.map(({ name }) => name);
  expect(asked).toEqual(expect.arrayContaining(["postgres.reachable", "otlp.traces"]));
  for (const [question, answer] of Object.entries(bundle.database)) expect(answer, question).toBeInstanceOf(Array);
  expect(bundle.database.counts).toEqual([
    { devices: 0, metrics: 0, sites: 0, sources: expect.any(Number), rules: expect.any(Number) },
  ]);
  expect(bundle.log).toBeNull();
});

test("what is secret, and who or where somebody is, stands nowhere in it, names of devices and sites neither", async () => {
  const { pool } = db;
  await pool.query(`INSERT INTO site (name) VALUES ('Gebäude 7')`);
  await pool.query(`INSERT INTO device (name, site_id) SELECT 'press-07', id FROM site`);
  await pool.query(`INSERT INTO event (kind, key, device_name, site_name, severity, started_at, data)
    VALUES ('silence', 'press-07', 'press-07', 'Gebäude 7', 'warning', now(), '{"device": "press-07"}'), ('probe', 'postgres.clock', NULL, NULL, 'warning', now(), '{}')`);
  const { username, password, hostname } = new URL(db.appUrl);
  const file = path.join(folder, "fieldwatch.log");
  const lines = [
    `{"msg":"can't connect to ${db.appUrl}"}`,
    `{"msg":"signed in","who":"ada@example.com","from":"203.0.113.7","v6":"2001:db8:0:1:2:3:4:5","at":"12:30:45"}`,
    `{"msg":"key ${SECRET} was refused"}`,
  ];
  writeFileSync(file, lines.join("\n"));
  const { text, bundle } = await collect("--log", file);
  for (const hidden of [
    SECRET,
    password,
    "ada@example.com",
    "203.0.113.7",
    "2001:db8",
    "press-07",
    "Gebäude",
    "plant.invalid",
  ].filter(Boolean))
    expect(text).not.toContain(hidden);
  expect(text).not.toMatch(new RegExp(`//${username}[:@]|${hostname.replaceAll(".", "\\.")}:\\d`));
  expect(bundle.log).toHaveLength(3);
  expect(bundle.log![1]).toContain("12:30:45");
  expect(bundle.database.events).toHaveLength(2);
  expect(bundle.database.events).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ kind: "silence", key: null }),
      expect.objectContaining({ kind: "probe", key: "postgres.clock" }),
    ]),
  );
});

test("of a long log the end is taken, by whole lines; a log that isn't there is said", async () => {
  const file = path.join(folder, "long.log");
  writeFileSync(file, Array.from({ length: 40_000 }, (_, i) => `line ${i} ${"x".repeat(80)}`).join("\n"));
  const { bundle } = await collect("--log", file);
  expect(bundle.log!.length).toBeLessThan(40_000);
  expect(bundle.log![0]).toMatch(/^line \d+ x{80}$/);
  expect(bundle.log!.at(-1)).toMatch(/^line 39999 /);
  await expect(collect("--log", path.join(folder, "none.log"))).rejects.toMatchObject({
    what: "Nothing was collected",
  });
});

test("where it can't be written, that is said with how to name another file", async () => {
  await expect(collect("--out", path.join(folder, "none", "x.gz"))).rejects.toMatchObject({
    what: "The support bundle can't be written",
    why: expect.stringContaining("ENOENT") as string,
    fix: expect.stringContaining("--out") as string,
  });
});
