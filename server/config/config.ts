import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { counted } from "@/server/domain/counted";
import { isLoopback } from "./loopback";
import { fileVariable, readSecretFile, type SecretFiles } from "./secret-files";
import * as sections from "./sections";
import type { Section, Variable } from "./variables";

type Sections = typeof sections;

/** The whole configuration: one section a room, keyed by variable name. */
export type Config = { readonly [S in keyof Sections]: Section<Sections[S]> } & {
  /** Simulated devices after the default is settled. */
  readonly demoDevices: number;
  /** Absolute path of the data folder. */
  readonly dataDir: string;
  /** Absolute paths of the files that secrets came from. */
  readonly secretFiles: SecretFiles;
};

/** Thrown with every problem at once; the message is ready for a person to read. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly problems: readonly ConfigProblem[]) {
    const lines = problems.map(
      ({ variable, problem, example }) => `  ${variable}: ${problem}\n      for example ${variable}=${example}`,
    );
    super(`The configuration has ${counted(problems.length, "problem")}:\n${lines.join("\n")}`);
  }
}

export interface ConfigProblem {
  readonly variable: string;
  readonly problem: string;
  readonly example: string;
}

/**
 * Reads the configuration from the environment, over `.env` in the working folder.
 * @throws ConfigError listing everything that is wrong.
 */
export function loadConfig(env: NodeJS.Dict<string> = process.env, dotenv: string = readDotenv()): Config {
  // A variable set to nothing is the same as one not set: `PORT= npm start`, or a blank line in .env.
  const filled = (values: NodeJS.Dict<string>) => Object.entries(values).filter(([, value]) => value !== "");
  const values: Record<string, string | undefined> = Object.fromEntries([...filled(parseEnv(dotenv)), ...filled(env)]);
  const problems: ConfigProblem[] = [];
  const secretFiles: Record<string, string> = {};
  const read: Record<string, Record<string, unknown>> = {};
  for (const [name, table] of Object.entries(sections) as [string, Record<string, Variable>][]) {
    const section: Record<string, unknown> = {};
    for (const [variable, { schema, example, secret }] of Object.entries(table)) {
      const file = secret ? values[fileVariable(variable)] : undefined;
      const found = file === undefined ? values[variable] : secretFrom(file, variable, values[variable]);
      if (typeof found === "object") {
        problems.push(found);
        continue;
      }
      if (file !== undefined) secretFiles[variable] = path.resolve(file);
      const result = schema.safeParse(found);
      if (result.success) section[variable] = result.data;
      else problems.push({ variable, problem: result.error.issues.map((issue) => issue.message).join("; "), example });
    }
    read[name] = section;
  }
  if (problems.length > 0) throw new ConfigError(problems);

  const typed = read as unknown as { [S in keyof Sections]: Section<Sections[S]> };
  const config: Config = {
    ...typed,
    demoDevices: typed.simulator.DEMO_DEVICES ?? (hasRealEngine(typed) ? 0 : 50),
    dataDir: path.resolve(typed.server.FIELDWATCH_DATA_DIR),
    secretFiles,
  };
  const unsafe = unsafeCombinations(config);
  if (unsafe.length > 0) throw new ConfigError(unsafe);
  return config;
}

/** Reads what a secret's file holds; the problem if there is one. */
function secretFrom(file: string, variable: string, value: string | undefined): string | ConfigProblem {
  const problemOf = (problem: string) => ({
    variable: fileVariable(variable),
    problem,
    example: `/run/secrets/${variable.toLowerCase()}`,
  });
  if (value !== undefined) return problemOf(`and ${variable} are both set: leave one of them out`);
  try {
    return readSecretFile(file);
  } catch (error) {
    return problemOf(`names a file that can't be used: ${(error as Error).message}`);
  }
}

/** Returns true if messages or readings go to an engine that may hold real ones. */
function hasRealEngine({ engines }: Pick<Config, "engines">): boolean {
  return [engines.DATABASE_URL, engines.KAFKA_BROKERS, engines.MONGODB_URI].some((value) => value !== undefined);
}

