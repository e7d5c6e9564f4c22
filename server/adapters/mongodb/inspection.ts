import { within } from "@/server/async/timeout";
import {
  type Db,
  type Document,
  MongoCompatibilityError,
  type MongoClient,
  MongoNetworkTimeoutError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
  type TopologyDescription,
} from "mongodb";
import { onceAtATime } from "@/server/async/once-at-a-time";
import { InspectionError, type MongoInspection, type TroubleKind } from "@/server/ports/inspection";
import { type FoundIndex, sameExpiry, sameKey, type WantedIndex } from "./indexes";

export interface MongoInspectionDeps {
  readonly client: MongoClient;
  readonly db: Db;
  readonly indexes: readonly WantedIndex[];
  readonly now: () => number;
}

/** Longest wait for one answer, and for everything a call asks. */
const ANSWER_MS = 2500;
const LIMIT_MS = 3500;
const NAMESPACE_NOT_FOUND = 26;
const COMMAND_NOT_FOUND = 59;

/** Asks MongoDB about itself, over the connections of `client`. */
export function createMongoInspection({ client, db, indexes, now }: MongoInspectionDeps): MongoInspection {
  const { hosts, srvHost, credentials } = client.options;
  const address = srvHost ?? hosts.map(String).join(",");
  const user = credentials?.username ? credentials.username : null;
  // The driver tells its callers only that no server was found; why, it tells here.
  let topology: TopologyDescription | undefined;
  client.on("topologyDescriptionChanged", ({ newDescription }) => void (topology = newDescription));

  async function ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toInspectionError(error, address, user, topology);
    }
  }
  /** One at a time and answered in time: the driver tries again by itself, for longer than its own limits. */
  function bounded<T>(work: () => Promise<T>): () => Promise<T> {
    const once = onceAtATime(work);
    return () => {
      const late = new MongoOperationTimeoutError(`no answer within ${LIMIT_MS} ms`);
      return within(LIMIT_MS, once(), () => toInspectionError(late, address, user, topology) as Error);
    };
  }
  const run = (name: string) => db.command({ [name]: 1 }, { timeoutMS: ANSWER_MS, readPreference: "primaryPreferred" });
  const command = (name: string) => ask(() => run(name));
  /** Servers that speak only the older protocol know `hello` by its older name. */
  const hello = () =>
    ask(() =>
      run("hello").catch((error: unknown) => {
        if (error instanceof MongoServerError && error.code === COMMAND_NOT_FOUND) return run("isMaster");
        throw error;
      }),
    );

  return {
    address,
    database: db.databaseName,
    user,
    server: bounded(async () => {
      // Connects, if need be, before the clock is read.
      await command("ping");
      const [before, began] = [now(), performance.now()];
      const said = await hello();
      const [after, answerMs] = [now(), performance.now() - began];
      const { version } = await command("buildInfo");
      // Only some users may ask this.
      const { connections } = await command("serverStatus").catch((): Document => ({}));
      return {
        answerMs,
        version: String(version),
        writable: said.isWritablePrimary === true || said.ismaster === true,
        replicaSet: typeof said.setName === "string" ? said.setName : null,
        clock: { before, after, theirs: said.localTime instanceof Date ? said.localTime.getTime() : null },
        connections: Number.isFinite(connections?.available)
          ? { current: Number(connections.current), available: Number(connections.available) }
          : null,
      };
    }),
    indexes: bounded(async () => {
      const found = new Map<string, readonly FoundIndex[]>();
      for (const collection of new Set(indexes.map((index) => index.collection)))
        found.set(collection, await ask(() => readIndexes(db, collection)));
      return indexes.map((wanted) => {
        const there = found.get(wanted.collection)?.find(({ key }) => sameKey(key, wanted.key));
        const text = indexText(wanted);
        const alike = there !== undefined && sameExpiry(wanted, there);
        return {
          collection: wanted.collection,
          index: wanted.name,
          wanted: text,
          found: there === undefined ? null : alike ? text : indexText(there),
        };
      });
    }),
    storage: bounded(async () => {
      const { dataSize, fsUsedSize, fsTotalSize } = await command("dbStats");
      const told = Number(fsTotalSize) > 0;
      return {
        data: Number(dataSize ?? 0),
        disk: told ? { used: Number(fsUsedSize), total: Number(fsTotalSize) } : null,
      };
    }),
  };
}

