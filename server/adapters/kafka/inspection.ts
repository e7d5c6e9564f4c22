import type { KafkaSettings } from "./client";
import { readFile } from "node:fs/promises";
import type { Config } from "@/server/config/config";
import { InspectionError, type KafkaInspection, type TroubleKind } from "@/server/ports/inspection";
import { type KafkaConnection, openConnection } from "./inspection-connection";
import {
  appendForTime,
  askCoordinator,
  askDisks,
  askGroup,
  askMetadata,
  askRelease,
  askTopicSettings,
  type Metadata,
} from "./inspection-requests";
import { signIn, userOf } from "./inspection-sign-in";

export interface KafkaInspectionDeps {
  readonly settings: Config["engines"] & KafkaSettings;
  readonly now: () => number;
}

/** Asks Kafka about itself. Holds no connection between two calls. */
export function createKafkaInspection({ settings, now }: KafkaInspectionDeps): KafkaInspection {
  const bootstrap = settings.KAFKA_BROKERS ?? [];
  const user = userOf(settings);

  /** Works on a connection to `address`, signed in if so set, and lets go of it. */
  async function at<T>(address: string, signedIn: boolean, work: (connection: KafkaConnection) => Promise<T>) {
    const ca = settings.KAFKA_SSL_CA_FILE && (await readFile(settings.KAFKA_SSL_CA_FILE, "utf8"));
    const connection = await openConnection(address, settings.KAFKA_SSL ? { ca } : null);
    try {
      // Its password may have been changed since.
      const now = signedIn ? userOf(settings) : null;
      if (now !== null) await signIn(connection, now);
      return await work(connection);
    } catch (error) {
      if (error instanceof RangeError)
        throw new InspectionError("otherProtocol", address, error.message, { cause: error });
      throw error;
    } finally {
      connection.close();
    }
  }

  const reach = (address: string) =>
    at(address, false, async (connection) => {
      const began = performance.now();
      const release = await askRelease(connection);
      return { connectMs: connection.connectMs, answerMs: performance.now() - began, release };
    });

  /** Works at the first bootstrap address that answers. */
  async function somewhere<T>(work: (connection: KafkaConnection) => Promise<T>): Promise<T> {
    const address = await firstToAnswer(bootstrap, reach);
    return at(address, true, work);
  }

  const metadata = async (connection: KafkaConnection, topics: readonly string[]): Promise<Metadata> => {
    try {
      return await askMetadata(connection, topics);
    } catch (error) {
      // A listener with sign-in hangs up on anyone who asks without.
      if (user === null && error instanceof InspectionError && error.kind === "hungUp")
        throw new InspectionError("signInNeeded", connection.address, error.code, { cause: error });
      throw error;
    }
  };

  return {
    bootstrap,
    signIn: user && { user: user.user, mechanism: user.mechanism.toUpperCase() },
    reach,
    cluster: () =>
      somewhere(async (connection) => {
        const { cluster, brokers } = await metadata(connection, []);
        // A broker that has only just begun doesn't know its cluster yet.
        if (brokers.length === 0) throw new InspectionError("starting", connection.address, "no brokers known");
        return { id: cluster, askedAt: connection.address, brokers };
      }),
    topics: (names) =>
      somewhere(async (connection) => {
        const { topics } = await metadata(connection, names);
        const settingsOf = await askTopicSettings(connection, names);
        return names.map((name) => {
          const found = topics.find(({ topic }) => topic === name);
          if (found === undefined || found.error === UNKNOWN_TOPIC) return null;
          if (found.error !== 0 && found.partitions.length === 0) throw refusal(found.error, connection.address);
          const { partitions } = found;
          return {
            topic: name,
            partitions: partitions.length,
            replication: Math.min(...partitions.map(({ replicas }) => replicas.length)),
            inSync: Math.min(...partitions.map(({ inSync }) => inSync.length)),
            leaderless: partitions.filter(({ leader }) => leader < 0).map(({ partition }) => partition),
            settings: settingsOf.get(name) ?? null,
          };
        });
      }),
    async group(group) {
      const address = await somewhere(async (connection) => {
        const { error, address: found } = await askCoordinator(connection, group);
        if (error !== 0) throw refusal(error, connection.address);
        return found;
      });
      const found = await at(address, true, (connection) => askGroup(connection, group));
      if (found.error !== 0 && found.error !== UNKNOWN_GROUP) throw refusal(found.error, address);
      return found.error === UNKNOWN_GROUP || found.state === "Dead" ? null : found;
    },
    async disks() {
      const { brokers } = await somewhere((connection) => metadata(connection, []));
      return Promise.all(
        brokers.map(async ({ id, address }) => {
          const folders = await at(address, true, askDisks);
          const fullest = folders.toSorted((a, b) => a.free / a.total - b.free / b.total)[0];
          return fullest === undefined ? null : { broker: id, ...fullest };
        }),
      );
    },
    async clock(topic) {
      const { brokers, topics } = await somewhere((connection) => metadata(connection, [topic]));
      const leader = topics[0]?.partitions.find(({ partition }) => partition === 0)?.leader;
      const address = brokers.find(({ id }) => id === leader)?.address;
      if (address === undefined) throw new InspectionError("missing", bootstrap[0] ?? "", `no leader of ${topic}`);
      return at(address, true, async (connection) => {
        const before = now();
        const { error, time } = await appendForTime(connection, topic);
        if (error !== 0) throw refusal(error, address);
        return { before, after: now(), theirs: time };
      });
    },
  };
}

const UNKNOWN_TOPIC = 3;
const UNKNOWN_GROUP = 69;

/** Kafka's error codes that mean something here; any other is shown by its number. */
const REFUSALS: Readonly<Record<number, readonly [TroubleKind, string]>> = {
  3: ["missing", "UNKNOWN_TOPIC_OR_PARTITION"],
  5: ["starting", "LEADER_NOT_AVAILABLE"],
  14: ["starting", "COORDINATOR_LOAD_IN_PROGRESS"],
  15: ["starting", "COORDINATOR_NOT_AVAILABLE"],
  16: ["starting", "NOT_COORDINATOR"],
  29: ["forbidden", "TOPIC_AUTHORIZATION_FAILED"],
  30: ["forbidden", "GROUP_AUTHORIZATION_FAILED"],
  31: ["forbidden", "CLUSTER_AUTHORIZATION_FAILED"],
  35: ["tooOld", "UNSUPPORTED_VERSION"],
};

function refusal(error: number, address: string): InspectionError {
  const [kind, code] = REFUSALS[error] ?? ["other", `Kafka's error ${error}`];
  return new InspectionError(kind, address, code);
}

/** @throws InspectionError of the first address when none answers. */
async function firstToAnswer(
  addresses: readonly string[],
  reach: (address: string) => Promise<unknown>,
): Promise<string> {
  try {
    return await Promise.any(addresses.map(async (address) => (await reach(address), address)));
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}
