// Loaded before a role (node --import): keeps the time of a file current while the role's event loop turns, which is
// all the sign of life a role without a port can give. The file holds the role's name; healthcheck.mjs reads both.
import { utimes, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { isMainThread } from "node:worker_threads";

const EVERY_MS = 2000;
const file = path.join(tmpdir(), "fieldwatch-heartbeat");

// The supervisor speaks for the roles it has forked.
if (isMainThread && process.send === undefined) {
  try {
    writeFileSync(file, process.argv[2] ?? "start");
    setInterval(() => {
      const now = new Date();
      utimes(file, now, now, () => {});
    }, EVERY_MS).unref();
  } catch (error) {
    // Not a reason to keep the role from running: it will be called unhealthy.
    console.error(`No heartbeat: ${error.message}. Give the container a writable ${tmpdir()}.`);
  }
}