async function readIndexes(db: Db, collection: string): Promise<readonly FoundIndex[]> {
  try {
    return (await db.collection(collection).listIndexes({ timeoutMS: ANSWER_MS }).toArray()) as FoundIndex[];
  } catch (error) {
    if (error instanceof MongoServerError && error.code === NAMESPACE_NOT_FOUND) return [];
    throw error;
  }
}

function indexText({ key, expireAfterSeconds }: Pick<FoundIndex, "key" | "expireAfterSeconds">): string {
  const fields = Object.entries(key).map(([field, direction]) => `${field}: ${String(direction)}`);
  const expiry = expireAfterSeconds === undefined ? "" : `, expires after ${Number(expireAfterSeconds)} s`;
  return `${fields.join(", ")}${expiry}`;
}

const UNAUTHORIZED = 13;
/** MongoDB's error codes that mean something here; any other is shown by its name. */
const CODES: Readonly<Record<number, TroubleKind>> = {
  [UNAUTHORIZED]: "forbidden",
  18: "signInRefused",
  8000: "signInRefused", // by a hosted MongoDB
  334: "mechanism",
  94: "starting",
  91: "starting", // shutting down, to be started again
  10107: "starting", // no primary yet
  13435: "starting",
  13436: "starting",
};

const ERRNOS: Readonly<Record<string, TroubleKind>> = {
  ECONNREFUSED: "refused",
  ENOTFOUND: "unknownHost",
  ENODATA: "unknownHost",
  EAI_AGAIN: "unknownHost",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  ETIMEDOUT: "unreachable",
  ETIMEOUT: "unreachable",
  ECONNRESET: "hungUp",
  EPROTO: "notTls",
};

/** Explains an error of the driver by its class and code. A bug stays what it is. */
export function toInspectionError(
  error: unknown,
  address: string,
  user: string | null,
  topology: TopologyDescription | undefined,
): unknown {
  const trouble = (kind: TroubleKind, code: string, at = address) =>
    new InspectionError(kind, at, code, { cause: error });
  for (const inner of causes(error)) {
    if (inner instanceof MongoServerError) {
      const code = Number(inner.code);
      const kind = code === UNAUTHORIZED && user === null ? "signInNeeded" : (CODES[code] ?? "other");
      return trouble(kind, inner.codeName ? `${String(inner.codeName)}, ${code}` : String(inner.code));
    }
    if (inner instanceof MongoCompatibilityError) return trouble("tooOld", inner.name);
    const { code } = inner as { code?: unknown };
    if (typeof code !== "string") continue;
    const kind = ERRNOS[code] ?? (code.startsWith("ERR_SSL") ? "notTls" : undefined);
    if (kind) return trouble(kind, code);
    if (/CERT|SIGNED|ERR_TLS|ISSUER/.test(code)) return trouble("certificate", code);
  }
  // The driver's watch over the servers knows why none was found.
  const failed = [...(topology?.servers.values() ?? [])].find((server) => server.error !== null);
  if (failed?.error && failed.error !== error && !isSelection(failed.error)) {
    const known = toInspectionError(failed.error, failed.address, user, undefined);
    if (known instanceof InspectionError) return known;
  }
  if (isTimeout(error)) return trouble("silent", `no answer within ${LIMIT_MS} ms`);
  if (isSelection(error)) {
    const answers = [...(topology?.servers.values() ?? [])].some(({ type }) => type !== "Unknown");
    return answers ? trouble("starting", "no primary") : trouble("silent", "no server answers");
  }
  return error instanceof Error && error.name.startsWith("Mongo") ? trouble(closedKind(error), error.name) : error;
}

function* causes(error: unknown): Generator<Error> {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    yield inner;
    if (inner instanceof AggregateError) yield* inner.errors.filter((each): each is Error => each instanceof Error);
    if (inner instanceof MongoServerSelectionError) {
      for (const server of inner.reason?.servers.values() ?? []) if (server.error) yield* causes(server.error);
    }
  }
}

function isSelection(error: unknown): boolean {
  return error instanceof MongoServerSelectionError;
}

function isTimeout(error: unknown): boolean {
  return [...causes(error)].some(
    (inner) => inner instanceof MongoNetworkTimeoutError || inner instanceof MongoOperationTimeoutError,
  );
}

function closedKind({ name }: Error): TroubleKind {
  return name.startsWith("MongoNetwork") ? "hungUp" : "other";
}
