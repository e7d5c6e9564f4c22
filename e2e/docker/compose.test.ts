import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseEnv } from "node:util";
import Ajv2020 from "ajv/dist/2020";
import { afterAll, describe, expect, test } from "vitest";
import { mqttListener } from "@/server/config/address";
import { parse } from "yaml";
import { loadConfig } from "@/server/config/config";
import { LOG_FIELDS } from "@/server/observability/logs/fields";
import { createKeptSecrets } from "@/server/config/kept-secrets";
import { refuseExposure } from "@/server/config/exposure";
import * as sections from "@/server/config/sections";
import { type ComposeFile, readCompose, readEnvExample, resolveCompose, ROOT, type Service } from "./compose-file";
import { imageEnvironment } from "./dockerfile";

// There is no Docker engine where these tests run: they hold the file against the published schema and against what the product does.
const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");
const { text, named, required } = readCompose();
const example = readEnvExample();
const passwords = Object.fromEntries(required.map((name, at) => [name, `0123456789abcdef${at}`]));
const compose = resolveCompose(text, { ...example, ...passwords });
const services = Object.entries(compose.services);
const own = services.filter(([, { build }]) => build !== undefined);
const roles = own.filter(([, { entrypoint }]) => entrypoint === undefined);
/** They end when they are done: what waits for one waits for its exit code. */
const ENDING = ["keys", "migrate"];
const engines = services.filter(([, { build, profiles }]) => build === undefined && profiles === undefined);
const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-compose-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the published schema", () => {
  const schema = read("docker/compose-spec.json");
  const validate = new Ajv2020({ allErrors: true, strict: false }).compile(JSON.parse(schema) as object);
  const problems = (file: unknown) =>
    validate(file) ? [] : validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);

  test("is the copy that is named beside it", () => {
    expect(read("docker/compose-spec.md")).toContain(createHash("sha256").update(schema).digest("hex"));
  });

  test("accepts the file", () => expect(problems(compose)).toEqual([]));

  test.each<[string, (web: Record<string, unknown>) => void]>([
    ["a key it doesn't know", (web) => (web.restarts = "always")],
    ["a condition it doesn't know", (web) => (web.depends_on = { kafka: { condition: "service_ready" } })],
    ["a duration that is none", (web) => (web.healthcheck = { test: ["CMD", "true"], retries: [1] })],
  ])("refuses %s", (_, spoil) => {
    const spoilt = structuredClone(compose) as unknown as { services: { web: Record<string, unknown> } };
    spoil(spoilt.services.web);
    expect(problems(spoilt)).not.toEqual([]);
  });
});

