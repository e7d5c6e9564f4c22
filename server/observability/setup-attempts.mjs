// Writes down every `npm start`: its steps, and why it failed. Plain JavaScript on Node alone, because the first steps
// run before there are packages or a build. Never throws: a start must not fail because it can't be written down.
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { makeFolderSync } from "../config/make-folder.mjs";

const FILE = "setup-attempts.jsonl";
const MOST_ATTEMPTS = 50;
/** Beyond this the oldest go; between the two a start only appends. */
const TIDY_AT_BYTES = 128 * 1024;
const LONGEST_TEXT = 2000;
/** The time after the installation's end a start counts as its continuation, in milliseconds. */
const CONTINUES_WITHIN_MS = 60_000;

/** @param {string} dataDir */
export function setupAttemptsFile(dataDir) {
  return path.join(dataDir, FILE);
}

/** The data folder as the configuration will find it, for the time before there is one. */
export function dataFolderBeforehand(env = process.env) {
  const { FIELDWATCH_DATA_DIR: named } = { ...readDotenv(), ...filled(env) };
  return path.resolve(named ?? ".fieldwatch");
}

/**
 * Begins an attempt, or goes on with the one whose installation has just ended.
 * @param {string} dataDir
 * @param {{ continues?: boolean, now?: () => number }} options
 */
export function openAttempt(dataDir, { continues = false, now = Date.now } = {}) {
  const file = setupAttemptsFile(dataDir);
  const before = continues ? attemptToContinue(file, now()) : undefined;
  const attempt = before ?? randomUUID();
  let over = false;
  const write = (event, more = {}) => {
    if (over) return;
    append(file, { attempt, at: now(), event, ...shortened(more) });
  };
  if (before === undefined) {
    quietly(() => makeFolderSync(dataDir, 0o700));
    quietly(() => tidy(file));
    write("begin", { version: version(), node: process.versions.node, pid: process.pid });
  } else write("continue", { pid: process.pid });
  const end = (event, more) => {
    write(event, more);
    over = true;
  };
  return {
    begin: (step) => write("step", { step }),
    done: (step) => write("done", { step }),
    warned: (step, trouble) => write("warned", { step, ...trouble }),
    failed: (step, trouble) => write("failed", { step, ...trouble }),
    installed: () => write("installed"),
    ready: () => end("ready"),
    stopped: () => end("stopped"),
    gaveUp: (trouble) => end("gaveUp", trouble),
  };
}

/** For a process that the attempt under way has started: why it can't run. */
export function noteFailure(dataDir, step, trouble, now = Date.now) {
  const file = setupAttemptsFile(dataDir);
  const last = lastAttempt(file);
  if (last && !["ready", "stopped", "gaveUp"].includes(last.event))
    append(file, { attempt: last.attempt, at: now(), event: "failed", step, ...shortened(trouble) });
}

function append(file, entry) {
  // A line that a kill cut short must not swallow the next one.
  quietly(() => fs.appendFileSync(file, `${endsInLine(file) ? "" : "\n"}${JSON.stringify(entry)}\n`, { mode: 0o600 }));
}

function endsInLine(file) {
  let handle;
  try {
    handle = fs.openSync(file, "r");
    const { size } = fs.fstatSync(handle);
    if (size === 0) return true;
    const last = Buffer.alloc(1);
    fs.readSync(handle, last, 0, 1, size - 1);
    return last[0] === 0x0a;
  } catch {
    return true;
  } finally {
    if (handle !== undefined) fs.closeSync(handle);
  }
}

function attemptToContinue(file, now) {
  const last = lastAttempt(file);
  return last?.event === "installed" && now - last.at <= CONTINUES_WITHIN_MS ? last.attempt : undefined;
}

/** The last whole line. */
function lastAttempt(file) {
  return entries(file).at(-1);
}

/** Every line that can be read. */
function entries(file) {
  try {
    return fs.readFileSync(file, "utf8").split("\n").flatMap(parsed);
  } catch {
    return [];
  }
}

function parsed(line) {
  try {
    const entry = JSON.parse(line);
    return typeof entry?.attempt === "string" && typeof entry.at === "number" ? [entry] : [];
  } catch {
    return [];
  }
}

/** Keeps the latest attempts only. Done by renaming, so that a reader sees the one file or the other. */
function tidy(file) {
  if (fs.statSync(file).size < TIDY_AT_BYTES) return;
  const all = entries(file);
  const kept = new Set([...new Set(all.map(({ attempt }) => attempt))].slice(1 - MOST_ATTEMPTS));
  const lines = all.filter(({ attempt }) => kept.has(attempt)).map((entry) => `${JSON.stringify(entry)}\n`);
  const made = `${file}.${process.pid}`;
  fs.writeFileSync(made, lines.join(""), { mode: 0o600 });
  fs.renameSync(made, file);
}

function shortened(texts) {
  return Object.fromEntries(
    Object.entries(texts).map(([name, value]) => [
      name,
      typeof value === "string" ? value.slice(0, LONGEST_TEXT) : value,
    ]),
  );
}

/** Fieldwatch's own, of the folder it is run in. */
function version() {
  try {
    return JSON.parse(fs.readFileSync("package.json", "utf8")).version;
  } catch {
    return undefined;
  }
}

function readDotenv() {
  try {
    return filled(parseEnv(fs.readFileSync(".env", "utf8")));
  } catch {
    return {};
  }
}

function filled(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "" && value !== undefined));
}

function quietly(work) {
  try {
    work();
  } catch {
    // A failure to write this down must not cost the start.
  }
}
