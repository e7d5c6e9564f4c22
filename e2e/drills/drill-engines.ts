import { type RunningEngines, startEngines } from "../engines/engines";
import { type Proxy, startProxy } from "./proxy";

export const ENGINE_MODES = ["embedded", "real", "kafka", "mongodb", "postgres"] as const;

/** The engines outside of the product: none, all three, or one of them alone. */
export type EngineMode = (typeof ENGINE_MODES)[number];

const OUTSIDE = ["kafka", "mongodb", "postgres"] as const;
type Outside = (typeof OUTSIDE)[number];

/** The engines a drill may break, and the proxies before them. */
export interface DrillEngines extends RunningEngines {
  readonly proxies: Readonly<Partial<Record<Outside, Proxy>>>;
}

/**
 * Starts the engines of a mode; `env` leads to them, through the proxies if there are any. Nothing can be put between the product and its
 * embedded PostgreSQL, so with `proxied` a plain one takes its place; with `killable` MongoDB's is one that survives kill -9.
 * @throws EnginesMissing without Java or Maven.
 */
export async function startDrillEngines(
  mode: EngineMode,
  { proxied = false, killable = false }: { proxied?: boolean; killable?: boolean } = {},
): Promise<DrillEngines> {
  const wanted = (one: Outside) => mode === "real" || mode === one || (proxied && one === "postgres");
  const proxies: Partial<Record<Outside, Proxy>> = {};
  if (proxied) for (const one of OUTSIDE) if (wanted(one)) proxies[one] = await startProxy();
  const closeProxies = async () => void (await Promise.all(Object.values(proxies).map((proxy) => proxy.close())));
  try {
    // Kafka's clients go on to the address the broker tells them, so that has to be the proxy's.
    const advertised = proxies.kafka ? { advertised: `127.0.0.1:${proxies.kafka.port}` } : true;
    const running = await startEngines({
      kafka: wanted("kafka") && advertised,
      mongodb: wanted("mongodb") && { killable },
      postgres: wanted("postgres"),
    });
    const { kafka, mongodb, postgres } = running;
    const through = (address: string, proxy: Proxy) => {
      const url = new URL(address);
      proxy.aim(Number(url.port));
      url.port = String(proxy.port);
      return url.href;
    };
    const env: Record<string, string> = { ...running.env };
    if (kafka && proxies.kafka) env.KAFKA_BROKERS = new URL(through(`tcp://${kafka.brokers}`, proxies.kafka)).host;
    if (mongodb && proxies.mongodb) env.MONGODB_URI = through(mongodb.uri, proxies.mongodb);
    if (postgres && proxies.postgres) env.DATABASE_URL = through(postgres.url, proxies.postgres);
    return {
      ...running,
      env,
      proxies,
      async stop() {
        await closeProxies();
        await running.stop();
      },
    };
  } catch (error) {
    await closeProxies();
    throw error;
  }
}