describe("variables", () => {
  test("those of the file are those of docker/.env.example", () => {
    expect(named).toEqual(Object.keys(example).sort());
  });

  test("every $ is a variable or doubled", () => {
    expect(text.replace(/^\s*#.*$/gm, "").match(/\$(?![${])(?<!\$\$)/g)).toBeNull();
  });

  test("passwords are required, have no default, and stand nowhere", () => {
    expect(required).toEqual([
      "MONGODB_PASSWORD",
      "MONGODB_ROOT_PASSWORD",
      "POSTGRES_APP_PASSWORD",
      "POSTGRES_PASSWORD",
    ]);
    for (const name of required) {
      expect(example[name]).toBe("");
      expect(() => resolveCompose(text, { ...passwords, [name]: "" })).toThrow(`${name} is not set`);
      expect(text).not.toMatch(new RegExp(`\\$\\{${name}(?!:\\?)`));
    }
    // Without the variables, no password is left where one belongs.
    const rest = text.replace(/\$\{[^}]*\}|\$\$\w+/g, "");
    expect(rest.match(/(password|secret|token)\w*["']? *[:=] *["']?[\w-]+/gi) ?? []).toEqual([]);
    expect(rest).not.toMatch(/:\/\/[^\s/:@]+:[^\s/@]+@/);
  });

  test("work without docker/.env.example's optional ones", () => {
    expect(resolveCompose(text, passwords)).toEqual(compose);
  });

  test("as docs/docker.md makes them", () => {
    const lines = /```sh\n([^`]*openssl[^`]*)```/.exec(read("docs/docker.md"))![1]!;
    mkdirSync(path.join(folder, "docker"));
    writeFileSync(path.join(folder, "docker/.env.example"), read("docker/.env.example"));
    execFileSync("sh", ["-e", "-c", lines], { cwd: folder });
    const made = parseEnv(readFileSync(path.join(folder, "docker/.env"), "utf8")) as Record<string, string>;
    expect(new Set(required.map((name) => made[name])).size).toBe(required.length);
    for (const name of required) expect(made[name]).toMatch(/^[0-9a-f]{48}$/);
    const resolved = resolveCompose(text, made);
    expect(configOf(resolved.services.web!).engines.DATABASE_URL).toContain(made.POSTGRES_APP_PASSWORD);
  });
});

describe("every service", () => {
  test("is there", () => {
    expect(services.map(([name]) => name).sort()).toEqual(
      [
        ...["intake", "kafka", "keys", "migrate", "mongodb", "postgresql", "simulator", "web", "worker"],
        ...["alloy", "grafana", "jaeger", "loki", "prometheus"],
      ].sort(),
    );
    // What the program runs beside `start`, and goes on running.
    const running = [...read("server/main.ts").matchAll(/^ {2}(\w+): async .*\n.*(?:\n.*)?runRole\(/gm)].map(
      ([, role]) => role,
    );
    expect(running).toHaveLength(4);
    expect(services.map(([name]) => name)).toEqual(expect.arrayContaining(running));
  });

  test.each(services)("%s has a pinned image, bounds, and a policy", (name, service) => {
    expect(service.image).toMatch(/^[a-z]+(\/[a-z]+)?:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
    expect(service.mem_limit).toMatch(/^\d+[mg]$/);
    expect(service.restart).toBe(ENDING.includes(name) ? "no" : "unless-stopped");
    const labels = "com.docker.compose.project,com.docker.compose.service";
    expect(service.logging).toEqual({ driver: "json-file", options: { "max-size": "10m", "max-file": "3", labels } });
  });

  test.each(services)("%s is asked whether it is ready", (name, { healthcheck }) => {
    if (ENDING.includes(name)) return expect(healthcheck).toEqual({ disable: true });
    expect(healthcheck?.test?.join(" ")).toMatch(
      {
        kafka: /kafka-broker-api-versions\.sh --bootstrap-server kafka:19092/,
        mongodb: /mongosh fieldwatch .*--host mongodb .*--username fieldwatch .*ping/,
        postgresql:
          /PGPASSWORD="\$POSTGRES_PASSWORD" psql --host=postgresql --username=fieldwatch --dbname=fieldwatch .*SELECT 1/,
        web: /healthcheck\.mjs \/api\/readyz$/,
        worker: /healthcheck\.mjs$/,
        intake: /healthcheck\.mjs$/,
        simulator: /healthcheck\.mjs$/,
        prometheus: /^CMD promtool check ready --url=http:\/\/localhost:9090$/,
        grafana: /http:\/\/localhost:3000\/api\/health$/,
        jaeger: /http:\/\/127\.0\.0\.1:13133\/status$/,
        loki: /^CMD \/usr\/bin\/loki -health$/,
        alloy: /127\.0\.0\.1\/12345 .*GET \/-\/ready /,
      }[name]!,
    );
    for (const key of ["interval", "timeout", "start_period"]) expect(healthcheck?.[key]).toMatch(/^\d+s$/);
  });

  test("is published on loopback alone, unless WEB_ADDRESS or MQTT_ADDRESS says otherwise", () => {
    const published = services.flatMap(([, { ports = [] }]) => ports);
    expect(published.filter((port) => !port.startsWith("127.0.0.1:"))).toEqual([]);
    const openedBy = (variable: string) =>
      Object.entries(resolveCompose(text, { ...passwords, [variable]: "0.0.0.0" }).services).flatMap(
        ([name, { ports = [] }]) => (ports.join().includes("0.0.0.0") ? [name] : []),
      );
    expect([openedBy("WEB_ADDRESS"), openedBy("MQTT_ADDRESS")]).toEqual([["web"], ["intake"]]);
  });

  test("starts where it listens, published on this machine alone; told that it isn't, it wants encryption", () => {
    const strict = resolveCompose(text, { ...passwords, ALLOW_PLAIN_HTTP: "false" });
    for (const role of ["web", "intake"]) {
      refuseExposure(configOf(compose.services[role]!));
      expect(() => refuseExposure(configOf(strict.services[role]!))).toThrow("TLS_CERT_FILE");
    }
  });

  test("keeps its data in a named volume", () => {
    const used = services.flatMap(([, { volumes = [] }]) => volumes).filter((volume) => !/^[./]/.test(volume));
    // The simulator's has two users: migrate leaves the key there by which it sends.
    expect([...new Set(used.map((volume) => volume.split(":")[0]))].sort()).toEqual(
      Object.keys(compose.volumes).sort(),
    );
    // The image of version 18 and later keeps its data below this folder, and refuses a volume at the old place.
    expect(compose.services.postgresql!.volumes).toEqual(["postgresql:/var/lib/postgresql"]);
    expect(compose.services.mongodb!.volumes).toContain("mongodb:/data/db");
  });
});

describe("engines", () => {
  test("have the names and ports of docker/.env", () => {
    const ports = { KAFKA_PORT: "19091", MONGODB_PORT: "27018", POSTGRES_PORT: "5433", WEB_PORT: "3001" };
    const moved = resolveCompose(text, { ...passwords, ...ports }).services;
    const seen = engines.map(([name, { container_name }]) => [name, container_name, moved[name]!.ports]);
    expect(seen).toEqual([
      ["kafka", "iot_kafka", ["127.0.0.1:19091:9092"]],
      ["mongodb", "iot_mongodb", ["127.0.0.1:27018:27017"]],
      ["postgresql", "iot_postgresql", ["127.0.0.1:5433:5432"]],
    ]);
    expect(moved.web!.ports).toEqual(["127.0.0.1:3001:3000"]);
    expect(listenersOf(moved.kafka!, "KAFKA_ADVERTISED_LISTENERS").LOCALHOST).toBe("localhost:19091");
  });

  test("Kafka tells each side the address it can reach", () => {
    const { kafka } = compose.services;
    const listening = listenersOf(kafka!, "KAFKA_LISTENERS");
    const advertised = listenersOf(kafka!, "KAFKA_ADVERTISED_LISTENERS");
    const [, published, inContainer] = kafka!.ports![0]!.split(":");
    expect(advertised).toEqual({ INSIDE: "kafka:19092", LOCALHOST: `localhost:${published}` });
    expect(listening).toEqual({ INSIDE: ":19092", LOCALHOST: `:${inContainer}`, CONTROLLER: ":29093" });
    const { KAFKA_CONTROLLER_QUORUM_VOTERS: voters, KAFKA_INTER_BROKER_LISTENER_NAME: between } = kafka!.environment!;
    expect(voters).toBe(`${kafka!.environment!.KAFKA_NODE_ID}@kafka${listening.CONTROLLER}`);
    expect(between).toBe("INSIDE");
    expect(configOf(compose.services.worker!).engines.KAFKA_BROKERS).toEqual([advertised.INSIDE]);
  });

  test("Kafka is the version the tests run on", () => {
    const tested = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(read("e2e/engines/pom.xml"))![1];
    expect(compose.services.kafka!.image).toBe(`apache/kafka:${tested}`);
  });

  test("Kafka's cluster id is new with a new volume, and stays with it", () => {
    const data = path.join(folder, "kafka");
    mkdirSync(data);
    const start = () => {
      const command = compose.services
        .kafka!.command!.at(-1)!
        .replace("/var/lib/kafka/data", data)
        .replace("/opt/kafka/bin/kafka-storage.sh random-uuid", "node -p 'crypto.randomUUID()'")
        .replace("exec /etc/kafka/docker/run", "printenv CLUSTER_ID");
      return execFileSync("bash", ["-c", command], { encoding: "utf8" }).trim();
    };
    const first = start();
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(start()).not.toBe(first);
    writeFileSync(path.join(data, "meta.properties"), `#\nnode.id=1\nversion=1\ncluster.id=${first}\n`);
    expect([start(), start()]).toEqual([first, first]);
  });

  test("MongoDB and PostgreSQL have the user and database that Fieldwatch asks for", () => {
    const { mongodb, postgresql, migrate, web } = compose.services;
    const { DATABASE_URL, MIGRATION_DATABASE_URL, MONGODB_URI } = configOf(migrate!).engines;
    const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = postgresql!.environment!;
    expect(MIGRATION_DATABASE_URL).toBe(
      `postgresql://${POSTGRES_USER}:${POSTGRES_PASSWORD}@postgresql:${postgresql!.ports![0]!.split(":").at(-1)}/${POSTGRES_DB}`,
    );
    // All others sign in as a user that migrate makes.
    const runtime = Object.assign(new URL(MIGRATION_DATABASE_URL!), {
      username: "fieldwatch_app",
      password: passwords.POSTGRES_APP_PASSWORD,
    });
    expect(DATABASE_URL).toBe(runtime.href);
    expect(configOf(web!).engines).toMatchObject({ DATABASE_URL, MIGRATION_DATABASE_URL: undefined });
    const { FIELDWATCH_PASSWORD, MONGO_INITDB_ROOT_PASSWORD } = mongodb!.environment!;
    expect(MONGODB_URI).toBe(`mongodb://fieldwatch:${FIELDWATCH_PASSWORD}@mongodb:27017/fieldwatch`);
    expect(MONGO_INITDB_ROOT_PASSWORD).not.toBe(FIELDWATCH_PASSWORD);
    const created: unknown[] = [];
    const db = { getSiblingDB: (name: string) => ({ createUser: (user: object) => created.push({ name, ...user }) }) };
    new Function("db", "process", read("docker/mongodb/create-user.js"))(db, { env: mongodb!.environment });
    expect(created).toMatchObject([{ name: "fieldwatch", user: "fieldwatch", pwd: FIELDWATCH_PASSWORD }]);
    expect(mongodb!.volumes).toContain("./mongodb/create-user.js:/docker-entrypoint-initdb.d/create-user.js:ro");
  });
});

describe("Fieldwatch", () => {
  test.each(own)("%s is the one image, of this version, and writes where it has a volume", (_, service) => {
    const { version } = JSON.parse(read("package.json")) as { version: string };
    expect(service.image).toBe(`fieldwatch:${version}`);
    expect(service.build).toEqual({ context: "..", dockerfile: "docker/Dockerfile" });
    expect([service.init, service.read_only]).toEqual([true, true]);
  });

  test.each(roles)("%s is a role the program has", (name, service) => {
    expect(service.command).toEqual([name]);
    expect(read("server/main.ts")).toMatch(new RegExp(`^  ${name}: async `, "m"));
  });

  test.each(roles)("%s starts with variables that the configuration knows and accepts", (name, service) => {
    const known = new Set([...Object.values(sections).flatMap((table) => Object.keys(table)), "NODE_ENV"]);
    expect(Object.keys(service.environment!).filter((variable) => !known.has(variable))).toEqual([]);
    const config = configOf(service);
    expect(config.server).toMatchObject({ HOST: "0.0.0.0", PORT: 3000, LOG_FORMAT: "json" });
    expect(config.demoDevices).toBe(name === "simulator" ? 50 : 0);
    if (name === "simulator") expect(config.simulator.SIMULATOR_URL).toBe("http://web:3000");
    if (name === "web")
      expect(config.frontDoor.ALLOWED_HOSTS).toEqual(["localhost", "127.0.0.1", "web", "web.metrics"]);
    if (name !== "simulator")
      expect([config.engines.DATABASE_URL, config.engines.MONGODB_URI]).not.toContain(undefined);
    const holds = { simulator: "simulator", migrate: "simulator", worker: "audit" }[name];
    const key = ["web", "worker", "intake"].includes(name) ? ["keys:/keys:ro"] : [];
    expect(service.volumes ?? []).toEqual([...(holds === undefined ? [] : [`${holds}:${config.dataDir}`]), ...key]);
    expect(config.access.SECRETS_KEY_FILE).toBe(key.length > 0 ? "/keys/secrets.key" : undefined);
  });

  test("web and intake have the same key for the passwords of others, made once", () => {
    const { keys, web, intake } = compose.services;
    expect([keys!.volumes, keys!.network_mode]).toEqual([["keys:/keys"], "none"]);
    const place = path.join(folder, "keys");
    mkdirSync(place);
    const [shell, option, script] = keys!.entrypoint as [string, string, string];
    const make = () => execFileSync(shell, [option, script.replaceAll("/keys", place)]);
    const file = path.join(place, "secrets.key");
    make();
    const first = readFileSync(file, "utf8");
    make();
    expect([readFileSync(file, "utf8"), (statSync(file).mode & 0o777).toString(8)]).toEqual([first, "600"]);
    const [taken, used] = [web, intake].map((service) => {
      const { access, dataDir } = configOf(service!);
      const there = path.join(place, path.relative("/keys", access.SECRETS_KEY_FILE!));
      return createKeptSecrets({ dataDir, access: { ...access, SECRETS_KEY_FILE: there } });
    });
    expect(used!.open(taken!.seal("hush", "line-3"), "line-3")).toBe("hush");
  });

  test("tells senders by MQTT the port at which they find it, and listens inside where that leads", () => {
    const moved = resolveCompose(text, { ...passwords, MQTT_PORT: "1999" }).services;
    expect(moved.intake!.ports).toEqual([`127.0.0.1:1999:${mqttListener(configOf(moved.intake!)).port}`]);
    expect(mqttListener(configOf(moved.web!)).port).toBe(1999);
  });

  test("starts when the engines are ready and the database is up to date", () => {
    const ready = Object.fromEntries(engines.map(([name]) => [name, { condition: "service_healthy" }]));
    const ended = Object.fromEntries(ENDING.map((name) => [name, { condition: "service_completed_successfully" }]));
    const { keys, migrate, web, worker, intake, simulator } = compose.services;
    expect([keys!.depends_on, migrate!.depends_on]).toEqual([undefined, ready]);
    for (const one of [web, worker, intake]) expect(one!.depends_on).toEqual({ ...ready, ...ended });
    expect(simulator!.depends_on).toEqual({ web: { condition: "service_healthy" } });
  });

  test("has as many workers as asked for, and a simulator only when asked for", () => {
    const { worker } = resolveCompose(text, { ...passwords, WORKERS: "3" }).services;
    expect(worker!.deploy).toEqual({ replicas: "3" });
    expect([worker!.container_name, worker!.ports]).toEqual([undefined, undefined]);
    expect(services.flatMap(([name, { profiles }]) => (profiles ? [[name, ...profiles]] : []))).toEqual([
      ["simulator", "simulator"],
      ["prometheus", "observability"],
      ["grafana", "observability"],
      ["jaeger", "observability"],
      ["loki", "observability"],
      ["alloy", "observability"],
    ]);
  });
});

describe("observability", () => {
  const read = (name: string) => parse(readFileSync(path.join(ROOT, "docker/observability", name), "utf8")) as unknown;

  test("Prometheus asks each role where it serves its metrics, from a network that is let in and that nothing is published on", () => {
    const { scrape_configs: jobs } = read("prometheus/prometheus.yml") as {
      scrape_configs: {
        static_configs?: { targets: string[] }[];
        dns_sd_configs?: { names: string[]; port: number }[];
      }[];
    };
    const asked = jobs.flatMap(({ static_configs: fixed = [], dns_sd_configs: found = [] }) => [
      ...fixed.flatMap(({ targets }) => targets),
      ...found.flatMap(({ names, port }) => names.map((name) => `${name}:${port}`)),
    ]);
    const served = ["web", "worker", "intake"].map((name) => {
      const { server, metrics } = configOf(compose.services[name]!);
      expect(metrics.METRICS_HOST).toBe("0.0.0.0");
      expect(compose.networks.metrics!.ipam!.config.map(({ subnet }) => subnet)).toEqual([
        compose.services[name]!.environment!.METRICS_NETWORKS,
      ]);
      const port = { web: server.PORT, worker: metrics.METRICS_PORT!, intake: metrics.METRICS_PORT! + 1 }[name];
      const networks = compose.services[name]!.networks as Record<string, { aliases: string[] } | null>;
      expect(Object.keys(networks)).toEqual(["default", "metrics"]);
      return `${networks.metrics!.aliases.join()}:${port}`;
    });
    expect(asked.sort()).toEqual(served.sort());
    expect(compose.services.prometheus!.networks).toEqual(["default", "metrics"]);
    expect(compose.networks.metrics!.internal).toBe(true);
  });

  test("Grafana finds the three, and the way from one to the other", () => {
    const sources = ["prometheus", "jaeger", "loki"].map((name) => {
      const { datasources } = read(`grafana/provisioning/datasources/${name}.yaml`) as { datasources: Source[] };
      expect(datasources).toMatchObject([{ uid: name, type: name }]);
      const { hostname, port } = new URL(datasources[0]!.url);
      expect([hostname, compose.services[hostname]!.profiles]).toEqual([name, ["observability"]]);
      return [name, port, datasources[0]!.jsonData] as const;
    });
    const [[, metricsPort, metrics], [, tracesPort, traces], [, logsPort, logs]] = sources as [One, One, One];
    const jaeger = read("jaeger/config.yaml") as JaegerConfig;
    const loki = read("loki/config.yaml") as { server: { http_listen_port: number } };
    const listening = [jaeger.extensions.jaeger_query.http.endpoint, `:${loki.server.http_listen_port}`];
    expect([tracesPort, logsPort]).toEqual(listening.map((one) => one.split(":")[1]));
    expect(metricsPort).toBe("9090");
    // From how long a request took, from its trace, and from a line of the log.
    expect(metrics).toMatchObject({ exemplarTraceIdDestinations: [{ name: "trace_id", datasourceUid: "jaeger" }] });
    expect(compose.services.prometheus!.command).toContain("--enable-feature=exemplar-storage");
    // Two $ each: Grafana takes one for a variable of its environment.
    const query = '{project="fieldwatch"} | trace_id="$${__trace.traceId}"';
    expect(traces).toMatchObject({ tracesToLogsV2: { datasourceUid: "loki", query } });
    const toTrace = { matcherType: "label", matcherRegex: "trace_id", datasourceUid: "jaeger", url: "$${__value.raw}" };
    expect(logs).toMatchObject({ derivedFields: [toTrace] });
  });

  test("web and worker send traces to Jaeger where docker/.env says what its example tells", () => {
    expect(configOf(compose.services.web!).tracing.OTEL_EXPORTER_OTLP_ENDPOINT).toBeUndefined();
    const told = readFileSync(path.join(ROOT, "docker/.env.example"), "utf8");
    const [endpoint = "", url = ""] = ["http://jaeger:4318", "http://localhost:16686/trace/{trace}"];
    expect([told.includes(endpoint), told.includes(url)]).toEqual([true, true]);
    const traced = resolveCompose(text, { ...passwords, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, TRACE_URL: url });
    for (const name of ["web", "worker"])
      expect(configOf(traced.services[name]!).tracing).toMatchObject({
        ...{ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, TRACE_URL: url },
      });
    const { receivers, extensions } = read("jaeger/config.yaml") as JaegerConfig;
    expect(receivers.otlp.protocols.http.endpoint).toBe("0.0.0.0:4318");
    expect(traced.services.jaeger!.healthcheck!.test!.join(" ")).toContain(extensions.healthcheckv2.http.endpoint);
    expect(compose.services.jaeger!.ports).toEqual(["127.0.0.1:16686:16686"]);
  });

  test("logs are read as files and go to Loki alone, by the names that Docker writes beside a line and the fields of ours", () => {
    const { alloy, loki, grafana } = compose.services;
    expect(text).not.toContain("docker.sock");
    expect(alloy!.volumes).toContain("/var/lib/docker/containers:/var/lib/docker/containers:ro");
    expect([alloy!.networks, loki!.networks]).toEqual([["logs"], ["default", "logs"]]);
    expect([compose.networks.logs!.internal, loki!.ports, alloy!.ports]).toEqual([true, undefined, undefined]);
    expect(grafana!.networks).toBeUndefined();
    const config = readFileSync(path.join(ROOT, "docker/observability/alloy/config.alloy"), "utf8");
    for (const label of loki!.logging!.options.labels!.split(",")) expect(config).toContain(`\\"${label}\\"`);
    expect(config).toContain(`project!=\\"${compose.name}\\"`);
    expect(config).toContain("http://loki:3100/loki/api/v1/push");
    const fields = /expressions = \{ "level" = (.*) \}/.exec(config)![0].match(/(?<== )"\w+"/g)!;
    expect(fields.map((field) => JSON.parse(field) as string).filter((field) => !(field in LOG_FIELDS))).toEqual([]);
  });

  test("Grafana finds the dashboards where they are mounted", () => {
    const { providers } = read("grafana/provisioning/dashboards/fieldwatch.yaml") as {
      providers: { options: { path: string } }[];
    };
    const { volumes, environment } = compose.services.grafana!;
    for (const { options } of providers)
      expect(volumes).toContain(`./observability/grafana/dashboards:${options.path}:ro`);
    const home = environment!.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH!;
    expect(
      readFileSync(path.join(ROOT, "docker/observability/grafana/dashboards", path.basename(home)), "utf8"),
    ).toContain(`"uid": "fieldwatch-pipeline"`);
  });
});

interface Source {
  readonly url: string;
  readonly jsonData: object;
}

type One = readonly [name: string, port: string, data: object];

interface JaegerConfig {
  readonly receivers: { readonly otlp: { readonly protocols: { readonly http: { readonly endpoint: string } } } };
  readonly extensions: Readonly<
    Record<"jaeger_query" | "healthcheckv2", { readonly http: { readonly endpoint: string } }>
  >;
}

/** Returns a role's environment: the image's with the service's on top. */
function configOf(service: Service) {
  return loadConfig({ ...imageEnvironment(), ...service.environment }, "");
}

function listenersOf(kafka: Service, variable: string): Record<string, string> {
  return Object.fromEntries(
    kafka.environment![variable]!.split(",").map((one) => one.split("://") as [string, string]),
  );
}

// A file that lost its services would pass every test.each above.
test("there is something to test", () => expect((compose satisfies ComposeFile, own.length)).toBe(6));
