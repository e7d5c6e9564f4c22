import type { IncomingMessage, ServerResponse } from "node:http";
import { BlockList, isIP } from "node:net";
import { CONTENT_TYPES, expose, formatOf } from "./exposition";
import type { Metrics } from "./metrics";

/** Answers a scrape. HEAD gets no body, as HTTP has it. */
export async function answerScrape(
  metrics: Metrics,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const format = formatOf(request.headers.accept);
  const text = expose(await metrics.gather(), format);
  response.writeHead(200, {
    "content-type": CONTENT_TYPES[format],
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
  });
  response.end(text);
}

/** Answers a scrape that isn't answered with metrics. */
export function refuseScrape(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ...headers });
  response.end(`${text}\n`);
}

/** Tells whether an address is in one of these networks (`10.0.0.7` or `10.0.0.0/8`). */
export function withinNetworks(networks: readonly string[]): (address: string | null | undefined) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    list.addSubnet(address, bits === undefined ? (family === "ipv6" ? 128 : 32) : Number(bits), family);
  }
  return (address) => {
    const plain = address?.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "") ?? "";
    const family = isIP(plain);
    return family !== 0 && list.check(plain, family === 6 ? "ipv6" : "ipv4");
  };
}
