import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { parse, stringify } from "yaml";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { DASHBOARDS } from "@/server/observability/metrics/dashboards";
import { METRICS } from "@/server/observability/metrics/definitions";
import { cache, type Found, fromDebian } from "../made-programs";
import { freePort, type Product, ROOT, runProduct, startProduct } from "../product";
import { until } from "../waiting";
import { createChecks } from "./checks";
import { startDrillEngines } from "./drill-engines";

const FILES = path.join(ROOT, "docker/observability/prometheus");
/** Of what need not have happened within a drill: batches that fail, notifications, browsers that look, messages lost or skipped. */
const MAY_BE_ABSENT =
  /^fieldwatch_(batch_failures|trace_spans|notifications|live_frames|ingest_refused_requests|simulator_dropped|source_client)/;
/** FieldwatchNoWorker and FieldwatchDown wait a minute; then comes the next evaluation. */
const FIRES_MS = 120_000;
const SECOND = 1000;

/**
 * A real Prometheus scrapes every role of the product, by the files of docker/observability: each metric of docs/metrics.md is there, each query of a
 * panel and each rule has an answer, counters at rest equal GET pipeline, and an alert fires while there is no worker. It takes four minutes;
 * `--short` leaves out the alert. Left out, and named, where there is no Prometheus.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({ args: argv, options: { short: { type: "boolean", default: false } } });
  const found = findPrometheus();
  if ("missing" in found) {
    console.log(`prometheus: left out, there is none: ${found.missing}`);
    return 0;
  }
  const checks = createChecks(`prometheus (${versionOf(found.program)})`);
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-prometheus-"));
  const engines = await startDrillEngines("postgres");
  const running: { stop(): Promise<void> }[] = [];
  try {
    const [port, metrics] = [await freePort(), await freePort()];
    const env = {
      ...engines.env,
      ...{ METRICS_PORT: String(metrics), METRICS_NETWORKS: "127.0.0.1/32" },
      ...{ DEMO_DEVICES: "20", SIMULATOR_URL: `http://127.0.0.1:${port}`, SIMULATOR_FAULTS_PER_HOUR: "3600" },
    };
    const dataDir = path.join(folder, "data");
    const { code, output } = await runProduct(["migrate"], { ...env, FIELDWATCH_DATA_DIR: dataDir });
    if (code !== 0) throw new Error(`migrate ended with ${code}: ${output}`);
    const start = async (role: string) => {
      const one = await startProduct({ dataDir, env, role, ...(role === "web" && { port }) });
      running.push(one);
      return one;
    };
    const web = await start("web");
    await web.ready();
    let worker = await start("worker");
    await start("intake");
    await tellAll(web);
    const targets = { web: port, worker: metrics, intake: metrics + 1, simulator: metrics + 2 };
    const prometheus = await startPrometheus(found.program, path.join(folder, "prometheus"), targets);
    running.push(prometheus);
    const simulator = await start("simulator");
    const { ask } = prometheus;
    await until(async () => (await ask("up == 1")).length === Object.keys(targets).length, {
      ...{ timeoutMs: 90 * SECOND, what: "every role to be scraped" },
    });

    const queries = [
      ...DASHBOARDS.flatMap(({ title, panels }) =>
        panels.flatMap((panel) => panel.queries.map(([expr]) => ({ of: `${title}, ${panel.title}`, expr }))),
      ),
      ...rulesIn("rules/recording.yml").map(({ record, expr }) => ({ of: record!, expr })),
    ];
    const empty = async () => {
      const answers = await Promise.all(queries.map(async (one) => ({ ...one, found: (await ask(one.expr)).length })));
      return answers.flatMap(({ of, expr, found }) => (found === 0 ? [`${of}: ${expr}`] : []));
    };
    await until(async () => (await empty()).length === 0, {
      ...{ timeoutMs: 120 * SECOND, everyMs: SECOND, what: "every query to have an answer" },
    }).catch(() => undefined);
    checks.equal(`${queries.length} queries of panels and rules without an answer`, await empty(), []);
    const absent = async () => {
      const names = (
        await ask(`count by (__name__) ({__name__=~"fieldwatch_.*|http_server_.*|process_.*|nodejs_.*"})`)
      ).map(({ metric }) => metric.__name__!.replace(/_(bucket|count|sum)$/, ""));
      return Object.keys(METRICS).filter((name) => !names.includes(name) && !MAY_BE_ABSENT.test(name));
    };
    await until(async () => (await absent()).length === 0, {
      ...{ timeoutMs: 60 * SECOND, everyMs: SECOND, what: "every metric to be there" },
    }).catch(() => undefined);
    checks.equal(`of ${Object.keys(METRICS).length} metrics missing`, await absent(), []);

    await simulator.stop();
    const { totals } = await atRest(web);
    const told = await settled(ask, totals.messages);
    checks.equal("counters at rest equal GET pipeline", told, {
      ...{ messages: totals.messages, readings: totals.readings, duplicates: totals.duplicates },
      ...{ conflicts: totals.conflicts, deadLetters: totals.deadLetters, late: totals.late, lag: 0 },
    });
    checks.that(
      "dead letters, repeats and late readings were among them",
      totals.deadLetters > 0 && totals.messages > 20,
    );

    if (!values.short) {
      const stopped = Date.now();
      await worker.stop();
      const firing = async (alert: string) =>
        (await ask(`ALERTS{alertname="${alert}",alertstate="firing",job!="fieldwatch-simulator"}`)).length > 0;
      for (const alert of ["FieldwatchNoWorker", "FieldwatchDown"]) {
        await until(() => firing(alert), { timeoutMs: FIRES_MS, everyMs: SECOND, what: `${alert} to fire` });
        checks.that(`${alert} fires without a worker`, true, `after ${Math.round((Date.now() - stopped) / SECOND)} s`);
      }
      worker = await start("worker");
      for (const alert of ["FieldwatchNoWorker", "FieldwatchDown"]) {
        await until(async () => !(await firing(alert)), {
          timeoutMs: 60 * SECOND,
          everyMs: SECOND,
          what: `${alert} to end`,
        });
        checks.that(`${alert} is over once there is one again`, true);
      }
    }
  } catch (error) {
    const logs = running.map((one) => ("log" in one ? (one as Product).log().slice(-1500) : "")).join("\n");
    checks.that("it goes through", false, `${(error as Error).stack}\n${logs}`);
  } finally {
    for (const one of running.reverse()) await one.stop().catch(() => undefined);
    await engines.stop();
  }
  if (checks.failed.length === 0) rmSync(folder, { recursive: true, force: true });
  return checks.finish();
}

/** Something of all that is counted: what can't be read, comes again, contradicts, comes late, is rejected, and comes by a source. */
async function tellAll(web: Product): Promise<void> {
  const send = async (route: string, body: unknown, headers: Record<string, string> = {}) => {
    const init = { method: "POST", headers: { "content-type": "application/json", ...headers } };
    return web.fetch(route, { ...init, body: JSON.stringify(body) });
  };
  const time = (ms: number) => new Date(Date.now() - ms).toISOString();
  const first = { device: "press-07", time: time(1000), readings: { temperature: 21 } };
  for (const body of [
    [first],
    [first, { ...first, readings: { temperature: 22 } }, { ...first, time: time(3_600_000) }],
    [{ ...first, time: time(500), readings: { temperature: { nested: true } } }],
    [
      { ...first, device: "" },
      { ...first, time: time(100) },
    ],
  ])
    await send("/api/v1/telemetry", body);
  await send("/api/v1/sources", { name: "barn", kind: "generic" });
  const { text } = (await (await send("/api/v1/sources/barn/keys", {})).json()) as { text: string };
  await send("/ingest/barn", { device: "barn-1", temp: 21 }, { authorization: `Bearer ${text}` });
}

