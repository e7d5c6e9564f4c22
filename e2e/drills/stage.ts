import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Config, loadConfig } from "@/server/config/config";
import { isAlive } from "../processes";
import { freePort, type Product, ROOT, startProduct } from "../product";
import { until } from "../waiting";
import { createClock, type Clock } from "./clock";
import { type DrillEngines, type EngineMode, startDrillEngines } from "./drill-engines";
import { createLedger, type Ledger } from "./ledger";
import { SMALL_HEAP } from "./memory";

/** plain: nothing between · killable: a MongoDB-wire server that survives kill -9 · proxied: a proxy before each engine · clock: a clock that can be set in web and worker. */
export type StageKind = "plain" | "killable" | "proxied" | "clock";

/** The running product on the engines of one mode, with what its senders were told. */
export interface Stage {
  readonly mode: EngineMode;
  readonly kind: StageKind;
  readonly folder: string;
  readonly product: Product;
  readonly engines: DrillEngines;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** Aborted when it is closed: what still sends has to end. */
  readonly ended: AbortSignal;
  /** PostgreSQL's address, past any proxy. */
  connectionString(): string;
  /** The configuration the product has. */
  config(): Config;
  /** One more role beside it, on the same engines. */
  startRole(role: "worker"): Promise<Product>;
  /** Stops everything. @throws when something is left running. */
  close(): Promise<void>;
  /** Removes its files. */
  remove(): void;
}

/**
 * Starts engines and product, and waits until it takes work.
 * @param prepare what is done with the engines before the product is started.
 */
export async function openStage(
  mode: EngineMode,
  kind: StageKind,
  env: Readonly<Record<string, string>> | ((folder: string) => Readonly<Record<string, string>>) = {},
  prepare: (engines: DrillEngines) => Promise<void> = () => Promise.resolve(),
): Promise<Stage> {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-drill-"));
  const engines = await startDrillEngines(mode, { proxied: kind === "proxied", killable: kind === "killable" });
  const clock = createClock(path.join(folder, "clock"));
  const options = {
    dataDir: path.join(folder, "data"),
    port: await freePort(),
    // A drill's proxy before web is at a port of its own.
    env: {
      DEMO_DEVICES: "0",
      ALLOWED_HOSTS: "127.0.0.1",
      ...engines.env,
      ...kindEnv(),
      ...(typeof env === "function" ? env(folder) : env),
    },
  };
  function kindEnv(): Readonly<Record<string, string>> {
    if (kind === "clock") return clock.env(ROOT);
    return kind === "proxied" ? SMALL_HEAP : {};
  }
  const roles: Product[] = [];
  let product: Product | undefined;
  const stopAll = async () => {
    const running = [...roles, ...(product ? [product] : [])];
    const pids = running.flatMap((one) => one.tree().map(({ pid }) => pid));
    for (const one of running) await one.stop();
    await until(() => !pids.some(isAlive), { timeoutMs: 15_000, what: "every process of the product to be gone" });
  };
  const stopEverything = async () => {
    try {
      await stopAll();
    } finally {
      await engines.stop();
    }
  };
  try {
    await prepare(engines);
    product = await startProduct(options);
    await product.ready();
  } catch (error) {
    await stopEverything();
    throw error;
  }
  const started = product;
  const ended = new AbortController();
  return {
    mode,
    kind,
    folder,
    product: started,
    engines,
    ledger: createLedger(),
    clock,
    ended: ended.signal,
    connectionString: () => engines.postgres?.url ?? started.connectionString(),
    config: () => loadConfig({ ...options.env, FIELDWATCH_DATA_DIR: options.dataDir }, ""),
    async startRole(role) {
      const one = await startProduct({ ...options, role });
      roles.push(one);
      return one;
    },
    async close() {
      ended.abort();
      await stopEverything();
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
