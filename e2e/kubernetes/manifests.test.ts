import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { getLive } from "@/server/api/health/live";
import { getReady } from "@/server/api/health/ready";
import { mqttListener } from "@/server/config/address";
import { type Config, loadConfig } from "@/server/config/config";
import { exposureOf, refuseExposure } from "@/server/config/exposure";
import { METRICS } from "@/server/observability/metrics/definitions";
import { ROOT } from "../docker/compose-file";
import { imageEnvironment } from "../docker/dockerfile";

// The sources as they are, without what puts them together: `npm run drill -- manifests` renders them, and asks the real validators.
const FOLDER = path.join(ROOT, "docker/kubernetes");
const SECRETS: Readonly<Record<string, string>> = {
  "database-url": "postgresql://fieldwatch_app:secret@pg:5432/fieldwatch",
  "migration-database-url": "postgresql://fieldwatch:secret@pg:5432/fieldwatch",
  "mongodb-uri": "mongodb://fieldwatch:secret@mongo/fieldwatch",
  "kafka-password": "secret",
  "secrets-key": "0123456789abcdef0123456789abcdef",
  "audit-key": "fedcba9876543210fedcba9876543210",
  "kafka-ca.pem": "-----BEGIN CERTIFICATE-----",
};
const OVERLAYS = ["demo", "production", "aws", "gcp", "azure"];

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly securityContext: unknown;
  readonly resources: Record<"requests" | "limits", Record<"cpu" | "memory", string>>;
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly Container[];
        readonly terminationGracePeriodSeconds: number;
        readonly automountServiceAccountToken: boolean;
        readonly securityContext: Record<string, unknown>;
      };
    };
  };
}

const read = (file: string) => readFileSync(path.join(FOLDER, file), "utf8");
const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".yaml"));
const manifests = files
  .filter((name) => /^(base|parts)/.test(name) && !name.endsWith("kustomization.yaml"))
  .flatMap((name) => parseAllDocuments(read(name)).map((one) => one.toJS() as Manifest));
const workloads = manifests.filter(({ kind }) => ["Deployment", "StatefulSet", "Job"].includes(kind));
const own = workloads.flatMap((one) =>
  one.spec.template.spec.containers
    .filter(({ image }) => image === "fieldwatch")
    .map((container) => [container.name, container, one.spec.template.spec] as const),
);

const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-secrets-"));
afterAll(() => rmSync(folder, { recursive: true }));
for (const [name, text] of Object.entries(SECRETS)) writeFileSync(path.join(folder, name), text);

/** The settings of a kustomization: those of what it stands on first. */
function settingsOf(kustomization: string): Record<string, string> {
  const text = read(`${kustomization}/kustomization.yaml`);
  const [, below] = /\.\.\/(\.\.\/base|production)\b/.exec(text) ?? [];
  const { configMapGenerator = [] } = parseAllDocuments(text)[0]!.toJS() as {
    configMapGenerator?: { name: string; literals: string[] }[];
  };
  const literals = configMapGenerator.flatMap(({ literals }) => literals);
  return {
    ...(below !== undefined && settingsOf(below === "production" ? "overlays/production" : "base")),
    ...Object.fromEntries(literals.map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)])),
  };
}

/** The environment a container of the product has by an overlay, with files of this machine for the secrets. */
function environmentOf(container: Container, overlay: string): Record<string, string> {
  const env = { ...settingsOf(`overlays/${overlay}`) };
  for (const { name, value } of container.env ?? []) env[name] = value?.replace("$(POD_IP)", "10.1.2.3") ?? "10.1.2.3";
  delete env.POD_IP;
  const here = (value: string) => value.replace(/^\/run\/secrets\/[\w-]+/, folder);
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, here(value)]));
}
const configOf = (container: Container, overlay: string): Config =>
  loadConfig({ ...imageEnvironment(), ...environmentOf(container, overlay) }, "");
const containerOf = (role: string) => own.find(([name]) => name === role)![1];

test("every variable is one of the product's", () => {
  const known = new Set(
    [...readFileSync(path.join(ROOT, ".env.example"), "utf8").matchAll(/\b([A-Z][A-Z_]+)=/g)].map(([, name]) => name),
  );
  for (const overlay of OVERLAYS)
    for (const [, container] of own)
      expect(Object.keys(environmentOf(container, overlay)).filter((name) => !known.has(name))).toEqual([]);
});