/** GET pipeline once nothing waits and nothing comes. */
async function atRest(web: Product): Promise<PipelineAnswer> {
  let before = -1;
  let state: PipelineAnswer | undefined;
  await until(
    async () => {
      state = await web.get<PipelineAnswer>("/api/v1/pipeline");
      const isStill = state.lag === 0 && state.totals.messages === before;
      before = state.totals.messages;
      return isStill;
    },
    { timeoutMs: 60 * SECOND, everyMs: 2 * SECOND, what: "nothing to wait" },
  );
  return state!;
}

/** What Prometheus says of the totals, once it has scraped the last of them. */
async function settled(ask: Prometheus["ask"], messages: number) {
  const sum = async (expr: string) => Number((await ask(`sum(max without (instance) (${expr}))`))[0]?.value[1]);
  await until(async () => (await sum("fieldwatch_messages_total")) === messages, {
    ...{ timeoutMs: 20 * SECOND, what: "the last totals to be scraped" },
  }).catch(() => undefined);
  return {
    messages: await sum("fieldwatch_messages_total"),
    readings: await sum('fieldwatch_readings_total{outcome="stored"}'),
    duplicates: await sum('fieldwatch_readings_total{outcome="duplicate"}'),
    conflicts: await sum('fieldwatch_readings_total{outcome="conflict"}'),
    deadLetters: await sum("fieldwatch_dead_letters_total"),
    late: await sum("fieldwatch_late_readings_total"),
    lag: await sum("fieldwatch_consumer_lag_messages"),
  };
}

