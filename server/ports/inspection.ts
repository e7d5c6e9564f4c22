import type { EpochMs } from "@/server/domain/terms";
import { UnavailableError } from "@/server/domain/unavailable";

/**
 * Facts about an engine that only its own protocol can tell, for health and for the words of a failed start. Every call
 * opens what it needs, ends within its own time limit, lets go of everything, and throws only {@link InspectionError}.
 */
export interface KafkaInspection {
  /** The addresses of KAFKA_BROKERS. */
  readonly bootstrap: readonly string[];
  /** The sign-in, in words for people; null without. */
  readonly signIn: { readonly user: string; readonly mechanism: string } | null;
  /** Asks whether a Kafka answers at `address`, before any sign-in. */
  reach(address: string): Promise<KafkaReached>;
  /** Signs in at the first bootstrap address that answers and asks it for its cluster. */
  cluster(): Promise<KafkaCluster>;
  /** Describes the topics, asked at the bootstrap address; in the order given, null for one that isn't there. */
  topics(names: readonly string[]): Promise<readonly (KafkaTopic | null)[]>;
  /** A consumer group as its coordinator sees it; null if it never existed. Goes to the advertised address, as every client does. */
  group(group: string): Promise<KafkaGroup | null>;
  /** Room on the disks of every broker, as its own file systems tell; null for a broker that doesn't tell this user. */
  disks(): Promise<readonly (KafkaDisk | null)[]>;
  /** The clock of the broker that leads `topic`, by appending one small record that readers of the topic ignore. */
  clock(topic: string): Promise<ClockReading>;
}

interface KafkaReached {
  /** Milliseconds until the connection stood (with TLS, if set), and from then until Kafka's answer. */
  readonly connectMs: number;
  readonly answerMs: number;
  /** The release by its own answer, e.g. "Kafka 4.3"; null if it doesn't say. */
  readonly release: string | null;
}

export interface KafkaCluster {
  readonly id: string;
  /** The bootstrap address that answered. */
  readonly askedAt: string;
  /** Every broker, with the address it tells clients to use. */
  readonly brokers: readonly { readonly id: number; readonly address: string }[];
}

export interface KafkaTopic {
  readonly topic: string;
  readonly partitions: number;
  /** Fewest copies of any partition as assigned. */
  readonly replication: number;
  /** Fewest copies of any partition that are up to date. */
  readonly inSync: number;
  /** Partitions nobody leads: they take and give nothing. */
  readonly leaderless: readonly number[];
  /** Its settings by Kafka's names, e.g. retention.ms; null if this user may not read them. */
  readonly settings: ReadonlyMap<string, string> | null;
}

/** The fullest log folder of one broker; bytes. */
interface KafkaDisk {
  readonly broker: number;
  readonly folder: string;
  readonly free: number;
  readonly total: number;
}

export interface KafkaGroup {
  /** Kafka's word: Stable, Empty, PreparingRebalance, CompletingRebalance or Dead. */
  readonly state: string;
  readonly members: readonly { readonly client: string; readonly host: string }[];
}

/** An engine's clock, read between two moments of the clock here; null where the engine doesn't tell. */
export interface ClockReading {
  readonly before: EpochMs;
  readonly after: EpochMs;
  readonly theirs: EpochMs | null;
}

/** MongoDB, or what speaks its protocol. */
export interface MongoInspection {
  /** Host and port (several with commas) of MONGODB_URI. */
  readonly address: string;
  readonly database: string;
  /** The user of MONGODB_URI; null without sign-in. */
  readonly user: string | null;
  /** Asks whether it can be reached and signed in to, and what it says of itself. */
  server(): Promise<MongoServer>;
  /** Indexes as they should be, each with what is there. */
  indexes(): Promise<readonly MongoIndexState[]>;
  storage(): Promise<MongoStorage>;
}

export interface MongoServer {
  readonly answerMs: number;
  /** The version by buildInfo, e.g. 7.0.14. */
  readonly version: string;
  readonly writable: boolean;
  /** Name of the replica set; null for a server of its own. */
  readonly replicaSet: string | null;
  readonly clock: ClockReading;
  /** Connections open now and still to be had; null where not told. */
  readonly connections: { readonly current: number; readonly available: number } | null;
}

export interface MongoIndexState {
  readonly collection: string;
  readonly index: string;
  /** Keys and options in words, e.g. "device: 1, ingestTime: -1"; found is null when it isn't there. */
  readonly wanted: string;
  readonly found: string | null;
}

/** Bytes; the file system's are null where not told. */
interface MongoStorage {
  readonly data: number;
  readonly disk: { readonly used: number; readonly total: number } | null;
}

/** The trouble, as far as the engine's answer or its silence tells. */
export type TroubleKind =
  | "refused" // nothing listens
  | "unknownHost" // the name has no address
  | "unreachable" // no way there, or no answer to the connection
  | "silent" // takes the connection and doesn't answer
  | "hungUp" // takes the connection and closes it at the first words
  | "notTls" // was spoken to in TLS, and doesn't know it
  | "needsTls" // speaks only TLS
  | "certificate" // TLS, with a certificate that isn't trusted
  | "otherProtocol" // answers something else
  | "signInRefused" // user or password
  | "signInNeeded" // wants a user
  | "signInUnwanted" // takes no user at this port
  | "mechanism" // wants another way to sign in
  | "forbidden" // signed in, not allowed
  | "starting" // there, not ready yet
  | "tooOld"
  | "missing" // the thing asked about isn't there
  | "other";

/** The error of an engine that could not tell what it was asked. */
export class InspectionError extends UnavailableError {
  override readonly name = "InspectionError";
  /**
   * @param address host:port it happened at.
   * @param code the engine's or the system's own word for it, e.g. ECONNREFUSED.
   */
  constructor(
    readonly kind: TroubleKind,
    readonly address: string,
    readonly code: string,
    options: { cause?: unknown } = {},
  ) {
    super(`${address}: ${kind} (${code})`, options);
  }
}
