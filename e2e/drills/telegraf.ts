import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildTelegraf, findTelegraf } from "../bench/telegraf";
import { killNow, processOf } from "../processes";
import type { Product } from "../product";
import { pause, until } from "../waiting";
import { type DrillOptions, readOptions } from "./drill";
import { checkOnStage, exitCode } from "./on-stage";
import type { Row } from "./rows";
import type { Stage } from "./stage";
import { withDatabase } from "./stored";

/** One in so many lines names a device that nothing can be called. */
const BAD_EVERY = 1000;
const DEVICES = 50;
const BATCH = 1000;

/**
 * A stock Telegraf writes lines to a source by InfluxDB's two protocols: each is stored once, however often it is sent; a line that is refused costs the
 * others nothing, and is named; while PostgreSQL is killed Telegraf waits and loses nothing. Short, it takes the Telegraf that was built before.
 * @returns undefined, and says so, where there is no Telegraf.
 */
export async function telegraf({ mode, short }: Omit<DrillOptions, "seed">): Promise<Row | undefined> {
  const built = short ? findTelegraf() : buildTelegraf();
  if ("missing" in built) {
    console.log(`telegraf: left out, as there is no Telegraf: ${built.missing}`);
    return undefined;
  }
  const count = short ? 20_000 : 100_000;
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-lines-"));
  const env = { KEY_MESSAGES_PER_SECOND: "0", KEY_BYTES_PER_SECOND: "0" };
  return checkOnStage("telegraf", { mode, env }, async (stage, checks) => {
    const { product } = stage;
    const key = await makeSource(product);
    const lines = path.join(folder, "lines");
    const good = writeLines(lines, count);
    const run = (output: "influxdb" | "influxdb_v2") =>
      startTelegraf(built.program, folder, lines, output, product.url, key);
    const stored = () => storedReadings(stage);

    for (const output of ["influxdb", "influxdb_v2"] as const) {
      const began = performance.now();
      const sender = run(output);
      // The second sends what is there already: it is through when the source has received as much again.
      const wanted = output === "influxdb" ? good : good * 2;
      await until(async () => (await acceptedBy(product)) >= wanted, {
        timeoutMs: 300_000,
        what: `${wanted} lines to be accepted`,
      }).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}\n${sender.log().slice(-2000)}`);
      });
      const seconds = (performance.now() - began) / 1000;
      await until(async () => (await stored()) >= good * 2, { timeoutMs: 120_000, what: "the readings to be stored" });
      await sender.stop();
      checks.equal(`${output}: readings`, await stored(), good * 2);
      checks.that(
        `${output}: the refused lines are named`,
        /line \d+: (badDevice|".{20,}cannot name)/.test(sender.log()),
        lastError(sender.log()),
      );
      console.log(`  ${output}: ${good} lines in ${seconds.toFixed(1)} s`);
    }

    const more = path.join(folder, "more");
    const others = writeLines(more, count / 2, "later");
    const sender = startTelegraf(built.program, folder, more, "influxdb_v2", product.url, key);
    for (let kill = 0; kill < (short ? 1 : 3); kill++) {
      await pause(1000);
      const postgres = processOf(product.tree(), "postgres");
      if (postgres) killNow([postgres.pid]);
    }
    await until(async () => (await stored().catch(() => 0)) >= (good + others) * 2, {
      timeoutMs: 300_000,
      what: "what was sent while PostgreSQL was killed to be stored",
    });
    await sender.stop();
    const sent = (good + others) * 2;
    const there = await stored();
    checks.equal("with PostgreSQL killed: readings", there, sent);
    return { faults: short ? 1 : 3, sent, stored: there };
  }).finally(() => rmSync(folder, { recursive: true, force: true }));
}

export async function main(argv: string[]): Promise<number> {
  return exitCode(await telegraf(readOptions(argv)));
}

/** Makes a source that reads lines, and a key of it. */
async function makeSource(product: Product): Promise<string> {
  const post = async (route: string, body: object) => {
    const answer = await product.fetch(route, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`POST ${route}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as { text: string };
  };
  await post("/api/v1/sources", { name: "telegraf", kind: "influx", answer: "strict" });
  return (await post("/api/v1/sources/telegraf/keys", {})).text;
}

/** @returns how many of the lines can be taken. */
function writeLines(file: string, count: number, prefix = "tele"): number {
  const from = Date.now() - count - 60_000;
  const line = (i: number) => {
    const isRefused = i % BAD_EVERY === BAD_EVERY - 1;
    const device = isRefused ? "x".repeat(200) : `${prefix}-${i % DEVICES}`;
    return `load,device=${device} value=${i / 10},n=${i}i ${from + i}000000\n`;
  };
  writeFileSync(file, Array.from({ length: count }, (_, i) => line(i)).join(""));
  return count - Math.floor(count / BAD_EVERY);
}

function startTelegraf(program: string, folder: string, lines: string, output: string, url: string, key: string) {
  const config = path.join(folder, "telegraf.conf");
  const log = path.join(folder, `${output}-${path.basename(lines)}.log`);
  const to =
    output === "influxdb"
      ? `urls = ["${url}"]\n  database = "any"\n  username = "telegraf"\n  password = "${key}"`
      : `urls = ["${url}"]\n  token = "${key}"\n  organization = "any"\n  bucket = "any"`;
  const out = openSync(log, "a");
  writeFileSync(
    config,
    `[agent]
  interval = "1s"
  flush_interval = "1s"
  metric_batch_size = ${BATCH}
  metric_buffer_limit = 200000
  omit_hostname = true
[[inputs.tail]]
  files = ["${lines}"]
  from_beginning = true
  initial_read_offset = "beginning"
  max_undelivered_lines = 10000
  data_format = "influx"
[[outputs.${output}]]
  ${to}
`,
  );
  const child: ChildProcess = spawn(program, [config], { stdio: ["ignore", out, out] });
  closeSync(out);
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    log: () => readFileSync(log, "utf8"),
    async stop() {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await gone;
      clearTimeout(late);
    },
  };
}

async function storedReadings(stage: Stage): Promise<number> {
  return withDatabase(stage, async (client) => {
    const { rows } = await client.query<{ n: string }>("SELECT count(*) AS n FROM reading WHERE metric LIKE 'load.%'");
    return Number(rows[0]!.n);
  });
}

async function acceptedBy(product: Product): Promise<number> {
  const { source } = await product.get<{ source: { counts: { accepted: number } } }>("/api/v1/sources/telegraf");
  return source.counts.accepted;
}

function lastError(log: string): string {
  return (
    log
      .split("\n")
      .filter((line) => / [EW]! /.test(line))
      .at(-1)
      ?.slice(0, 300) ?? "nothing is logged"
  );
}
