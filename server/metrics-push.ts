import { hostname } from "node:os";
import { pause } from "./async/backoff";
import type { Config } from "./config/config";
import type { Logger } from "./observability/logger";
import type { Metrics } from "./observability/metrics/metrics";
import { otlpMetrics } from "./observability/metrics/otlp";
import { otlpEndpoint } from "./observability/otlp-endpoint";
import type { Running } from "./observability/running";
import { readVersion } from "./config/version";

/** A receiver may take so long, in milliseconds; the last time, when the process ends, a tenth of it. */
const PATIENCE_MS = 10_000;

/**
 * Sends a role's metrics to an OTLP receiver again and again, as an alternative to their being scraped; nothing unless OTEL_METRICS_EXPORTER says so.
 * They are sums since the beginning, so nothing is kept for a receiver that is away: what it missed is in what it gets next.
 */
export function pushMetrics(
  { tracing, metrics: settings }: Pick<Config, "tracing" | "metrics">,
  metrics: Metrics,
  logger: Logger,
): Running {
  const endpoint = otlpEndpoint(tracing, "metrics");
  if (endpoint === null || settings.OTEL_METRICS_EXPORTER === "none") return { stop: () => Promise.resolve() };
  const { role } = metrics;
  const source = { role, version: readVersion(), instance: `${hostname()}:${process.pid}`, since: Date.now() };
  const stopping = new AbortController();
  let isTroubled = false;

  async function push(patienceMs: number): Promise<void> {
    try {
      const body = JSON.stringify(otlpMetrics(await metrics.gather(), source, Date.now()));
      const headers = { ...endpoint!.headers, "content-type": "application/json" };
      const signal = AbortSignal.timeout(patienceMs);
      const answer = await fetch(endpoint!.url, { method: "POST", body, headers, signal });
      const said = await answer.text();
      if (!answer.ok) throw new Error(`it answered ${answer.status} ${said.slice(0, 200)}`);
      if (isTroubled) logger.info("metrics are taken again");
      isTroubled = false;
    } catch (error) {
      // Told once: whether it lasts is seen where the metrics are missing.
      if (!isTroubled) logger.warn({ err: error }, "metrics can't be sent by OTLP; they are tried again and again");
      isTroubled = true;
    }
  }

  const running = (async () => {
    while (!stopping.signal.aborted) {
      await pause(settings.OTEL_METRIC_EXPORT_INTERVAL, stopping.signal);
      if (!stopping.signal.aborted) await push(PATIENCE_MS);
    }
  })();
  let stopped: Promise<void> | undefined;
  return {
    stop: () =>
      (stopped ??= (async () => {
        stopping.abort();
        await running;
        await push(PATIENCE_MS / 10);
      })()),
  };
}