/** Settings that are each valid, but together would lose data or mislead. */
function unsafeCombinations(config: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (config.demoDevices > config.pipeline.MAX_DEVICES) {
    problems.push({
      variable: "DEMO_DEVICES",
      problem: `is ${config.demoDevices}, more than MAX_DEVICES (${config.pipeline.MAX_DEVICES}): the rest would become dead letters`,
      example: String(config.pipeline.MAX_DEVICES),
    });
  }
  const readingsHours = config.pipeline.READINGS_RETENTION_DAYS * 24;
  if (readingsHours > 0 && readingsHours < config.eventLog.LOG_RETENTION_HOURS) {
    problems.push({
      variable: "READINGS_RETENTION_DAYS",
      problem: `keeps readings for less than LOG_RETENTION_HOURS (${config.eventLog.LOG_RETENTION_HOURS} h): messages waiting in the log could be too old when their turn comes`,
      example: String(Math.ceil(config.eventLog.LOG_RETENTION_HOURS / 24)),
    });
  }
  if (config.pipeline.ARCHIVE_RETENTION_DAYS * 24 < config.eventLog.LOG_RETENTION_HOURS) {
    problems.push({
      variable: "ARCHIVE_RETENTION_DAYS",
      problem: `keeps messages for less than LOG_RETENTION_HOURS (${config.eventLog.LOG_RETENTION_HOURS} h)`,
      example: String(Math.ceil(config.eventLog.LOG_RETENTION_HOURS / 24)),
    });
  }
  problems.push(
    ...kafkaSignIn(config),
    ...coldStorage(config),
    ...firstAccount(config),
    ...migration(config),
    ...identityProvider(config),
    ...metricsPush(config),
  );
  const database = config.engines.DATABASE_URL === undefined ? undefined : new URL(config.engines.DATABASE_URL);
  if (database && isLoopback(database.hostname) && Number(database.port || 5432) === config.server.PORT) {
    problems.push({ variable: "PORT", problem: "is the port of DATABASE_URL on this machine", example: "3000" });
  }
  return problems;
}

/** What S3 needs, and what says nothing without it. */
function coldStorage({ cold }: Config): ConfigProblem[] {
  const { COLD_URL: place, COLD_S3_ACCESS_KEY_ID: id, COLD_S3_SECRET_ACCESS_KEY: secret } = cold;
  const missing = (variable: keyof typeof cold, because: string, example: string) => [
    { variable, problem: `is missing: ${because}`, example },
  ];
  if (place?.kind !== "s3") {
    const isGiven = id !== undefined || secret !== undefined || cold.COLD_S3_ENDPOINT !== undefined;
    return isGiven
      ? missing("COLD_URL", "other COLD_S3_… variables are set, and it names no bucket", "s3://bucket/prefix")
      : [];
  }
  return [
    ...(id === undefined ? missing("COLD_S3_ACCESS_KEY_ID", "COLD_URL names a bucket", "AKIA…") : []),
    ...(secret === undefined ? missing("COLD_S3_SECRET_ACCESS_KEY", "COLD_URL names a bucket", "secret") : []),
  ];
}

/** The owner's address, which says nothing without the other, and must lead to the same database. */
function migration({ engines }: Config): ConfigProblem[] {
  const { DATABASE_URL: own, MIGRATION_DATABASE_URL: owner } = engines;
  if (owner === undefined) return [];
  const example = "postgresql://fieldwatch:secret@localhost:5432/fieldwatch";
  if (own === undefined)
    return [{ variable: "DATABASE_URL", problem: "is missing: MIGRATION_DATABASE_URL is set", example }];
  if (new URL(own).pathname === new URL(owner).pathname) return [];
  const problem = "names another database than DATABASE_URL";
  return [{ variable: "MIGRATION_DATABASE_URL", problem, example }];
}

/** The first account's variables, which say nothing without each other. */
function firstAccount({ access }: Config): ConfigProblem[] {
  const { ADMIN_EMAIL: email, ADMIN_PASSWORD_FILE: file } = access;
  if (email !== undefined && file === undefined)
    return [
      {
        variable: "ADMIN_PASSWORD_FILE",
        problem: "is missing: ADMIN_EMAIL is set",
        example: "/run/secrets/admin_password",
      },
    ];
  if (file === undefined) return [];
  if (email === undefined)
    return [{ variable: "ADMIN_EMAIL", problem: "is missing: ADMIN_PASSWORD_FILE is set", example: "ada@example.org" }];
  if (!existsSync(file))
    return [
      {
        variable: "ADMIN_PASSWORD_FILE",
        problem: `names ${file}, which is not there`,
        example: "/run/secrets/admin_password",
      },
    ];
  return [];
}

/** The identity provider's variables that say nothing without each other. */
function identityProvider({ provider }: Config): ConfigProblem[] {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: id, OIDC_CLIENT_SECRET: secret, OIDC_ROLES: roles } = provider;
  const missing = (variable: keyof typeof provider, because: string, example: string) => [
    { variable, problem: `is missing: ${because}`, example },
  ];
  if (issuer === undefined) {
    const alone = id !== undefined || secret !== undefined || roles.length > 0;
    return alone ? missing("OIDC_ISSUER", "other OIDC_… variables are set", "https://login.example/realms/plant") : [];
  }
  return [
    ...(id === undefined ? missing("OIDC_CLIENT_ID", "OIDC_ISSUER is set", "fieldwatch") : []),
    ...(roles.length === 0
      ? missing("OIDC_ROLES", "without it nobody who signs in at the provider may see anything", "plant-ops=operator")
      : []),
  ];
}

