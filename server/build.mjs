// npm run build: the server with esbuild into dist, the pages with Next into .next.
// npm run generate: writes what is generated from other files. npm run generate:check: fails if that isn't current.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { format } from "oxfmt";
import { forgetBuild, rememberBuild, ROOT, sourcesHash } from "./boot/sources.mjs";

const dist = path.join(ROOT, "dist");

/** esbuild's settings for code that runs in Node from inside the repository. */
const settings = {
  absWorkingDir: ROOT,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  packages: "external",
  alias: { "@": ROOT },
  outExtension: { ".js": ".mjs" },
  logLevel: "warning",
};

if (process.argv.includes("--generate")) await generate();
else if (process.argv.includes("--generate-check")) await checkGenerated();
else await build();

async function build() {
  const hash = sourcesHash();
  forgetBuild();
  await timed("server", buildServer);
  await timed("pages", buildPages);
  rememberBuild(hash);
}

async function buildServer() {
  fs.mkdirSync(dist, { recursive: true });
  for (const name of fs.readdirSync(dist)) {
    if (!name.startsWith(".")) fs.rmSync(path.join(dist, name), { recursive: true });
  }
  // Split, so that a role loads only what it runs.
  await esbuild.build({
    ...settings,
    entryPoints: ["server/main.ts"],
    outdir: "dist",
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    sourcemap: true,
    // Each role keeps the maps of what it loads in memory; stack traces name files and lines without their text.
    sourcesContent: false,
  });
}

function buildPages() {
  run(["node_modules/next/dist/bin/next", "build"], { NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" });
}

async function generate() {
  const { files, folder } = await generated();
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(ROOT, name), text);
  const target = path.join(ROOT, "server/postgres/generated");
  fs.rmSync(target, { recursive: true, force: true });
  fs.cpSync(folder, target, { recursive: true });
}

async function checkGenerated() {
  const { files, folder } = await generated();
  const stale = compareFolders(folder, path.join(ROOT, "server/postgres/generated"));
  for (const [name, text] of Object.entries(files)) if (readOr(path.join(ROOT, name)) !== text) stale.push(name);
  if (stale.length === 0) return console.log("  ✓ generated files are current");
  console.error(`Not current:\n  ${stale.join("\n  ")}\nRun \`npm run generate\` and commit the result.`);
  process.exit(1);
}

/** Returns what should be there: files by name, and a folder with Prisma's client. */
async function generated() {
  const work = path.join(dist, ".generate");
  fs.rmSync(work, { recursive: true, force: true });
  fs.mkdirSync(path.join(work, "prisma"), { recursive: true });
  const metricsFiles = ["page", "dashboards", "grafana"].map((name) => `server/observability/metrics/${name}.ts`);
  const entryPoints = ["server/config/config.ts", "server/observability/logs/page.ts", ...metricsFiles];
  await esbuild.build({ ...settings, entryPoints, outdir: work, outbase: "server" });
  const load = (name) => import(pathToFileURL(path.join(work, name)).href);
  const { envExample } = await load("config/config.mjs");
  const { metricsPage } = await load("observability/metrics/page.mjs");
  const { logsPage } = await load("observability/logs/page.mjs");
  const { DASHBOARDS } = await load("observability/metrics/dashboards.mjs");
  const { grafanaModel } = await load("observability/metrics/grafana.mjs");
  // As the formatter has it, which checks them with all others.
  const options = JSON.parse(fs.readFileSync(path.join(ROOT, ".oxfmtrc.json"), "utf8"));
  const formatted = async (name, text) => (await format(name, text, options)).code;
  const metrics = await formatted("metrics.md", metricsPage());
  const logs = await formatted("logs.md", logsPage());
  const dashboards = {};
  for (const one of DASHBOARDS)
    dashboards[`docker/observability/grafana/dashboards/${one.uid}.json`] = await formatted(
      "dashboard.json",
      JSON.stringify(grafanaModel(one)),
    );
  // The schema names its output relative to itself: a copy of it writes beside that copy.
  const schema = path.join(work, "prisma", "schema.prisma");
  fs.copyFileSync(path.join(ROOT, "prisma/schema.prisma"), schema);
  run(["node_modules/prisma/build/index.js", "generate", "--schema", schema, "--no-hints"]);
  return {
    files: { ".env.example": envExample(), "docs/metrics.md": metrics, "docs/logs.md": logs, ...dashboards },
    folder: path.join(work, "server/postgres/generated"),
  };
}

function compareFolders(wanted, found) {
  const list = (folder) =>
    fs.existsSync(folder)
      ? fs.readdirSync(folder, { recursive: true }).filter((name) => fs.statSync(path.join(folder, name)).isFile())
      : [];
  return [...new Set([...list(wanted), ...list(found)])]
    .filter((name) => readOr(path.join(wanted, name)) !== readOr(path.join(found, name)))
    .map((name) => path.relative(ROOT, path.join(found, name)));
}

function run(args, env = {}) {
  const result = spawnSync(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env }, encoding: "utf8" });
  if (result.status === 0) return;
  console.error(
    `${result.stdout}\n${result.stderr}\n\`node ${args.join(" ")}\` ended with ${result.status ?? result.signal}.`,
  );
  process.exit(1);
}

async function timed(name, work) {
  const started = performance.now();
  await work();
  console.log(`    ✓ ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}

function readOr(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
