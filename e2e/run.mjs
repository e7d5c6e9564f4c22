// Runs one script of this folder: `node e2e/run.mjs bench/layout --messages 100000`. Bundles it first, for Node 20 reads no
// TypeScript. A script exports `main(argv)`, which resolves with the exit code.
import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const here = import.meta.dirname;
const root = path.dirname(here);
const [said = "", ...argv] = process.argv.slice(2);
// `npm run drill -- kill-rounds` arrives as "drills kill-rounds".
const isFolder = said !== "" && !said.includes("/") && argv[0] !== undefined && !argv[0].startsWith("-");
const name = isFolder ? `${said}/${argv.shift()}` : said;

const entry = path.join(here, `${name}.ts`);
if (!name.includes("/") || !existsSync(entry)) {
  const all = ["bench", "drills", "engines", "pictures"];
  const folders = all.filter((folder) => name === "" || !all.includes(name) || name === folder);
  const scripts = folders.flatMap((folder) =>
    readdirSync(path.join(here, folder))
      .filter(
        (file) =>
          file.endsWith(".ts") &&
          readFileSync(path.join(here, folder, file), "utf8").includes("export async function main("),
      )
      .map((file) => `  node e2e/run.mjs ${folder}/${file.replace(/\.ts$/, "")}`),
  );
  console.error(`There is no script "${name}". There are:\n${scripts.join("\n")}`);
  process.exit(2);
}

const outfile = path.join(root, "dist", "e2e", `${name}.mjs`);
const unfinished = `${outfile}.${process.pid}`;
await build({
  entryPoints: [entry],
  outfile: unfinished,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  sourcemap: "inline",
  absWorkingDir: root,
  tsconfig: path.join(root, "tsconfig.json"),
  logLevel: "warning",
});
// The same script may be starting elsewhere, and must never read half of it.
renameSync(unfinished, outfile);
const { main } = await import(pathToFileURL(outfile).href);
process.exitCode = await main(argv);
