// Ends with 0 if the role of this container is well: its event loop turned lately and, if it has a port, it answers there.
// The first argument is the path asked, unless it is /api/livez; /api/readyz also wants the event log to answer.
import { readFileSync, statSync } from "node:fs";
import http from "node:http";
import https from "node:https";
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
  // The certificate is made out to the name people use; this never leaves the machine.
  const [scheme, { get }] = process.env.TLS_CERT_FILE ? ["https", https] : ["http", http];
  const url = `${scheme}://${reachable}:${process.env.PORT || 3000}${route}`;
  const options = { rejectUnauthorized: false, signal: AbortSignal.timeout(ANSWER_MS) };
  const answer = await new Promise((resolve, reject) => get(url, options, resolve).once("error", reject));
  let said = "";
  for await (const part of answer.setEncoding("utf8")) said += part;
  if (answer.statusCode !== 200) throw new Error(`${route} answers ${answer.statusCode}: ${said.slice(0, 500)}`);
}
