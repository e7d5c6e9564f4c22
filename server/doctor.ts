import { parseArgs } from "node:util";
import { onceAtATime } from "./async/once-at-a-time";
import { refusePort } from "./boot/port";
import { composeEngines, type Engines } from "./compose";
import { composeProbes, watchedJobs } from "./compose-health";
import { composePipelineState } from "./compose-web";
import { addressForPeople } from "./config/address";
import type { Config } from "./config/config";
import { exposureOf } from "./config/exposure";
import { readVersion } from "./config/version";
import type { ProbeResult, ProbeStatus } from "./contracts/health";
import { counted } from "./domain/counted";
import { machineProbes } from "./health/machine";
import { startMonitor, worst } from "./health/monitor";
import { otlpProbe } from "./health/otlp";
import { type Finding, pass, type Probe } from "./health/probe";
import type { Logger } from "./observability/logger";
import { otlpEndpoint } from "./observability/otlp-endpoint";
import { certificateOf } from "./own-certificate";
import { lookAtDataFolder } from "./postgres/embedded/data-folder";
import { StartError } from "./postgres/start-error";

/** Longer than any check takes: each is asked once. */
const ONCE_MS = 86_400_000;
/** The time the dashboard's port may take to answer, in milliseconds. */
const ANSWERS_MS = 3000;
/** Probes of what only a running web process knows. */
const OF_WEB = "live.";

const MARKS: Readonly<Record<ProbeStatus, string>> = { pass: "ok  ", warn: "warn", fail: "FAIL", unknown: "?   " };

/**
 * `npm run doctor [-- --json] [--strict]`: asks once, whether or not Fieldwatch runs, what the page Health asks all the time, and what a start needs
 * beside; prints each check with its cause and fix. Configuration that can't be read has been told before this, with exit code 78.
 * @returns the exit code: 1 when something fails, with --strict also when something warns or can't be asked; else 0.
 */
export async function runDoctor(
  config: Config,
  logger: Logger,
  argv: string[],
  print: (text: string) => void,
): Promise<number> {
  const { json = false, strict = false } = readOptions(argv);
  const results = await checkOnce(config, logger);
  print(json ? `${JSON.stringify(toJson(results), null, 2)}\n` : toText(results, config));
  const isBad = ({ status }: ProbeResult) => status === "fail" || (strict && status !== "pass");
  return results.some(isBad) ? 1 : 0;
}

function readOptions(argv: string[]): { json?: boolean; strict?: boolean } {
  try {
    return parseArgs({ args: argv, options: { json: { type: "boolean" }, strict: { type: "boolean" } } }).values;
  } catch (error) {
    throw new StartError("Nothing was checked", (error as Error).message, "`npm run -s doctor -- --json`");
  }
}

/** Asks every check once. */
export async function checkOnce(config: Config, logger: Logger): Promise<readonly ProbeResult[]> {
  let engines: Engines;
  try {
    engines = await composeEngines(config, "doctor", logger);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return await askOnce([
      ...[enginesProbe(error), folderProbe(config), portProbe(config)],
      ...[...machineProbes(config.dataDir), ...otlpProbes(config)],
    ]);
  }
  const certificate = certificateOf(config, logger);
  try {
    const probes = composeProbes({
      ...{ config, engines, now: Date.now, jobs: watchedJobs(engines) },
      // The probes that read it start together: one reading serves them all.
      pipelineState: onceAtATime(
        composePipelineState(engines, {
          ...{ staleSeconds: config.pipeline.DEVICE_STALE_SECONDS, now: Date.now },
          onLogError: (error) => logger.debug({ err: error }, "the event log cannot be asked"),
        }),
      ),
      liveState: () => undefined,
      encryption: () => ({ exposure: exposureOf(config), certificate: certificate?.state() ?? null }),
    }).filter(({ name }) => !name.startsWith(OF_WEB));
    return await askOnce([...probes, folderProbe(config), portProbe(config), ...otlpProbes(config)]);
  } finally {
    certificate?.stop();
    await engines.close();
  }
}

async function askOnce(probes: readonly Probe[]): Promise<readonly ProbeResult[]> {
  const monitor = startMonitor(probes, { everyMs: ONCE_MS, now: Date.now });
  try {
    await monitor.firstRound();
    return monitor.results();
  } finally {
    monitor.stop();
  }
}

