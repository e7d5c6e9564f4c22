import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import { treeOf } from "../processes";
import { type Product, type ProductOptions, startProduct } from "../product";
import { pause } from "../waiting";
import { cpuSeconds } from "./cpu";
import { machine, markdownTable } from "./report";

const MB = 2 ** 20;

/**
 * What the whole product costs while little happens: processor time by process, and memory, with 50 simulated devices
 * (25 messages/s) and with none. `--statements` lists what PostgreSQL ran, by its time. Folders of other builds are arguments, and come first.
 */
export async function main(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      seconds: { type: "string", default: "60" },
      /** Waited before, in seconds: a start, and the first minutes in which V8 optimises what runs, are no part of rest. */
      settle: { type: "string", default: "180" },
      devices: { type: "string", multiple: true, default: ["50", "0"] },
      statements: { type: "boolean", default: false },
    },
  });
  const builds = [...positionals.map((build) => path.resolve(build)), undefined];
  const columns: { readonly title: string; readonly found: Map<string, string> }[] = [];
  for (const devices of values.devices)
    for (const build of builds) {
      const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-quiet-"));
      const options = { dataDir: path.join(folder, "data"), build, env: { DEMO_DEVICES: devices } };
      try {
        columns.push({
          title: build === undefined ? devices : `${devices}, ${build}`,
          found: await measure(options, values),
        });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
  const names = [...new Set(columns.flatMap(({ found }) => [...found.keys()]))];
  const rows = names.map((name) => [name, ...columns.map(({ found }) => found.get(name) ?? "–")]);
  console.log(`${machine()}\n\n${markdownTable(["devices", ...columns.map(({ title }) => title)], rows)}`);
  return 0;
}

async function measure(
  options: ProductOptions,
  { seconds, settle, statements }: { readonly seconds: string; readonly settle: string; readonly statements: boolean },
): Promise<Map<string, string>> {
  if (statements) await preloadStatements(options);
  const product = await startProduct(options);
  await product.ready();
  const client = new pg.Client({ connectionString: ownerOf(product) });
  try {
    await client.connect();
    await pause(Number(settle) * 1000);
    if (statements) await client.query("SELECT pg_stat_statements_reset()");
    const before = usage(product);
    const since = Date.now();
    await pause(Number(seconds) * 1000);
    const ms = Date.now() - since;
    const after = usage(product);
    const rows = new Map<string, string>();
    const share = (cpu: number) => `${((cpu / (ms / 1000)) * 100).toFixed(1)} %`;
    let all = 0;
    for (const [name, cpu] of after) {
      const used = cpu - (before.get(name) ?? 0);
      all += used;
      rows.set(name, share(used));
    }
    rows.set("the whole tree", share(all));
    const tree = treeOf(product.pid, { pss: true });
    rows.set(
      "memory, shared pages counted once",
      `${Math.round(tree.reduce((sum, { pss }) => sum + (pss ?? 0), 0) / MB)} MB`,
    );
    if (options.build === undefined)
      for (const [name, value] of await storedWithin(client, since)) rows.set(name, value);
    if (statements) await printStatements(client, ms / 1000);
    return rows;
  } finally {
    await client.end();
    await product.stop();
  }
}

/** Processor time by role, in seconds; PostgreSQL's is that of all its processes, those that ended included. */
function usage(product: Product): Map<string, number> {
  const used = new Map<string, number>();
  for (const { pid, command } of product.tree()) {
    const role = /main\.mjs (\w+)/.exec(command)?.[1] ?? (/^next-server/.test(command) ? "web" : "PostgreSQL");
    const name = role === "start" ? "supervisor" : role;
    // The supervisor's ended children are the commands of the start.
    used.set(name, (used.get(name) ?? 0) + cpuSeconds(pid, { ended: name === "PostgreSQL" }));
  }
  return used;
}

/** From the moment the log took a message to its commit, as the worker measures it. */
async function storedWithin(client: pg.Client, since: number): Promise<[string, string][]> {
  const { rows } = await client.query<{ class: number; count: number }>(
    `SELECT i::int - 1 AS class, sum(n)::int AS count FROM pipeline_rate, unnest(latencies) WITH ORDINALITY AS l (n, i)
     WHERE bucket >= $1 GROUP BY i HAVING sum(n) > 0 ORDER BY i`,
    [new Date(since)],
  );
  const all = rows.reduce((sum, { count }) => sum + count, 0);
  let below = 0;
  return rows.map((row) => {
    below += row.count;
    return [`stored within ${2 ** row.class} ms`, `${((below / all) * 100).toFixed(2)} %`];
  });
}

async function preloadStatements(options: Parameters<typeof startProduct>[0]): Promise<void> {
  const product = await startProduct(options);
  try {
    await product.ready();
    const client = new pg.Client({ connectionString: ownerOf(product) });
    await client.connect();
    await client.query("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'");
    await client.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
    await client.end();
  } finally {
    await product.stop();
  }
}

/** The cluster's superuser, who may see everybody's statements. */
function ownerOf({ dataDir, connectionString }: Product): string {
  const url = new URL(connectionString());
  url.username = url.pathname.slice(1);
  url.password = readFileSync(path.join(dataDir, "postgres", "fieldwatch.password"), "utf8").trim();
  return url.href;
}

async function printStatements(client: pg.Client, seconds: number): Promise<void> {
  const { rows } = await client.query<{ calls: number; ms: number; query: string }>(
    `SELECT calls::float8 AS calls, total_exec_time + total_plan_time AS ms, left(regexp_replace(query, '\\s+', ' ', 'g'), 150) AS query
     FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 80`,
  );
  for (const { calls, ms, query } of rows)
    console.log(
      `${(calls / seconds).toFixed(2).padStart(8)}/s ${(ms / seconds).toFixed(2).padStart(8)} ms/s  ${query}`,
    );
}
