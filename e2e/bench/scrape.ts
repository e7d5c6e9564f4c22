import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { formatBytes } from "@/server/domain/bytes";
import { readSeries } from "@/server/testing/scraped";
import { processOf } from "../processes";
import { freePort, type Product, startProduct } from "../product";
import { pause, until } from "../waiting";
import { cpuSeconds } from "./cpu";
import { registerFleet, startFleetLoad } from "./fleet-load";
import { machine, markdownTable, median, percentile } from "./report";

/** The most series of all processes together. */
const MOST_SERIES = 2000;
/** The longest nineteen of twenty scrapes of a process may take, in milliseconds. */
const MOST_MS = 100;
const EVERY_MS = 500;
/** Scrapes one after the other, by which processor time is told, and the time without any that is held against them, in milliseconds; so often in turn. */
const SCRAPES = 50;
const BASE_MS = 4000;
const ROUNDS = 5;
/** As Prometheus asks. */
const ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5";

interface Scraped {
  readonly times: number[];
  bytes: number;
  series: number;
}

/**
 * What a scrape of each process costs with many devices: time, size and number of series, at rest and while messages are sent, in the built product with every
 * role. Fails above 2,000 series of all processes together, or where one scrape in twenty takes 100 ms.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      devices: { type: "string", default: "10000" },
      rate: { type: "string", default: "2000" },
      seconds: { type: "string", default: "60" },
    },
  });
  const [devices, rate, seconds] = [Number(values.devices), Number(values.rate), Number(values.seconds)];
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-scrape-"));
  const dataDir = path.join(folder, "data");
  const [port, metrics, mqtt] = [await freePort(), await freePort(), await freePort()];
  const env = {
    ...{ METRICS_PORT: String(metrics), METRICS_NETWORKS: "127.0.0.1/32", MQTT_PORT: String(mqtt) },
    ...{ SIMULATOR_URL: `http://127.0.0.1:${port}`, DEMO_DEVICES: "0" },
  };
  const at = { web: port, worker: metrics, intake: metrics + 1, simulator: metrics + 2 };
  const roles = Object.keys(at) as (keyof typeof at)[];
  const product = await startProduct({ dataDir, port, env });
  let simulator: Awaited<ReturnType<typeof startProduct>> | undefined;
  try {
    await product.ready();
    await registerFleet(product, devices);
    simulator = await startProduct({ dataDir, env: { ...env, DEMO_DEVICES: "20" }, role: "simulator" });
    for (const role of roles)
      await until(
        () =>
          scrape(at[role])
            .then(() => true)
            .catch(() => false),
        { timeoutMs: 60_000, everyMs: 500, what: `metrics of ${role}` },
      );
    const measure = async () => {
      const found = new Map(roles.map((role): [string, Scraped] => [role, { times: [], bytes: 0, series: 0 }]));
      const end = performance.now() + seconds * 1000;
      while (performance.now() < end) {
        // One after the other: two at once would each have the other in its time.
        for (const role of roles) {
          const { ms, text } = await scrape(at[role]);
          const own = found.get(role)!;
          own.times.push(ms);
          own.bytes = Buffer.byteLength(text);
          own.series = readSeries(text).size;
        }
        await pause(EVERY_MS);
      }
      return found;
    };
    const quiet = await measure();
    const cpu = await cpuOfScrapes(product, () => scrape(at.web));
    const load = startFleetLoad(product, devices, rate);
    // Lag, stages and batches are there once it is under way.
    await pause(5000);
    const busy = await measure();
    const taken = await load.stop();
    const late = (times: readonly number[]) =>
      percentile(
        times.toSorted((a, b) => a - b),
        0.95,
      );
    const rows = roles.map((role) => {
      const [before, under] = [quiet.get(role)!, busy.get(role)!];
      const times = ({ times: all }: Scraped) => `${ms(median(all))}, ${ms(late(all))}`;
      return [role, String(under.series), formatBytes(under.bytes), times(before), times(under)];
    });
    console.log(
      `${machine()}\n${devices} devices, ${rate} messages/s sent, ${Math.round(taken)} taken with those of the simulator; ${busy.get("web")!.times.length} scrapes each\n`,
    );
    console.log(markdownTable(["process", "series", "size", "at rest: p50, p95", "under load: p50, p95"], rows));
    console.log(
      `\nProcessor time of a scrape of web, at rest: ${ms(cpu.web)} of web, ${ms(cpu.others)} of PostgreSQL and the others.`,
    );
    const series = roles.reduce((sum, role) => sum + busy.get(role)!.series, 0);
    const slowest = Math.max(...roles.flatMap((role) => [late(quiet.get(role)!.times), late(busy.get(role)!.times)]));
    console.log(
      `\n${series} series together (bar: ${MOST_SERIES}), the slowest p95 ${ms(slowest)} (bar: ${MOST_MS} ms).`,
    );
    return series <= MOST_SERIES && slowest < MOST_MS ? 0 : 1;
  } finally {
    await simulator?.stop();
    await product.stop();
    rmSync(folder, { recursive: true, force: true });
    rmSync(`${dataDir}.log`, { force: true });
  }
}

/**
 * Processor time that a scrape takes of web and of all else, in milliseconds: that of many, less what the product uses in the same time without; the median
 * of rounds, as jobs run in some of them.
 */
async function cpuOfScrapes(product: Product, once: () => Promise<unknown>): Promise<{ web: number; others: number }> {
  const used = () => {
    const tree = product.tree();
    const web = processOf(tree, "web")?.pid ?? -1;
    const all = tree.reduce((sum, { pid }) => sum + cpuSeconds(pid, { ended: false }), 0);
    return { web: cpuSeconds(web, { ended: false }) * 1000, all: all * 1000, at: performance.now() };
  };
  const rounds: { web: number; others: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = used();
    await pause(BASE_MS);
    const between = used();
    for (let i = 0; i < SCRAPES; i++) await once();
    const after = used();
    const share = (after.at - between.at) / (between.at - before.at);
    const each = (of: "web" | "all") => (after[of] - between[of] - (between[of] - before[of]) * share) / SCRAPES;
    rounds.push({ web: each("web"), others: each("all") - each("web") });
  }
  return { web: median(rounds.map(({ web }) => web)), others: median(rounds.map(({ others }) => others)) };
}

async function scrape(port: number): Promise<{ ms: number; text: string }> {
  const began = performance.now();
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { accept: ACCEPT } });
  const text = await answer.text();
  const took = performance.now() - began;
  if (!answer.ok) throw new Error(`/metrics at ${port}: ${answer.status} ${text.slice(0, 300)}`);
  return { ms: took, text };
}

const ms = (value: number) => `${value.toFixed(1)} ms`;