test.each(OVERLAYS)("%s: the product takes its settings, and listens only where something encrypts", (overlay) => {
  for (const [role, container] of own) {
    const config = configOf(container, overlay);
    if (role === "web") refuseExposure(config);
    expect(config.engines.MIGRATION_DATABASE_URL !== undefined).toBe(role === "migrate");
    if (overlay === "demo") expect(config.engines.KAFKA_BROKERS).toBeUndefined();
    else if (role === "web") expect([exposureOf(config), config.engines.KAFKA_SSL]).toEqual(["proxy-tls", true]);
  }
});

test("roles, image, ports and probes are the product's", () => {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { version: string };
  for (const name of files.filter((name) => name.endsWith("kustomization.yaml")))
    expect([...read(name).matchAll(/newTag: (\S+?) *\}/g)].every(([, tag]) => tag === version)).toBe(true);
  const roles = [...readFileSync(path.join(ROOT, "server/main.ts"), "utf8").matchAll(/^ {2}(\w+): async/gm)].map(
    ([, role]) => role,
  );
  for (const [name, container, { terminationGracePeriodSeconds }] of own) {
    expect(roles).toContain(name);
    expect(container.args).toEqual([name]);
    if (name === "migrate") continue;
    const config = configOf(container, "production");
    const metrics = config.metrics.METRICS_PORT!;
    const ports = {
      web: { http: config.server.PORT },
      worker: { metrics },
      intake: { mqtt: mqttListener(config).port, metrics: metrics + 1 },
    }[name];
    expect(Object.fromEntries(container.ports!.map((port) => [port.name, port.containerPort]))).toEqual(ports);
    const [live, ready] = name === "web" ? [getLive.operation.path, getReady.operation.path] : ["/livez", "/readyz"];
    const port = name === "web" ? "http" : "metrics";
    expect(container.startupProbe.httpGet).toEqual({ path: live, port });
    expect(container.livenessProbe.httpGet).toEqual({ path: live, port });
    expect(container.readinessProbe.httpGet).toEqual({ path: ready, port });
    // What a stop takes at most: the delay, and what is in flight (server/boot/role.ts).
    const delay = name === "web" ? config.server.STOP_DELAY_SECONDS : 0;
    expect(terminationGracePeriodSeconds).toBeGreaterThan(delay + 8);
  }
  expect(own.map(([name]) => name).sort()).toEqual(["intake", "migrate", "web", "worker"]);
});

test("a probe by the pod's address, and a program by the service's name, come through the front door", () => {
  const hosts = configOf(containerOf("web"), "production").frontDoor.ALLOWED_HOSTS;
  expect(hosts).toEqual(expect.arrayContaining(["10.1.2.3", "web", "web.fieldwatch.svc"]));
});

test("every pod runs without privileges, on a tree it can't write to, within bounds", () => {
  for (const { spec, metadata } of workloads) {
    const { securityContext, automountServiceAccountToken, containers } = spec.template.spec;
    expect([metadata.name, automountServiceAccountToken, securityContext]).toMatchObject([
      metadata.name,
      false,
      { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    ]);
    for (const { securityContext: of, resources } of containers) {
      expect(of).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      for (const bound of [resources.requests, resources.limits])
        expect(Object.keys(bound).sort()).toEqual(["cpu", "memory"]);
    }
  }
});

test("every secret that is read from a file is one that each cloud's overlay fetches", () => {
  for (const overlay of ["aws", "gcp", "azure"]) {
    const wanted = own.flatMap(([, { env = [] }]) => [
      ...Object.values(settingsOf(`overlays/${overlay}`)),
      ...env.map(({ value = "" }) => value),
    ]);
    const names = new Set(wanted.flatMap((value) => /^\/run\/secrets\/[\w-]+\/([\w.-]+)$/.exec(value)?.[1] ?? []));
    expect(
      [...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(read(`overlays/${overlay}/secrets.yaml`))),
    ).toEqual([]);
    expect(names.size).toBeGreaterThan(4);
  }
});

test("workers are scaled by a metric that there is, to as many as have something to do", () => {
  const scaling = read("parts/scaling/scaling.yaml");
  const [, metric = ""] = /query: max\((\w+)\{/.exec(scaling) ?? [];
  expect(Object.keys(METRICS)).toContain(metric);
  const most = Number(/maxReplicaCount: (\d+)/.exec(scaling)![1]);
  expect(most).toBe(configOf(containerOf("worker"), "production").eventLog.TELEMETRY_PARTITIONS);
});
