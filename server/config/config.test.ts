import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { ConfigError, envExample, loadConfig, redacted } from "./config";
import { currentSecret } from "./secret-files";
import * as sections from "./sections";
import type { Variable } from "./variables";

function problemsOf(env: Record<string, string>, dotenv = ""): ConfigError {
  try {
    loadConfig(env, dotenv);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

function refused(env: Record<string, string>): string[] {
  return problemsOf(env).problems.map(({ variable }) => variable);
}

test("nothing set gives the embedded demo on loopback", () => {
  const config = loadConfig({}, "");
  expect(config.server).toMatchObject({ PORT: 3000, HOST: "127.0.0.1" });
  expect(config.demoDevices).toBe(50);
  expect(config.dataDir).toBe(path.resolve(".fieldwatch"));
});

test("all problems are listed at once, each with its name, what is wrong, and an example", () => {
  const error = problemsOf({
    PORT: "seventy",
    LOG_LEVEL: "loud",
    DATABASE_URL: "mysql://x/y",
    TELEMETRY_PARTITIONS: "0",
    DEMO_DEVICES: "-1",
  });
  expect(error.problems.map(({ variable }) => variable).sort()).toEqual(
    ["DATABASE_URL", "DEMO_DEVICES", "LOG_LEVEL", "PORT", "TELEMETRY_PARTITIONS"].sort(),
  );
  expect(error.message).toContain("5 problems");
  expect(error.message).toContain("PORT: must be a whole number");
  expect(error.message).toContain("for example PORT=3000");
});

test("the environment wins over .env, and an empty variable is one not set", () => {
  const dotenv = "# comment\nPORT=4000\nHOST='::1'\n";
  expect(loadConfig({}, dotenv).server).toMatchObject({ PORT: 4000, HOST: "::1" });
  expect(loadConfig({ PORT: "5000" }, dotenv).server.PORT).toBe(5000);
  expect(loadConfig({ PORT: "" }, dotenv).server.PORT).toBe(4000);
});

test("cold storage is a folder or a bucket, and what can't be one is told with the form it has", () => {
  const told = (url: string) => problemsOf({ COLD_URL: url }).message;
  expect(told("s3://b/x")).toContain('COLD_URL: names the bucket "b": a bucket\'s name has 3 to 63 small letters');
  for (const url of ["/var/cold", "file://var/cold", "s3://key:word@bucket/x", "gs://bucket/x"])
    expect(told(url)).toContain("COLD_URL: must be file:///a/folder or s3://bucket/prefix, as s3://plant-telemetry/");
  expect(told("s3://bucket/100%")).toContain("has a % that stands for no character");
  const key = { COLD_S3_ACCESS_KEY_ID: "AKIA", COLD_S3_SECRET_ACCESS_KEY: "secret" };
  expect(loadConfig({ COLD_URL: "s3://plant-telemetry/a/b/", ...key }, "").cold.COLD_URL).toEqual({
    ...{ kind: "s3", bucket: "plant-telemetry", prefix: "a/b" },
  });
});

test("Kafka and MongoDB are named by addresses that can be read", () => {
  const { engines } = loadConfig({ KAFKA_BROKERS: "one:9092, 10.0.0.2:9093", MONGODB_URI: "mongodb://a,b/x" }, "");
  expect(engines.KAFKA_BROKERS).toEqual(["one:9092", "10.0.0.2:9093"]);
  expect(engines.KAFKA_SSL).toBe(false);
  expect(refused({ KAFKA_BROKERS: "one", MONGODB_URI: "localhost:27017" })).toEqual(["KAFKA_BROKERS", "MONGODB_URI"]);
  expect(refused({ KAFKA_BROKERS: "a:1,b:70000" })).toEqual(["KAFKA_BROKERS"]);
  expect(refused({ KAFKA_BROKERS: "[::1]:9092" })).toEqual(["KAFKA_BROKERS"]);
});

test("a half sign-in to Kafka is refused, naming what is missing", () => {
  const KAFKA_BROKERS = "one:9092";
  expect(refused({ KAFKA_BROKERS, KAFKA_SASL_MECHANISM: "plain" })).toEqual([
    "KAFKA_SASL_USERNAME",
    "KAFKA_SASL_PASSWORD",
  ]);
  expect(refused({ KAFKA_BROKERS, KAFKA_SASL_PASSWORD: "x" })).toEqual(["KAFKA_SASL_MECHANISM"]);
  expect(refused({ KAFKA_BROKERS, KAFKA_SSL_CA_FILE: "/nowhere" })).toEqual(["KAFKA_SSL", "KAFKA_SSL_CA_FILE"]);
  expect(refused({ KAFKA_SSL: "true" })).toEqual(["KAFKA_BROKERS"]);
});

test("a real engine turns the demo off unless it is asked for", () => {
  expect(loadConfig({ KAFKA_BROKERS: "one:9092" }, "").demoDevices).toBe(0);
  expect(loadConfig({ MONGODB_URI: "mongodb://one" }, "").demoDevices).toBe(0);
  const DATABASE_URL = "postgresql://u:p@db/fieldwatch";
  expect(loadConfig({ DATABASE_URL }, "").demoDevices).toBe(0);
  expect(loadConfig({ DATABASE_URL, DEMO_DEVICES: "7" }, "").demoDevices).toBe(7);
  expect(loadConfig({ DEMO_DEVICES: "0" }, "").demoDevices).toBe(0);
});

test.each([
  [{ DEMO_DEVICES: "500", MAX_DEVICES: "100" }, "DEMO_DEVICES"],
  [{ READINGS_RETENTION_DAYS: "1", LOG_RETENTION_HOURS: "168" }, "READINGS_RETENTION_DAYS"],
  [{ ARCHIVE_RETENTION_DAYS: "1", LOG_RETENTION_HOURS: "168" }, "ARCHIVE_RETENTION_DAYS"],
  [{ DATABASE_URL: "postgresql://u:p@localhost/f", PORT: "5432" }, "PORT"],
])("unsafe together: %o", (env, variable) => {
  expect(problemsOf(env).problems.map((problem) => problem.variable)).toEqual([variable]);
});

test("secrets are hidden in what is logged", () => {
  const shown = redacted(loadConfig({ DATABASE_URL: "postgresql://u:hunter2@db/f" }, ""));
  expect(shown.DATABASE_URL).toBe("***");
  expect(JSON.stringify(shown)).not.toContain("hunter2");
  expect(shown.PORT).toBe(3000);
});

test("every secret can come from a file, which is read again as it is replaced; both, or a file that can't be used, are refused", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-secrets-"));
  const file = path.join(folder, "secret");
  writeFileSync(file, "postgresql://u:one@db/f\n");
  const secrets = Object.values(sections).flatMap((table) =>
    Object.entries(table as Record<string, Variable>).flatMap(([name, { secret }]) => (secret ? [name] : [])),
  );
  expect(secrets).toEqual(
    expect.arrayContaining([
      "DATABASE_URL",
      "MIGRATION_DATABASE_URL",
      "MONGODB_URI",
      "KAFKA_SASL_PASSWORD",
      "FIELDWATCH_KEY",
    ]),
  );
  const config = loadConfig({ DATABASE_URL_FILE: file }, "");
  expect(config.engines.DATABASE_URL).toBe("postgresql://u:one@db/f");
  expect(config.secretFiles).toEqual({ DATABASE_URL: file });
  expect(redacted(config).DATABASE_URL).toBe("***");
  const now = () => currentSecret(config.secretFiles, "DATABASE_URL", config.engines.DATABASE_URL);
  writeFileSync(file, "postgresql://u:two@db/f");
  expect(now()).toBe("postgresql://u:two@db/f");
  writeFileSync(file, "");
  expect(now()).toBe("postgresql://u:one@db/f");
  for (const name of secrets) {
    expect(refused({ [`${name}_FILE`]: file }), name).toEqual([`${name}_FILE`]);
    expect(refused({ [`${name}_FILE`]: path.join(folder, "none") }), name).toEqual([`${name}_FILE`]);
  }
  writeFileSync(file, "postgresql://u:one@db/f");
  expect(refused({ DATABASE_URL_FILE: file, DATABASE_URL: "postgresql://u:one@db/f" })).toEqual(["DATABASE_URL_FILE"]);
  writeFileSync(file, "nothing");
  expect(problemsOf({ DATABASE_URL_FILE: file }).message).not.toContain("nothing");
  rmSync(folder, { recursive: true });
});

test("every example is valid, and .env.example is current", () => {
  for (const table of Object.values(sections)) {
    for (const [name, { schema, example }] of Object.entries(table)) {
      expect(schema.safeParse(example).success, name).toBe(true);
    }
  }
  const root = path.resolve(import.meta.dirname, "..", "..");
  expect(readFileSync(path.join(root, ".env.example"), "utf8")).toBe(envExample());
});
