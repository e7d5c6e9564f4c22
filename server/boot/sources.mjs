import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

/** The repository's folder. */
export const ROOT = path.resolve(import.meta.dirname, "..", "..");

/** Everything the build reads. */
const SOURCES = ["app", "components", "server", "prisma/schema.prisma", "public"];
const FILES = ["next.config.js", "instrumentation-client.ts", "package.json", "package-lock.json", "tsconfig.json"];

const stampFile = path.join(ROOT, "dist", ".build-stamp");

/** True if dist and .next were built, to the end, from the sources as they are now. */
export function buildIsCurrent() {
  const built = ["dist/main.mjs", ".next/BUILD_ID"].every((file) => fs.existsSync(path.join(ROOT, file)));
  return built && fs.existsSync(stampFile) && fs.readFileSync(stampFile, "utf8") === sourcesHash();
}

export function forgetBuild() {
  fs.rmSync(stampFile, { force: true });
}

/** @param {string} hash of the sources as they were when the build began */
export function rememberBuild(hash) {
  fs.writeFileSync(stampFile, hash);
}

/** Hash of names and contents of all sources but tests. */
export function sourcesHash() {
  const hash = createHash("sha256");
  for (const file of [...SOURCES.flatMap((entry) => walk(entry)), ...FILES]) {
    const full = path.join(ROOT, file);
    if (fs.existsSync(full)) hash.update(`${file}\0`).update(fs.readFileSync(full)).update("\0");
  }
  return hash.digest("hex");
}

function walk(entry) {
  const full = path.join(ROOT, entry);
  if (!fs.existsSync(full)) return [];
  if (fs.statSync(full).isFile()) return [entry];
  return fs
    .readdirSync(full, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((child) => {
      const name = `${entry}/${child.name}`;
      if (child.isDirectory()) return name === "server/testing" ? [] : walk(name);
      return /\.test\.tsx?$|\.md$/.test(child.name) ? [] : [name];
    });
}
