import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Config } from "./config/config";
import type { Logger } from "./observability/logger";
import { answerScrape, refuseScrape, withinNetworks } from "./observability/metrics/answer";
import type { MetricsRole } from "./observability/metrics/definitions";
import type { Metrics } from "./observability/metrics/metrics";
import type { Running } from "./observability/running";
import { StartError } from "./postgres/start-error";

/** Added to METRICS_PORT, so that roles on one machine don't meet. */
const PLACES: Readonly<Record<Exclude<MetricsRole, "web">, number>> = { worker: 0, intake: 1, simulator: 2 };
const LOOPBACK = ["127.0.0.0/8", "::1"];
/** The time a scrape's head may take to arrive, in milliseconds. */
const HEAD_MS = 10_000;
const MOST_CONNECTIONS = 100;

/**
 * Serves a role's metrics at its own port, to this machine and to METRICS_NETWORKS, and to all /livez (its event loop turns) and /readyz;
 * nothing without METRICS_PORT.
 * @param isReady whether it does its work; engines that are away are no reason to say no.
 * @returns null where nothing is served; else the port, and how to stop. @throws StartError when the port can't be had.
 */
export async function openMetricsPort(
  { metrics: settings }: Pick<Config, "metrics">,
  role: Exclude<MetricsRole, "web">,
  metrics: Metrics,
  logger: Logger,
  isReady: () => boolean = () => true,
): Promise<(Running & { readonly port: number }) | null> {
  if (settings.METRICS_PORT === undefined) return null;
  const isAllowed = withinNetworks([...LOOPBACK, ...settings.METRICS_NETWORKS]);
  const wanted = settings.METRICS_PORT + PLACES[role];
  const server = createServer({ headersTimeout: HEAD_MS, requestTimeout: HEAD_MS }, (request, response) => {
    const [path] = request.url?.split("?", 1) ?? [];
    // Nobody reads bodies here.
    request.resume();
    // They hold nothing, and who probes comes from no network that anybody knows before.
    if (path === "/livez") return answerProbe(response, true);
    if (path === "/readyz") return answerProbe(response, isReady());
    if (!isAllowed(request.socket.remoteAddress))
      return refuseScrape(
        response,
        403,
        `Set METRICS_NETWORKS to where you come from: ${request.socket.remoteAddress}.`,
      );
    if (path !== "/metrics")
      return refuseScrape(response, 404, "Metrics are at /metrics, probes at /livez and /readyz.");
    if (request.method !== "GET" && request.method !== "HEAD")
      return refuseScrape(response, 405, "Metrics are read by GET.", { allow: "GET, HEAD" });
    answerScrape(metrics, request, response).catch(() => response.destroy());
  });
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new StartError(
          `The ${role} can't serve its metrics at ${settings.METRICS_HOST}:${wanted}`,
          error.code === "EADDRINUSE" ? "Something else listens there." : error.message,
          "Set METRICS_PORT to another port, or leave it out. Several workers on one machine need one each.",
        ),
      ),
    );
    server.listen(wanted, settings.METRICS_HOST, resolve);
  });
  const { port } = server.address() as AddressInfo;
  logger.info({ port }, "metrics are served at /metrics");
  return {
    port,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answerProbe(response: ServerResponse, isWell: boolean): void {
  response.writeHead(isWell ? 200 : 503, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
  response.end(isWell ? "ok\n" : "not yet, or no longer\n");
}
