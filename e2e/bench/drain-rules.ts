import { mkdirSync } from "node:fs";
import path from "node:path";
import { build, type PluginBuild } from "esbuild";
import pg from "pg";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { type RunningEngines, startEngines } from "../engines/engines";
import { cleanEnv, ROOT } from "../product";
import { crossingRules, quietRules, SITES, TYPES } from "./fleet-rules";
import { createDatabase, drainOnce, type Drained, migrate } from "./one-drain";
import { machine, markdownTable, median, ratio } from "./report";
import { fill, openTopics } from "./telemetry-topic";

export interface RulesSize {
  readonly rules: number;
  readonly devices: number;
  readonly messages: number;
  readonly rounds: number;
  readonly profile: string | undefined;
  /** Names of the turns; left out: all. */
  readonly only: readonly string[] | undefined;
}

/**
 * What alert rules and the checks of quality cost a worker that drains: the same messages of a fleet from one Kafka, without both, with
 * rules by which nothing fires, with these and the checks, and with rules that one reading in a hundred crosses, in turn.
 */
export async function drainWithRules(size: RulesSize): Promise<number> {
  const [whole, bare] = [await bundle(true), await bundle(false)];
  const engines = await startEngines({ kafka: true, postgres: true });
  try {
    const { devices, messages } = size;
    const base = await prepareFleet(engines, whole, size);
    const quiet = await withRules(engines, base, quietRules(size.rules, devices));
    const crossing = await withRules(engines, base, crossingRules());
    const turns = [
      { name: "neither", main: bare, template: base },
      { name: "rules", main: bare, template: quiet },
      { name: "checks", main: whole, template: base },
      { name: "rules and checks", main: whole, template: quiet },
      { name: "1 % crossing", main: bare, template: crossing },
    ];
    if (size.only) turns.splice(0, turns.length, ...turns.filter(({ name }) => size.only!.includes(name)));
    const found = turns.map((): Drained[] => []);
    for (let round = 0; round < size.rounds; round++) {
      // Each is early in every other round.
      const order = [...turns.keys()];
      for (const at of round % 2 === 0 ? order : order.reverse()) {
        const { name, main, template } = turns[at]!;
        const profile = size.profile && path.join(size.profile, name.replaceAll(" ", "-"));
        const one = await drainOnce(engines, {
          main,
          cwd: ROOT,
          template,
          messages: devices + messages,
          after: 2 * devices,
          profile,
        });
        found[at]!.push(one);
        console.error(
          `${name}: ${Math.round(one.rate)} messages/s, ${one.worker.toFixed(1)} s, ${Math.round(one.peak)} MB`,
        );
      }
    }
    const row = (title: string, of: (one: Drained) => number, digits = 0) => {
      const medians = found.map((some) => median(some.map(of)));
      const cells = medians.map((one, i) => `${one.toFixed(digits)}${i === 0 ? "" : ` (${ratio(one, medians[0]!)})`}`);
      return [title, ...cells];
    };
    const rows = [
      row("messages/s", ({ rate }) => rate),
      row("readings/s", ({ rate }) => 7 * rate),
      row("worker CPU per million messages, s", ({ worker }) => worker, 1),
      row("PostgreSQL CPU per million messages, s", ({ postgres }) => postgres, 1),
      row("worker CPU from its start until it has had two messages of each device, s", ({ until }) => until, 1),
      row("worker peak memory, MB", ({ peak }) => peak),
    ];
    const head = [`median of ${size.rounds} (to neither)`, ...turns.map(({ name }) => name)];
    console.log(
      `${machine()}\n${messages} messages of ${devices} devices, ${size.rules} rules\n\n${markdownTable(head, rows)}`,
    );
    return 0;
  } finally {
    await engines.stop();
  }
}

/** Bundles the program as it stands, or without the checks of quality. @returns the bundle */
async function bundle(hasChecks: boolean): Promise<string> {
  const outdir = path.join(ROOT, "dist", ".bench", hasChecks ? "whole" : "without-checks");
  mkdirSync(outdir, { recursive: true });
  const withoutChecks = {
    name: "without checks",
    setup({ onLoad }: PluginBuild) {
      const nothing = { contents: "export const createCheckQuality = () => async () => {};" };
      onLoad({ filter: /server\/quality\/check-quality\.ts$/ }, () => nothing);
    },
  };
  await build({
    ...{
      absWorkingDir: ROOT,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20.19",
      packages: "external",
    },
    ...{
      entryPoints: ["server/main.ts"],
      outdir,
      splitting: true,
      outExtension: { ".js": ".mjs" },
      logLevel: "warning",
    },
    ...{ alias: { "@": ROOT }, sourcemap: true, plugins: hasChecks ? [] : [withoutChecks] },
  });
  return path.join(outdir, "main.mjs");
}

/** Makes a database that knows the fleet, of one message of each device, and puts the rest into the topic. @returns its name */
async function prepareFleet(engines: RunningEngines, main: string, { devices, messages }: RulesSize): Promise<string> {
  const log = await openTopics(engines);
  const began = Date.now() - (devices + messages) * 10;
  await fill(log, devices, { devices, began });
  const empty = await createDatabase(engines);
  migrate(main, ROOT, { ...cleanEnv(), ...engines.env, DATABASE_URL: empty.url });
  const known = await drainOnce(engines, { main, cwd: ROOT, template: empty.name, messages: devices, keep: true });
  await withClient(known.url, async (client) => {
    // The rules to begin with would be one more difference between databases.
    await client.query(`UPDATE alert_rule SET enabled = false`);
    await client.query(`INSERT INTO site (name) SELECT unnest($1::text[])`, [SITES]);
    await client.query(
      `UPDATE device d SET type = ($1::text[])[1 + d.id % $2], site_id = (SELECT id FROM site WHERE name = ($3::text[])[1 + d.id % $4])`,
      [TYPES, TYPES.length, SITES, SITES.length],
    );
    await client.query("VACUUM ANALYZE");
  });
  await fill(log, messages, { devices, began, from: devices });
  await log.close();
  return known.name;
}

/** A database like `base` with rules that have been in force for long. @returns its name */
async function withRules(engines: RunningEngines, base: string, specs: readonly unknown[]): Promise<string> {
  const { name, url } = await createDatabase(engines, base);
  await withClient(url, async (client) => {
    await client.query(
      `INSERT INTO alert_rule (name, spec, created_by, updated_by, seeded)
       SELECT 'rule ' || i, spec, 'bench', 'bench', 1 FROM unnest($1::jsonb[]) WITH ORDINALITY AS n (spec, i)`,
      [specs.map((spec) => JSON.stringify(ruleSpec.parse(spec)))],
    );
    await client.query("UPDATE alert_epoch SET epoch = epoch + 1");
  });
  return name;
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
