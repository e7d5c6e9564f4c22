import { withinOr } from "@/server/async/timeout";
import { type Db, MongoClient, type MongoClientOptions, type TopologyDescriptionChangedEvent } from "mongodb";
import type { Logger } from "@/server/observability/logger";
import { MortalConnection } from "./mortal-connection";

const DEFAULT_DATABASE = "fieldwatch";
const CLOSE_MS = 3000;

/** The driver's options; one that the URI names is left to it. */
const BOUNDS = {
  serverSelectionTimeoutMS: 3000,
  // This is also how long a busy server may take over a heartbeat before it counts as away.
  connectTimeoutMS: 5000,
  // A connection that went silent is given up, so that the batch can be tried again. Longer than any single question.
  socketTimeoutMS: 20_000,
  waitQueueTimeoutMS: 10_000,
  heartbeatFrequencyMS: 5000,
  maxPoolSize: 10,
} satisfies MongoClientOptions;

/** An option that the driver's types leave out. */
const CONNECTIONS = { connectionType: MortalConnection } as MongoClientOptions;

/** The settings by which MongoDB is reached. */
export interface MongoConnection {
  readonly client: MongoClient;
  /** The database the URI names, else "fieldwatch". */
  readonly db: Db;
  /** Lets go of every connection, within a few seconds even if MongoDB is silent. */
  close(): Promise<void>;
}

/**
 * A client for MONGODB_URI. Connects at first use, and again by itself after an outage; both are logged, once each.
 * @param current the URI as of now, whose password each sign-in uses; all else stays as it was.
 * @throws MongoParseError when the URI is not one.
 */
export function connectMongo(uri: string, role: string, logger: Logger, current = () => uri): MongoConnection {
  const client = new ReconnectingClient(uri, {
    ...boundsFor(uri, { ...BOUNDS, appName: `fieldwatch-${role}` }),
    ignoreUndefined: true,
    promoteValues: true,
    promoteLongs: true,
    promoteBuffers: true,
    mongodbLogComponentSeverities: { default: "off" },
    ...CONNECTIONS,
  });
  takePasswordFrom(current, client);
  logOutages(client, logger);
  return {
    client,
    db: client.db(databaseOf(uri)),
    async close() {
      const closed = client.close().catch(() => undefined);
      await withinOr(CLOSE_MS, closed, undefined);
    },
  };
}

/**
 * The driver's client comes back after every outage but one: when its first connection fails, it keeps what it closed
 * then, and every later call fails with "Topology is closed".
 */
class ReconnectingClient extends MongoClient {
  override async connect(): Promise<this> {
    try {
      return await super.connect();
    } catch (error) {
      const internals = this as { topology?: { isDestroyed(): boolean } | undefined };
      if (internals.topology?.isDestroyed()) internals.topology = undefined;
      throw error;
    }
  }
}

/** The driver keeps the password it was made with; it asks these credentials for it whenever it signs in. */
function takePasswordFrom(current: () => string, { options }: MongoClient): void {
  const { credentials } = options;
  if (credentials === undefined) return;
  const password = {
    get: () => new MongoClient(current()).options.credentials?.password ?? credentials.password,
    enumerable: true,
  };
  Object.assign(options, { credentials: Object.create(credentials, { password }) as typeof credentials });
}

function databaseOf(uri: string): string {
  const [, name = ""] = /^[^:]+:\/\/[^/?]*\/([^?]*)/.exec(uri) ?? [];
  return decodeURIComponent(name) || DEFAULT_DATABASE;
}

function boundsFor(uri: string, bounds: MongoClientOptions): MongoClientOptions {
  const query = uri.slice(uri.indexOf("?") + 1);
  const named = new Set(
    [...new URLSearchParams(uri.includes("?") ? query : "").keys()].map((key) => key.toLowerCase()),
  );
  return Object.fromEntries(Object.entries(bounds).filter(([option]) => !named.has(option.toLowerCase())));
}

/** One line when MongoDB goes away and one when it is back, however many connections and attempts that takes. */
function logOutages(client: MongoClient, logger: Logger): void {
  let away = false;
  client.on("topologyDescriptionChanged", ({ newDescription }: TopologyDescriptionChangedEvent) => {
    const servers = [...newDescription.servers.values()];
    if (servers.some(({ isWritable }) => isWritable)) {
      if (away) logger.info("MongoDB is back");
      away = false;
      return;
    }
    const failed = servers.find(({ error }) => error !== null);
    if (away || failed === undefined) return;
    away = true;
    logger.warn({ server: failed.address, why: failed.error?.message }, "MongoDB can't be reached; trying again");
  });
}
