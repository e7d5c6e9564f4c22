import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import { cache, type Found, madeIn } from "./made-programs";
import { freePort } from "./product";
import { until } from "./waiting";

const VERSION = "v1.52.1";
const NAME = `victoria-logs-${VERSION}`;

/** The program that VICTORIA_LOGS names, or one that is built once through the Go module proxy. */
export function findVictoriaLogs(): Found {
  const named = process.env.VICTORIA_LOGS ?? path.join(cache(), NAME);
  if (existsSync(named)) return { program: named };
  return madeIn(NAME, (folder, run) => {
    const source = `github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@${VERSION}`;
    run("env", [`GOBIN=${folder}`, "go", "install", source]);
    return path.join(folder, "victoria-logs");
  });
}

/** A real log store that runs for a while. */
export interface VictoriaLogs {
  /** Sends a body to one of its routes, for a tenant. @throws when it refuses. */
  insert(route: string, body: string, tenant: number): Promise<string>;
  /** Lines that a query of LogsQL finds, or its rows. */
  ask(query: string, tenant: number): Promise<readonly Readonly<Record<string, string>>[]>;
  stop(): Promise<void>;
}

export async function startVictoriaLogs(program: string, folder: string): Promise<VictoriaLogs> {
  const port = await freePort();
  const child = spawn(
    program,
    [`-storageDataPath=${folder}`, `-httpListenAddr=127.0.0.1:${port}`, "-retentionPeriod=100y"],
    {
      stdio: "ignore",
    },
  );
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${url}/health`).catch(() => null))?.ok === true, {
    ...{ timeoutMs: 30_000, what: "VictoriaLogs to be ready" },
  });
  const send = async (route: string, init: RequestInit, tenant: number) => {
    const answer = await fetch(url + route, { ...init, headers: { ...init.headers, ProjectID: String(tenant) } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${route}: ${answer.status} ${text.slice(0, 300)}`);
    return text;
  };
  return {
    insert: (route, body, tenant) =>
      send(route, { method: "POST", body, headers: { "content-type": "application/x-ndjson" } }, tenant),
    async ask(query, tenant) {
      const body = new URLSearchParams({ query, limit: "100000" });
      const text = await send("/select/logsql/query", { method: "POST", body }, tenant);
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, string>);
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