/** Tells why no engine can be asked: the embedded one runs only while Fieldwatch does. */
function enginesProbe(error: StartError): Probe {
  return {
    ...{ name: "doctor.engines", title: "Something to ask", group: "Engines", timeoutMs: 1000 },
    run: async () => failed(error),
  };
}

/** Those of what is sent by OTLP, which a running process tells of by counting only. */
function otlpProbes({ tracing, metrics }: Config): readonly Probe[] {
  const [traces, numbers] = [otlpEndpoint(tracing, "traces"), otlpEndpoint(tracing, "metrics")];
  return [
    ...(traces === null || tracing.OTEL_TRACES_SAMPLER === "always_off" ? [] : [otlpProbe("traces", traces)]),
    ...(numbers === null || metrics.OTEL_METRICS_EXPORTER === "none" ? [] : [otlpProbe("metrics", numbers)]),
  ];
}

/** Tells whether the data folder is one, or can become one. */
function folderProbe({ dataDir }: Config): Probe {
  return {
    ...{ name: "doctor.folder", title: "The data folder", group: "This machine", timeoutMs: 1000 },
    async run(): Promise<Finding> {
      try {
        return pass(lookAtDataFolder(dataDir) ? `${dataDir} can be written to.` : `${dataDir} isn't there yet.`);
      } catch (error) {
        return failed(error);
      }
    },
  };
}

/** Tells whether the dashboard's port is free for a start, or this product's already. */
function portProbe(config: Config): Probe {
  const { HOST, PORT } = config.server;
  return {
    name: "doctor.port",
    title: "The dashboard's port",
    group: "This machine",
    timeoutMs: 2 * ANSWERS_MS,
    async run(): Promise<Finding> {
      try {
        await refusePort(config, 0);
        return pass(`${HOST}:${PORT} is free; the dashboard doesn't run here.`);
      } catch (error) {
        if (await answersAsFieldwatch(config)) return pass(`Fieldwatch answers at ${addressForPeople(config)}.`);
        return failed(error);
      }
    },
  };
}

/** What a start would say. @throws what isn't for people */
function failed(error: unknown): Finding {
  if (!(error instanceof StartError)) throw error;
  return { status: "fail", summary: `${error.what}.`, cause: error.why, fix: error.fix };
}

async function answersAsFieldwatch(config: Config): Promise<boolean> {
  try {
    const answer = await fetch(new URL("/api/livez", addressForPeople(config)), {
      signal: AbortSignal.timeout(ANSWERS_MS),
    });
    return answer.ok && ((await answer.json()) as { status?: unknown }).status === "live";
  } catch {
    return false;
  }
}

function toJson(results: readonly ProbeResult[]) {
  return {
    status: worst(results.map(({ status }) => status)),
    time: new Date().toISOString(),
    version: readVersion(),
    node: process.version,
    probes: results,
  };
}

function toText(results: readonly ProbeResult[], { dataDir }: Config): string {
  const lines = [`Fieldwatch ${readVersion()} on Node ${process.versions.node}, data in ${dataDir}`];
  for (const [group, own] of groupsOf(results)) {
    lines.push("", group);
    for (const { status, title, summary, cause, fix } of own) {
      lines.push(`  ${MARKS[status]}  ${title}: ${summary}`);
      if (cause !== null) lines.push(...indented("why", cause));
      if (fix !== null) lines.push(...indented("fix", fix));
    }
  }
  return `${[...lines, "", sumOf(results)].join("\n")}\n`;
}

/** Those of a group together, in the order in which the groups are first met. */
function groupsOf(results: readonly ProbeResult[]): Map<string, ProbeResult[]> {
  const groups = new Map<string, ProbeResult[]>();
  for (const one of results) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return groups;
}

function indented(word: string, text: string): string[] {
  return text.split("\n").map((line, i) => `        ${i === 0 ? `${word}  ` : "     "}${line}`);
}

function sumOf(results: readonly ProbeResult[]): string {
  const count = (wanted: ProbeStatus) => results.filter(({ status }) => status === wanted).length;
  const said = [
    [count("fail"), "fails", "fail"],
    [count("warn"), "warns", "warn"],
    [count("unknown"), "can't be asked", "can't be asked"],
  ] as const;
  const found = said.filter(([n]) => n > 0).map(([n, one, many]) => `${n} ${n === 1 ? one : many}`);
  const all = counted(results.length, "check");
  return found.length === 0 ? `${all}: all good.` : `${all}: ${found.join(", ")}.`;
}
