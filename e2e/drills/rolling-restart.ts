import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { io } from "socket.io-client";
import { createLiveClient, type LiveClient } from "@/components/live/client";
import { loadConfig } from "@/server/config/config";
import { freePort, type Product, runProduct, startProduct } from "../product";
import { pause, until } from "../waiting";
import { createChecks } from "./checks";
import { createClock } from "./clock";
import { readMode } from "./drill";
import { startDrillEngines } from "./drill-engines";
import { createLedger } from "./ledger";
import { startLoad } from "./load";
import type { Stage } from "./stage";
import { verify } from "./verify";

const HAPROXY = "/usr/sbin/haproxy";
const WEBS = 2;
const WORKERS = 3;
const SOCKETS = 50;
const STOP_DELAY_SECONDS = 10;
const START_MS = 240_000;
/** The bounds, in milliseconds. */
const REFUSED_MS = 1000;
const BACK_MS = 3000;

/**
 * A rollout as Kubernetes does it, as processes: two webs behind HAProxy, which asks /api/readyz as a kubelet does, and three workers. Each is replaced
 * by a new one that is ready before the old is told to stop, while gateways post and browsers watch. HAProxy is the one that is installed.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: { engines: { type: "string", default: "postgres" }, "per-second": { type: "string", default: "2000" } },
  });
  if (!existsSync(HAPROXY)) {
    console.log(`rolling-restart: left out, there is no ${HAPROXY} (apt-get install haproxy)`);
    return 0;
  }
  const mode = readMode(values.engines);
  if (mode !== "postgres" && mode !== "real")
    throw new Error(`--engines ${mode}: postgres or real, for an embedded PostgreSQL is one supervisor's.`);
  const checks = createChecks(`rolling-restart on ${mode}`);
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-rolling-"));
  const engines = await startDrillEngines(mode);
  const ended = new AbortController();
  const running = new Set<Product>();
  const stops: (() => void)[] = [];
  try {
    const env = {
      ...engines.env,
      ...{ STOP_DELAY_SECONDS: String(STOP_DELAY_SECONDS), ALLOWED_HOSTS: "127.0.0.1", TRUSTED_PROXIES: "127.0.0.1" },
    };
    const dataDir = path.join(folder, "data");
    const { code, output } = await runProduct(["migrate"], { ...env, FIELDWATCH_DATA_DIR: dataDir });
    if (code !== 0) throw new Error(`migrate ended with ${code}: ${output}`);

    const front = await freePort();
    // A place for each web that there is, and for each that will be.
    const places = await Promise.all(Array.from({ length: 2 * WEBS }, freePort));
    const proxy = spawn(HAPROXY, ["-db", "-f", haproxy(folder, front, places)], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    stops.push(() => proxy.kill());
    const startWeb = (port: number) => start("web", port, `http://127.0.0.1:${port}/api/readyz`, {});
    const startWorker = async () => {
      const port = await freePort();
      return start("worker", undefined, `http://127.0.0.1:${port}/readyz`, { METRICS_PORT: String(port) });
    };
    async function start(role: string, port: number | undefined, ready: string, more: Record<string, string>) {
      const one = await startProduct({
        dataDir: path.join(folder, `${role}-${running.size}-${Date.now()}`),
        env: { ...env, ...more },
        role,
        ...(port && { port }),
      });
      running.add(one);
      await until(
        () =>
          fetch(ready).then(
            ({ ok }) => ok,
            () => false,
          ),
        { timeoutMs: START_MS, what: `${role} is ready (its log is ${one.dataDir}.log)` },
      );
      return one;
    }

    const webs = [await startWeb(places[0]!), await startWeb(places[1]!)];
    const workers: Product[] = [];
    for (let i = 0; i < WORKERS; i++) workers.push(await startWorker());
    const authorization = await webs[0]!.authorization();
    const url = `http://127.0.0.1:${front}`;
    await until(
      () =>
        fetch(`${url}/api/readyz`).then(
          ({ ok }) => ok,
          () => false,
        ),
      { timeoutMs: START_MS, what: "HAProxy has a web" },
    );

    const sockets = Array.from({ length: SOCKETS }, () => watch(url, authorization));
    stops.push(() => sockets.forEach(({ client }) => client.stop()));
    await until(() => sockets.every(({ client }) => client.connection().phase === "connected"), {
      timeoutMs: 60_000,
      what: "every browser watches",
    });

    const product: Product = {
      ...webs[0]!,
      url,
      fetch: (route, init = {}) =>
        fetch(url + route, {
          ...init,
          headers: {
            "content-type": "application/json",
            ...(init.headers as Record<string, string>),
            ...authorization,
          },
        }),
      async get<T>(route: string) {
        const answer = await product.fetch(route, { signal: AbortSignal.timeout(20_000) });
        if (!answer.ok) throw new Error(`GET ${route}: ${answer.status}`);
        return (await answer.json()) as T;
      },
    };
    const stage: Stage = {
      ...{ mode, kind: "plain", folder, product, engines, ledger: createLedger(), ended: ended.signal },
      clock: createClock(path.join(folder, "clock")),
      connectionString: () => engines.postgres!.url,
      config: () => loadConfig({ ...env, FIELDWATCH_DATA_DIR: dataDir }, ""),
      startRole: startWorker,
      close: async () => {},
      remove: () => {},
    };
    const load = startLoad(stage, { prefix: "rolling", devices: 200, perSecond: Number(values["per-second"]) });
    const began = Date.now();
    // So that everything has been asked for once.
    await pause(5000);

    const ends: { what: string; code: number | null; seconds: number }[] = [];
    const replace = async (old: Product, what: string, startNew: () => Promise<Product>) => {
      await startNew();
      const told = Date.now();
      process.kill(old.pid, "SIGTERM");
      const code = await old.exited;
      running.delete(old);
      ends.push({ what, code, seconds: Math.round((Date.now() - told) / 100) / 10 });
    };
    for (const [i, web] of webs.entries()) await replace(web, `web ${i + 1}`, () => startWeb(places[WEBS + i]!));
    for (const [i, worker] of workers.entries()) await replace(worker, `worker ${i + 1}`, startWorker);
    await pause(3000);
    await load.stop();
    const seconds = (Date.now() - began) / 1000;

    for (const { what, code, seconds } of ends)
      checks.that(`${what} ends with 0 after SIGTERM`, code === 0, `${code}, after ${seconds} s`);
    checks.that(
      `no POST was refused for more than ${REFUSED_MS} ms`,
      load.longestRefused() <= REFUSED_MS,
      `${load.repeats()} sent again, at most for ${Math.round(load.longestRefused())} ms`,
    );
    const away = sockets.map(({ longestAway }) => longestAway()).sort((a, b) => a - b);
    checks.that(
      `every one of ${SOCKETS} browsers went to another web, and was back within ${BACK_MS} ms`,
      away[0]! > 0 && away.at(-1)! < BACK_MS,
      `median ${away[SOCKETS / 2]} ms, at most ${away.at(-1)} ms`,
    );
    checks.that(
      "every browser is connected",
      sockets.every(({ client }) => client.connection().phase === "connected"),
    );
    const { lost, twice, wrong, repeats } = await verify(stage);
    const { messages } = stage.ledger;
    checks.equal(
      `lost of ${messages} messages in ${Math.round(seconds)} s (${Math.round(messages / seconds)}/s)`,
      lost,
      0,
    );
    checks.equal(`stored twice, with ${repeats} messages sent again`, twice, 0);
    checks.equal("stores that differ from what senders were told", wrong, []);
    console.log(
      `load average ${loadavg()
        .map((one) => one.toFixed(1))
        .join(", ")} on ${cpus().length} processors`,
    );
    return checks.finish();
  } finally {
    ended.abort();
    for (const stop of stops) stop();
    await Promise.all([...running].map((one) => one.stop().catch((error: unknown) => console.error(String(error)))));
    await engines.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A browser's own live client, watching all devices through the proxy, without a browser around it. */