interface Rule {
  readonly record?: string;
  readonly expr: string;
}

function rulesIn(name: string): Rule[] {
  const { groups } = parse(readFileSync(path.join(FILES, name), "utf8")) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

interface Answer {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

interface Prometheus {
  /** An instant query. @throws when Prometheus refuses it. */
  ask(expr: string): Promise<readonly Answer[]>;
  stop(): Promise<void>;
}

/** Starts Prometheus with the product's files: the same rules, every second, at the ports of here. */
async function startPrometheus(
  program: string,
  folder: string,
  targets: Readonly<Record<string, number>>,
): Promise<Prometheus> {
  mkdirSync(folder, { recursive: true });
  const shipped = parse(readFileSync(path.join(FILES, "prometheus.yml"), "utf8")) as { global: object };
  const file = path.join(folder, "prometheus.yml");
  writeFileSync(
    file,
    stringify({
      ...shipped,
      global: { ...shipped.global, scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
      rule_files: [path.join(FILES, "rules/*.yml")],
      scrape_configs: Object.entries(targets).map(([role, port]) => ({
        job_name: `fieldwatch-${role}`,
        static_configs: [{ targets: [`127.0.0.1:${port}`] }],
      })),
    }),
  );
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child: ChildProcess = spawn(
    program,
    [`--config.file=${file}`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  child.stderr!.on("data", (part: Buffer) => (said = (said + part.toString()).slice(-4000)));
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended: ${said}`);
    return fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  await until(isReady, { timeoutMs: 30 * SECOND, what: "Prometheus to be ready" });
  return {
    async ask(expr) {
      const answer = await fetch(`${url}/api/v1/query`, { method: "POST", body: new URLSearchParams({ query: expr }) });
      const json = (await answer.json()) as { status: string; error?: string; data: { result: Answer[] } };
      if (json.status !== "success") throw new Error(`${expr}: ${json.error}`);
      return json.data.result;
    },
    async stop() {
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

/** The program that PROMETHEUS names, the one that is installed, or else Debian's. */
function findPrometheus(): Found {
  const named = process.env.PROMETHEUS ?? path.join(cache(), "prometheus");
  if (existsSync(named)) return { program: named };
  if (spawnSync("prometheus", ["--version"]).status === 0) return { program: "prometheus" };
  return fromDebian("prometheus", "usr/bin/prometheus");
}

function versionOf(program: string): string {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return stdout.split(" ").slice(0, 3).join(" ");
}
