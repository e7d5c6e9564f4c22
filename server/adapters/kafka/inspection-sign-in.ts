import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { InspectionError } from "@/server/ports/inspection";
import type { KafkaSettings } from "./client";
import type { KafkaConnection } from "./inspection-connection";
import { WireWriter } from "./inspection-wire";

export interface KafkaUser {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly user: string;
  readonly password: string;
}

/** The sign-in that the KAFKA_SASL_* variables name; null for none. */
export function userOf(settings: KafkaSettings): KafkaUser | null {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: user, KAFKA_SASL_PASSWORD: password } = settings;
  const now = settings.currentPassword?.() ?? password;
  return mechanism === undefined || user === undefined || now === undefined ? null : { mechanism, user, password: now };
}

const UNSUPPORTED_MECHANISM = 33;
const ILLEGAL_STATE = 34;

/** Signs in. @throws InspectionError signInRefused, mechanism (its code lists what is offered) or signInUnwanted. */
export async function signIn(connection: KafkaConnection, user: KafkaUser): Promise<void> {
  const { address } = connection;
  const mechanism = user.mechanism.toUpperCase();
  const answer = await connection.ask({ api: 17, version: 1, body: new WireWriter().string(mechanism).done() });
  const [error, offered] = [answer.int16(), answer.array(() => answer.string() ?? "")];
  if (error === ILLEGAL_STATE) throw new InspectionError("signInUnwanted", address, "ILLEGAL_SASL_STATE");
  if (error === UNSUPPORTED_MECHANISM) throw new InspectionError("mechanism", address, offered.sort().join(", "));
  if (error !== 0) throw new InspectionError("signInRefused", address, `SASL handshake, error ${error}`);
  if (user.mechanism === "plain") await say(connection, `\0${user.user}\0${user.password}`);
  else await scram(connection, user, user.mechanism === "scram-sha-256" ? "sha256" : "sha512");
}

async function say(connection: KafkaConnection, words: string): Promise<string> {
  const body = new WireWriter().bytes(Buffer.from(words)).done();
  const answer = await connection.ask({ api: 36, version: 0, body });
  const error = answer.int16();
  if (error !== 0) throw new InspectionError("signInRefused", connection.address, "SASL_AUTHENTICATION_FAILED");
  answer.string();
  return answer.bytes().toString();
}

/** RFC 5802; the server's own proof isn't checked, as health trusts it with nothing. */
async function scram(
  connection: KafkaConnection,
  { user, password }: KafkaUser,
  hash: "sha256" | "sha512",
): Promise<void> {
  const hmac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest();
  const name = user.replaceAll("=", "=3D").replaceAll(",", "=2C");
  const first = `n=${name},r=${randomBytes(18).toString("base64url")}`;
  const challenge = await say(connection, `n,,${first}`);
  const part = Object.fromEntries(challenge.split(",").map((each) => [each[0], each.slice(2)]));
  const [nonce, salt, rounds] = [part.r, part.s, Number(part.i)];
  if (nonce === undefined || salt === undefined || !(rounds > 0 && rounds < 1_000_000))
    throw new InspectionError("otherProtocol", connection.address, "not a SCRAM challenge");
  const salted = await promisify(pbkdf2)(
    password,
    Buffer.from(salt, "base64"),
    rounds,
    hash === "sha256" ? 32 : 64,
    hash,
  );
  const key = hmac(salted, "Client Key");
  const last = `c=biws,r=${nonce}`;
  const signature = hmac(createHash(hash).update(key).digest(), `${first},${challenge},${last}`);
  const proof = key.map((byte, i) => byte ^ signature[i]!);
  await say(connection, `${last},p=${Buffer.from(proof).toString("base64")}`);
}
