import { command } from "@/server/domain/fix";
import type { InspectionError, KafkaInspection, MongoInspection, TroubleKind } from "./inspection";

/** The cause of some trouble, and what to do, ready to copy. */
export interface Remedy {
  readonly cause: string;
  readonly fix: string;
}

/** The facts about an engine that the words need. */
export interface EngineNames {
  readonly engine: "Kafka" | "MongoDB";
  /** The variable that holds its address. */
  readonly variable: "KAFKA_BROKERS" | "MONGODB_URI";
  /** Whom Fieldwatch signs in as; null without sign-in. */
  readonly user: string | null;
  /** The sign-in, in Kafka's words. */
  readonly mechanism?: string;
  readonly database?: string;
}

/** Names the parts of a Kafka for the words about it. */
export function kafkaNames({ signIn }: Pick<KafkaInspection, "signIn">): EngineNames {
  const own = { engine: "Kafka", variable: "KAFKA_BROKERS" } as const;
  return signIn ? { ...own, user: signIn.user, mechanism: signIn.mechanism } : { ...own, user: null };
}

/** Names the parts of a MongoDB for the words about it. */
export function mongoNames({ user, database }: Pick<MongoInspection, "user" | "database">): EngineNames {
  return { engine: "MongoDB", variable: "MONGODB_URI", user, database };
}

/** Kinds of trouble in which the engine did answer, and refused the user. */
export const SIGN_IN_TROUBLES: ReadonlySet<TroubleKind> = new Set([
  "signInRefused",
  "signInNeeded",
  "signInUnwanted",
  "mechanism",
  "forbidden",
]);

/** Puts an engine's trouble into words for the person who runs Fieldwatch. Never shows a password. */
export function troubleWords(
  { kind, address, code }: Pick<InspectionError, "kind" | "address" | "code">,
  names: EngineNames,
): Remedy {
  const { engine, variable } = names;
  const { host, port } = split(address);
  const own = engine === "Kafka" ? KAFKA : MONGODB;
  const correct = `correct host and port in ${variable} and restart Fieldwatch.`;
  switch (kind) {
    case "refused":
      return { cause: `Nothing listens on ${address} (${code}).`, fix: `Start ${engine} there, or ${correct}` };
    case "unknownHost":
      return {
        cause: `This machine doesn't know the host ${host} (${code}).`,
        fix: `Correct the host in ${variable} and restart Fieldwatch, or make the name known here, with the address of its machine:\n${command`echo '192.0.2.1 ${host}' | sudo tee -a /etc/hosts`}`,
      };
    case "unreachable":
      return {
        cause: `There is no way to ${address} (${code}): a wrong address, a firewall, or a ${engine} that hangs.`,
        fix: `See whether it can be reached: ${command`nc -vz ${host} ${port}`}\nThen open the way, restart ${engine} if it hangs, or ${correct}`,
      };
    case "silent":
      return {
        cause: `${address} takes connections and doesn't answer (${code}): ${engine} is still starting, overloaded or stopped in its tracks.`,
        fix: `Wait until it has started. If it stays so, read ${engine}'s log and restart it.`,
      };
    case "hungUp":
      return {
        cause: `${address} hangs up before it answers (${code}): ${engine} is starting or stopping, or another program listens there.`,
        fix: `Wait until ${engine} has started; if it stays so, ${correct}`,
      };
    case "otherProtocol":
      return {
        cause: `Another program than ${engine} answers at ${address} (${code}).`,
        fix: `Correct the port in ${variable} (${engine}'s own is ${own.port}) and restart Fieldwatch.`,
      };
    case "notTls":
      return { cause: `${address} doesn't speak TLS (${code}).`, fix: own.withoutTls };
    case "needsTls":
      return { cause: `${address} speaks only TLS.`, fix: own.withTls };
    case "certificate":
      return { cause: `The certificate of ${address} isn't trusted (${code}).`, fix: own.authority };
    case "signInRefused":
      return {
        cause: `${address} refuses the user ${names.user ?? "(none)"} (${code}): wrong password, or no such user.`,
        fix: own.password(names, address),
      };
    case "signInNeeded":
      return { cause: `${address} asks for a user, and none is set.`, fix: own.signIn };
    case "signInUnwanted":
      return {
        cause: `${address} takes no sign-in, and a user is set (${code}).`,
        fix: "Name the port with sign-in in KAFKA_BROKERS, or unset KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.",
      };
    case "mechanism":
      return {
        cause: `${address} doesn't take ${names.mechanism ?? "this way to sign in"}; it offers: ${code}.`,
        fix: own.mechanism(code),
      };
    case "forbidden":
      return {
        cause: `The user ${names.user ?? "(none)"} may not do this at ${address} (${code}).`,
        fix: own.allow(names, address),
      };
    case "starting":
      return {
        cause: `${engine} at ${address} is starting, or choosing who leads (${code}).`,
        fix: `Wait; it settles within a minute. If it stays so, read ${engine}'s log.`,
      };
    case "tooOld":
      return {
        cause: `${engine} at ${address} is too old (${code}).`,
        fix: `Upgrade ${engine} to ${own.least} or later.`,
      };
    case "missing":
    case "other":
      return { cause: `${engine} at ${address} refuses (${code}).`, fix: `Read ${engine}'s log for this error.` };
  }
}