/** Metrics that are to be sent go where traces do. */
function metricsPush({ metrics, tracing }: Config): ConfigProblem[] {
  if (metrics.OTEL_METRICS_EXPORTER === "none" || tracing.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined) return [];
  const problem = "is missing: OTEL_METRICS_EXPORTER is otlp";
  return [{ variable: "OTEL_EXPORTER_OTLP_ENDPOINT", problem, example: "http://127.0.0.1:4318" }];
}

/** Kafka's variables that say nothing without each other. */
function kafkaSignIn({ engines }: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: user, KAFKA_SASL_PASSWORD: password } = engines;
  const missing = (variable: keyof typeof engines, because: string, example: string) =>
    problems.push({ variable, problem: `is missing: ${because}`, example });
  if (mechanism !== undefined) {
    if (user === undefined) missing("KAFKA_SASL_USERNAME", "KAFKA_SASL_MECHANISM is set", "fieldwatch");
    if (password === undefined) missing("KAFKA_SASL_PASSWORD", "KAFKA_SASL_MECHANISM is set", "secret");
  } else if (user !== undefined || password !== undefined) {
    missing("KAFKA_SASL_MECHANISM", "a Kafka user or password is set", "scram-sha-512");
  }
  if (engines.KAFKA_SSL_CA_FILE !== undefined && !engines.KAFKA_SSL)
    missing("KAFKA_SSL", "KAFKA_SSL_CA_FILE is set, but TLS is off", "true");
  if (engines.KAFKA_SSL_CA_FILE !== undefined && !existsSync(engines.KAFKA_SSL_CA_FILE)) {
    const problem = `names ${engines.KAFKA_SSL_CA_FILE}, which is not there`;
    problems.push({ variable: "KAFKA_SSL_CA_FILE", problem, example: "/etc/fieldwatch/kafka-ca.pem" });
  }
  if (engines.KAFKA_BROKERS === undefined && (mechanism !== undefined || engines.KAFKA_SSL))
    missing("KAFKA_BROKERS", "Kafka's sign-in or TLS is set", "localhost:9092");
  return problems;
}

/** The configuration with every secret hidden, for the log. */
export function redacted(config: Config): Record<string, unknown> {
  const shown = settingsIn(config).map(({ variable, value, secret }) => [variable, secret ? "***" : value] as const);
  return { ...Object.fromEntries(shown), DEMO_DEVICES: config.demoDevices };
}

/** The secrets of the configuration as they are written anywhere: whole, and the passwords within addresses. */
export function secretsIn(config: Config): string[] {
  const found = settingsIn(config).flatMap(({ value, secret }) => {
    if (!secret || typeof value !== "string") return [];
    const [, password] = /^[a-z0-9+]+:\/\/[^:/?#@]*:([^@/?#]+)@/i.exec(value) ?? [];
    return password === undefined ? [value] : [value, password, decoded(password)];
  });
  return [...new Set(found)].filter((secret) => secret.length > 0);
}

/** Every setting that has a value. */
function settingsIn(config: Config): { variable: string; value: unknown; secret: boolean }[] {
  return (Object.entries(sections) as [keyof Sections, Record<string, Variable>][]).flatMap(([name, table]) =>
    Object.entries(table).flatMap(([variable, { secret }]) => {
      const value = (config[name] as Record<string, unknown>)[variable];
      return value === undefined ? [] : [{ variable, value, secret: Boolean(secret) }];
    }),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The text of .env.example: every variable, its meaning, and a value to copy. */
export function envExample(): string {
  const titles: Record<keyof Sections, string> = {
    server: "Where Fieldwatch listens and keeps its files",
    access: "Who may come in",
    provider: "Signing in at an identity provider (OpenID Connect)",
    frontDoor: "Whom the front door lets in",
    engines: "Engines outside of Fieldwatch",
    eventLog: "Event log",
    cold: "Cold storage",
    cost: "Cost",
    lineage: "Lineage",
    pipeline: "Pipeline",
    ingest: "Telemetry route",
    intake: "Doors of sources",
    simulator: "Simulator",
    metrics: "Metrics",
    tracing: "Traces",
  };
  // The order above is kept: the members of a module come in one order from source and in another when bundled.
  const parts = Object.entries(titles).map(([name, title]) => {
    const table: Record<string, Variable> = sections[name as keyof Sections];
    const lines = Object.entries(table).map(([variable, { about, example, secret }]) => {
      const file = secret ? `\n# or ${fileVariable(variable)}=/run/secrets/${variable.toLowerCase()}` : "";
      return `# ${about}\n# ${variable}=${example}${file}`;
    });
    return `## ${title}\n\n${lines.join("\n\n")}\n`;
  });
  return `# Copy to .env and uncomment what you change. Generated from server/config by \`npm run generate\`.\n\n${parts.join("\n")}`;
}

function readDotenv(): string {
  try {
    return readFileSync(".env", "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
