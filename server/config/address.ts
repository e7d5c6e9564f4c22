import type { Config } from "./config";
import { scheme } from "./exposure";
import { isLoopback } from "./loopback";

const ANY = new Set(["0.0.0.0", "::", "[::]"]);

/** Names the dashboard's address as a person would type it: the public one, or the one on this machine. */
export function addressForPeople({ server, frontDoor }: Pick<Config, "server" | "frontDoor">): string {
  if (frontDoor.PUBLIC_URL !== undefined) return frontDoor.PUBLIC_URL;
  const { HOST, PORT } = server;
  const host = ANY.has(HOST) || (isLoopback(HOST) && HOST !== "::1") ? "localhost" : HOST;
  return `${scheme(frontDoor)}://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${PORT}`;
}
