import { networkInterfaces } from "node:os";
import type { Config } from "@/server/config/config";
import { scheme } from "@/server/config/exposure";
import { isLoopback } from "@/server/config/loopback";

const ROUTE = "/api/v1/telemetry";

/** The address of this machine's own Fieldwatch, from where it listens. */
export function ownAddress({ server, frontDoor }: Pick<Config, "server" | "frontDoor">): string {
  const host = server.HOST === "0.0.0.0" ? "127.0.0.1" : server.HOST === "::" ? "::1" : server.HOST;
  return `${scheme(frontDoor)}://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${server.PORT}`;
}

/** The telemetry route at a Fieldwatch address; a path in it is kept, as behind a reverse proxy. */
export function telemetryRoute(address: string): URL {
  const url = new URL(address);
  const path = url.pathname.replace(/\/+$/, "");
  if (!path.endsWith(ROUTE)) url.pathname = path + ROUTE;
  return url;
}

/** Packing pays off on a network, and only costs time on this machine. */
export function worthPacking(url: URL): boolean {
  return !isLoopback(url.hostname);
}

/** Another route of the same Fieldwatch, such as `pipeline`. */
export function routeBeside(telemetry: URL, route: string): URL {
  const url = new URL(telemetry);
  url.pathname = url.pathname.replace(/telemetry$/, route);
  url.search = "";
  return url;
}

/**
 * How a connection to this address is encrypted. The certificate is made out to the name people use, so on this machine's own
 * addresses, which it never leaves, it can't be checked, and needn't be.
 */
export function encryptionFor({ hostname }: URL): { readonly rejectUnauthorized: boolean } {
  const host = hostname.replace(/^\[|\]$/g, "");
  const own = () => Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === host));
  return { rejectUnauthorized: !isLoopback(host) && !own() };
}
