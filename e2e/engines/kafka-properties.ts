import { randomBytes } from "node:crypto";
import { type Certificate, STORE_PASSWORD } from "./certificate";

export interface KafkaPorts {
  readonly clients: number;
  /** Kafka's own, without sign-in: also for asking whether it is ready. */
  readonly internal: number;
  readonly controller: number;
}

/** A new cluster id in Kafka's form: 16 bytes in 22 letters. */
export function newClusterId(): string {
  // Kafka's tools take a leading dash for an option.
  for (;;) {
    const id = randomBytes(16).toString("base64url");
    if (!id.startsWith("-")) return id;
  }
}

/** The broker's server.properties. @throws Error for a user or password that Kafka's files would have to quote. */
export function serverProperties(options: {
  readonly ports: KafkaPorts;
  readonly logDir: string;
  readonly advertised?: string;
  readonly users?: Readonly<Record<string, string>>;
  readonly certificate?: Certificate | undefined;
  readonly settings?: Readonly<Record<string, string>>;
}): string {
  const { clients, internal, controller } = options.ports;
  const transport = options.certificate ? "SSL" : "PLAINTEXT";
  const protocol = options.users ? `SASL_${transport}` : transport;
  const settings: Record<string, string> = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${controller}`,
    listeners: `CLIENTS://127.0.0.1:${clients},INTERNAL://127.0.0.1:${internal},CONTROLLER://127.0.0.1:${controller}`,
    "advertised.listeners": `CLIENTS://${options.advertised ?? `127.0.0.1:${clients}`},INTERNAL://127.0.0.1:${internal}`,
    "listener.security.protocol.map": `CLIENTS:${protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "INTERNAL",
    "log.dirs": options.logDir,
    "auto.create.topics.enable": "false",
    "delete.topic.enable": "true",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "3",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "3",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    // Killed and started again, a broker waits until its former self is given up: 3 s instead of 9.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    // One broker, used by tests and drills: nothing to wait for.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.segment.delete.delay.ms": "1000",
    "log.retention.check.interval.ms": "5000",
    ...(options.users && signIn(options.users)),
    ...(options.certificate && {
      "listener.name.clients.ssl.keystore.type": "PKCS12",
      "listener.name.clients.ssl.keystore.location": options.certificate.storeFile,
      "listener.name.clients.ssl.keystore.password": STORE_PASSWORD,
    }),
    ...options.settings,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value.replaceAll("\\", "\\\\")}\n`)
    .join("");
}

function signIn(users: Readonly<Record<string, string>>): Record<string, string> {
  for (const word of Object.entries(users).flat())
    if (!/^[\w.~-]+$/.test(word)) throw new Error(`Users and passwords may have letters, digits and . _ ~ - only.`);
  const plain = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`);
  const scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
  return {
    "listener.name.clients.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    "listener.name.clients.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required ${plain.join(" ")};`,
    "listener.name.clients.scram-sha-256.sasl.jaas.config": scram,
    "listener.name.clients.scram-sha-512.sasl.jaas.config": scram,
  };
}