interface OwnWords {
  readonly port: number;
  readonly least: string;
  readonly withTls: string;
  readonly withoutTls: string;
  readonly authority: string;
  readonly signIn: string;
  readonly password: (names: EngineNames, address: string) => string;
  readonly mechanism: (offered: string) => string;
  readonly allow: (names: EngineNames, address: string) => string;
}

const KNOWN_MECHANISMS = ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"];

const KAFKA: OwnWords = {
  port: 9092,
  least: "2.4",
  withTls: "`KAFKA_SSL=true`",
  withoutTls: "Set `KAFKA_SSL=false`, or name Kafka's TLS port in KAFKA_BROKERS.",
  authority:
    "Name its authority: KAFKA_SSL_CA_FILE=/path/to/ca.pem. The host in KAFKA_BROKERS must be one the certificate names.",
  signIn: "Set `KAFKA_SASL_MECHANISM=scram-sha-512`, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.",
  password: ({ user, mechanism }, address) =>
    `Correct KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD and restart Fieldwatch.${
      mechanism?.startsWith("SCRAM")
        ? ` To set the password in Kafka:\n${command`kafka-configs.sh --bootstrap-server ${address.split(",")} --alter --entity-type users --entity-name ${user ?? ""} --add-config '${mechanism}=[password=NEW]'`}`
        : ""
    }`,
  mechanism(offered) {
    const usable = KNOWN_MECHANISMS.find((mechanism) => offered.split(", ").includes(mechanism));
    if (usable !== undefined) return command`KAFKA_SASL_MECHANISM=${usable.toLowerCase()}`;
    return `Turn on one of these there: ${command`sasl.enabled.mechanisms=${KNOWN_MECHANISMS}`}`;
  },
  allow: ({ user }, address) =>
    command`kafka-acls.sh --bootstrap-server ${address.split(",")} --add --allow-principal User:${user ?? "ANONYMOUS"} --operation All --topic iot. --group fieldwatch --resource-pattern-type prefixed`,
};

const MONGODB: OwnWords = {
  port: 27017,
  least: "5.0",
  withTls: "Add tls=true to MONGODB_URI, after a ? or &.",
  withoutTls: "Take tls=true out of MONGODB_URI.",
  authority: "Name its authority: add tlsCAFile=/path/to/ca.pem to MONGODB_URI.",
  signIn: "Put user and password into MONGODB_URI: `mongodb://USER:PASSWORD@host:27017/fieldwatch?authSource=admin`",
  password: () =>
    "Correct user and password in MONGODB_URI; in a password, write @ : / ? # % as %40 %3A %2F %3F %23 %25. A user made in the database admin needs ?authSource=admin.",
  mechanism: () => "Take authMechanism=… out of MONGODB_URI.",
  allow: ({ user, database }) =>
    `In mongosh, as an administrator, in the database the user was made in: ${command`db.grantRolesToUser("${user ?? ""}", [{ role: "readWrite", db: "${database ?? ""}" }, { role: "dbAdmin", db: "${database ?? ""}" }])`}`,
};

function split(address: string): { host: string; port: string } {
  const first = address.split(",")[0] ?? address;
  const colon = first.lastIndexOf(":");
  return colon < 0 ? { host: first, port: "" } : { host: first.slice(0, colon), port: first.slice(colon + 1) };
}
