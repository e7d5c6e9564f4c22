import type { Config } from "./config";
import { scheme } from "./exposure";

/** Where `localhost` leads to what is listened on: everywhere, or the loopback's usual address. */
const LOCALHOST = new Set(["0.0.0.0", "::", "[::]", "127.0.0.1", "localhost"]);

/** Names the dashboard's address as a person would type it: the public one, or the one on this machine. */
export function addressForPeople({ server, frontDoor }: Pick<Config, "server" | "frontDoor">): string {
  if (frontDoor.PUBLIC_URL !== undefined) return frontDoor.PUBLIC_URL;
  const { HOST, PORT } = server;
  const host = LOCALHOST.has(HOST) ? "localhost" : HOST;
  return `${scheme(frontDoor)}://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${PORT}`;
}

/** Where sources' MQTT listener is, at the host of this server. */
export interface MqttListener {
  readonly port: number;
  /** True where it speaks over TLS. */
  readonly isSecure: boolean;
}

export function mqttListener({ intake, frontDoor }: Pick<Config, "intake" | "frontDoor">): MqttListener {
  const isSecure = frontDoor.TLS_CERT_FILE !== undefined;
  return { port: intake.MQTT_PORT ?? (isSecure ? 8883 : 1883), isSecure };
}
