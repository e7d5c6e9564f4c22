// Ends with 0 if the role of this container is well: its event loop turned lately and, if it has a port, it answers there.
// The first argument is the path asked, unless it is /api/livez; /api/readyz also wants the event log to answer.
import { readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const OLDEST_MS = 15_000;
const ANSWER_MS = 8000;
const file = path.join(tmpdir(), "fieldwatch-heartbeat");

try {
  const age = Date.now() - statSync(file).mtimeMs;
  if (age > OLDEST_MS) throw new Error(`the event loop has stood still for ${Math.round(age / 1000)} s`);
  const role = readFileSync(file, "utf8");
  if (role === "web" || role === "start") await ask(process.argv[2] ?? "/api/livez");
  console.log(`${role} is well`);
} catch (error) {
  console.error(`unhealthy: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}

async function ask(route) {
  // Set to nothing is the same as not set, as for the roles.
  const host = process.env.HOST || "127.0.0.1";
  const reachable = { "0.0.0.0": "127.0.0.1", "::": "[::1]" }[host] ?? (host.includes(":") ? `[${host}]` : host);
  const url = `http://${reachable}:${process.env.PORT || 3000}${route}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  if (!response.ok) throw new Error(`${route} answers ${response.status}: ${(await response.text()).slice(0, 500)}`);
}
