import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { freePort } from "./engines/ports";
import { type ProcessInfo, treeOf } from "./processes";
import { until } from "./waiting";

/** Folder of the built product: the bundles of these scripts lie in dist/e2e/<folder>/. */
export const ROOT = process.cwd();

/** One running `npm start`, without npm between. */
export interface Product {
  readonly url: string;
  readonly dataDir: string;
  readonly pid: number;
  /** Resolves with the exit code (null when a signal ended it). */
  readonly exited: Promise<number | null>;
  hasExited(): boolean;
  log(): string;
  tree(): readonly ProcessInfo[];
  /** Asks a route by the key of somebody who may do everything; what is sent is JSON unless the headers say otherwise. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** The header that shows that key. */
  authorization(): Promise<{ authorization: string }>;
  /** Signs a browser in: the cookie to give it. */
  cookie(): Promise<{ name: string; value: string; url: string }>;
  /** GET, parsed. @throws when the answer isn't 2xx. */
  get<T>(path: string): Promise<T>;
  connectionString(): string;
  /** Waits until it takes work. */
  ready(): Promise<void>;
  /** SIGTERM, and waits. */
  stop(): Promise<void>;
}

export interface ProductOptions {
  readonly dataDir: string;
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** The role; `start` is all of them. */
  readonly role?: string;
  /** Arguments of Node itself, e.g. --cpu-prof; with the role `start` they reach only the supervisor. */
  readonly nodeArgs?: readonly string[];
  /** The folder of another build; this one's unless given. */
  readonly build?: string | undefined;
}

const running = new Set<ChildProcess>();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    for (const child of running) child.kill("SIGTERM");
    process.exitCode = 130;
  });
}

/** Starts the built product. Its output goes to `<dataDir>.log`. */
export async function startProduct(options: ProductOptions): Promise<Product> {
  const main = path.join(options.build ?? ROOT, "dist", "main.mjs");
  if (!existsSync(main)) throw new Error("There is no build: run `npm run build` first.");
  const port = options.port ?? (await freePort());
  const logFile = `${options.dataDir}.log`;
  mkdirSync(path.dirname(logFile), { recursive: true });
  const out = openSync(logFile, "a");
  // As `npm run worker` does.
  const workerArgs = options.role === "worker" ? ["--max-semi-space-size=32"] : [];
  const child = spawn(process.execPath, [...workerArgs, ...(options.nodeArgs ?? []), main, options.role ?? "start"], {
    cwd: options.build ?? ROOT,
    env: {
      ...cleanEnv(),
      PORT: String(port),
      FIELDWATCH_DATA_DIR: options.dataDir,
      LOG_FORMAT: "json",
      ...options.env,
    },
    stdio: ["ignore", out, out],
  });
  closeSync(out);
  running.add(child);
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  void exited.then(() => running.delete(child));
  const url = `http://127.0.0.1:${port}`;

  const product: Product = {
    url,
    dataDir: options.dataDir,
    pid: child.pid ?? -1,
    exited,
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    log: () => readFileSync(logFile, "utf8"),
    tree: () => treeOf(child.pid ?? -1),
    async fetch(route, init = {}) {
      const headers = new Headers(init.headers);
      headers.set("authorization", (await product.authorization()).authorization);
      if (init.body !== undefined && !headers.has("content-type")) headers.set("content-type", "application/json");
      return fetch(url + route, { ...init, headers });
    },
    authorization: async () => ({ authorization: `Bearer ${await keyFor(options)}` }),
    async cookie() {
      const { output } = await runProduct(["sign-in-link"], commandEnv({ ...options, port }));
      const secret = /#k=(\S+)/.exec(output)?.[1];
      const answer = await fetch(`${url}/api/v1/sign-in/link`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ secret }),
      });
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(answer.headers.get("set-cookie") ?? "") ?? [];
      if (name === undefined || value === undefined) throw new Error(`No sign-in: ${output} ${await answer.text()}`);
      return { name, value, url };
    },
    async get<T>(route: string): Promise<T> {
      const answer = await product.fetch(route, { signal: AbortSignal.timeout(20_000) });
      if (!answer.ok) throw new Error(`GET ${route}: ${answer.status} ${(await answer.text()).slice(0, 300)}`);
      return (await answer.json()) as T;
    },
    connectionString() {
      const { connectionString } = JSON.parse(readFileSync(path.join(options.dataDir, "postgres.json"), "utf8")) as {
        connectionString: string;
      };
      return connectionString;
    },
    async ready() {
      let last = "no answer";
      await until(
        async () => {
          if (product.hasExited()) throw new Error(`The product ended while starting.\n${product.log().slice(-3000)}`);
          const answer = await fetch(`${url}/api/readyz`, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
          if (answer) last = `${answer.status} ${(await answer.text().catch(String)).slice(0, 500)}`;
          return answer?.ok === true;
        },
        { timeoutMs: 60_000, what: "the product to be ready" },
      ).catch((error: unknown) => {
        throw new Error(`${(error as Error).message} GET /api/readyz: ${last}\n${product.log().slice(-3000)}`);
      });
    },
    async stop() {
      if (!product.hasExited()) child.kill("SIGTERM");
      await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 20_000).unref())]);
      if (!product.hasExited()) throw new Error(`Still running 20 s after SIGTERM.\n${product.log().slice(-2000)}`);
    },
  };
  return product;
}

/** Keys of somebody who may do everything, by the database that knows them. */
const keys = new Map<string, Promise<string>>();

/** The environment of a command beside a running product. */
function commandEnv({ dataDir, port, env }: ProductOptions): Record<string, string> {
  return { FIELDWATCH_DATA_DIR: dataDir, ...(port !== undefined && { PORT: String(port) }), ...env };
}

function keyFor(options: ProductOptions): Promise<string> {
  const database = options.env?.DATABASE_URL ?? options.dataDir;
  let key = keys.get(database);
  if (key === undefined) {
    key = runProduct(["key", "--name", "scripts", "--role", "admin"], commandEnv(options)).then(({ code, output }) => {
      const made = /^fwk_\S+$/m.exec(output)?.[0];
      if (made === undefined) throw new Error(`No key was made (${code}): ${output}`);
      return made;
    });
    // The next who asks tries again.
    key.catch(() => keys.delete(database));
    keys.set(database, key);
  }
  return key;
}

/** Runs one command of the product to its end. */
export async function runProduct(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [path.join(ROOT, "dist", "main.mjs"), ...args], {
    cwd: ROOT,
    env: { ...cleanEnv(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, output };
}

export { freePort };

/** The environment without what would point the product somewhere else. */
export function cleanEnv(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (name.startsWith("KAFKA_")) delete env[name];
  for (const name of [
    "DATABASE_URL",
    "MONGODB_URI",
    "PORT",
    "HOST",
    "DEMO_DEVICES",
    "FIELDWATCH_DATA_DIR",
    "SIMULATOR_URL",
    "NODE_ENV",
    "NODE_OPTIONS",
  ])
    delete env[name];
  return env;
}