function watch(
  url: string,
  headers: Record<string, string>,
): { readonly client: LiveClient; readonly longestAway: () => number } {
  const open = () =>
    io(url, { transports: ["websocket"], forceNew: true, reconnectionDelayMax: 5000, extraHeaders: headers });
  const client = createLiveClient(open, Date.now);
  let longest = 0;
  let awaySince: number | undefined;
  client.onConnection(() => {
    const { phase, since } = client.connection();
    if (phase === "reconnecting") awaySince ??= since;
    if (phase !== "connected" || awaySince === undefined) return;
    longest = Math.max(longest, since - awaySince, 1);
    awaySince = undefined;
  });
  client.start();
  client.watch("devices", { onFrame: () => {}, onMissed: () => {} });
  return { client, longestAway: () => (awaySince === undefined ? longest : Math.max(longest, Date.now() - awaySince)) };
}

function haproxy(folder: string, front: number, places: readonly number[]): string {
  const file = path.join(folder, "haproxy.cfg");
  const servers = places.map((port, i) => `  server web${i} 127.0.0.1:${port} check inter 500ms fall 2 rise 1`);
  const lines = [
    "defaults",
    ...[
      "mode http",
      "timeout connect 2s",
      // A web that is slow is not one that is away; one that leaves says so at once.
      "timeout check 5s",
      "timeout client 60s",
      "timeout server 60s",
      "timeout tunnel 1h",
    ].map((one) => `  ${one}`),
    ...["option redispatch 1", "retries 3", "option forwardfor"].map((one) => `  ${one}`),
    `frontend front\n  bind 127.0.0.1:${front}\n  default_backend webs`,
    "backend webs\n  balance leastconn\n  option httpchk\n  http-check send meth GET uri /api/readyz hdr Host 127.0.0.1",
    ...servers,
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}
