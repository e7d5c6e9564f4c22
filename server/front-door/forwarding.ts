import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import type { TLSSocket } from "node:tls";

/** The sender of a request, as far as it is known. */
export interface Sender {
  /** The client's address: the peer's, or the one that trusted proxies say is behind them. */
  readonly address: string;
  readonly isHttps: boolean;
}

interface Forwarding {
  isTrusted(address: string): boolean;
  /**
   * Reads who sent a request, and leaves in its headers only what is true: the address in `x-forwarded-for`, the scheme in
   * `x-forwarded-proto`, the host people asked for in `host`. Anything that came from anybody but a trusted proxy is removed.
   */
  settle(request: Pick<IncomingMessage, "headers" | "socket">): Sender;
}

/** Believes forwarding headers only from the proxies at these addresses (`10.0.0.7` or `10.0.0.0/8`). */
export function createForwarding(proxies: readonly string[]): Forwarding {
  const trusted = new BlockList();
  for (const proxy of proxies) {
    const [address, bits] = proxy.split("/") as [string, string?];
    if (bits === undefined) trusted.addAddress(address, family(address));
    else trusted.addSubnet(address, Number(bits), family(address));
  }
  const isTrusted = (address: string) => isIP(address) > 0 && trusted.check(address, family(address));
  return {
    isTrusted,
    settle({ headers, socket }) {
      const peer = plainAddress(socket.remoteAddress ?? "");
      const believed = isTrusted(peer) ? headers : {};
      // Each proxy appends the address it heard from: the last one that is no proxy of ours is the client.
      const way = listOf(believed, "x-forwarded-for").map(plainAddress).reverse();
      const address = way.find((hop) => !isTrusted(hop)) ?? way.at(-1) ?? peer;
      const isHttps =
        (socket as Partial<TLSSocket>).encrypted === true || listOf(believed, "x-forwarded-proto").at(-1) === "https";
      const host = listOf(believed, "x-forwarded-host").at(-1);
      for (const name of Object.keys(headers))
        if (name === "forwarded" || name.startsWith("x-forwarded-")) delete headers[name];
      if (host !== undefined) headers.host = host;
      headers["x-forwarded-for"] = isIP(address) > 0 ? address : peer;
      headers["x-forwarded-proto"] = isHttps ? "https" : "http";
      return { address: headers["x-forwarded-for"], isHttps };
    },
  };
}

/** Returns an address; an IPv4 address written as an IPv6 one becomes plain IPv4. */
export function plainAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
}

function family(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

function listOf(headers: IncomingHttpHeaders, name: string): string[] {
  return String(headers[name] ?? "")
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}
