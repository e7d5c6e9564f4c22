import { z } from "zod";
import { networks, variable, whole } from "../variables";

/** Who may read metrics, and where roles without a web server of their own serve them. */
export const metrics = {
  METRICS_PORT: variable(
    whole(1, 65533).optional(),
    "Port at which the worker serves /metrics, and /livez and /readyz for probes; intake takes the next and the simulator the one after it, so that all may run on one machine. Not set: they serve none. Web serves it at PORT in any case.",
    "9464",
  ),
  METRICS_HOST: variable(z.string().min(1).default("127.0.0.1"), "Address METRICS_PORT is at.", "127.0.0.1"),
  METRICS_NETWORKS: variable(
    z.string().default("").transform(networks),
    "Addresses or networks that may read /metrics without a key, of every role. This machine may at METRICS_PORT in any case, but not at PORT, where a proxy on it makes every visitor a local one. Others show web a key of a service with the role viewer at all sites.",
    "10.0.0.0/8",
  ),
  OTEL_METRICS_EXPORTER: variable(
    z.enum(["none", "otlp"]).default("none"),
    "otlp: every role sends its metrics to OTEL_EXPORTER_OTLP_ENDPOINT, too, for those who don't scrape.",
    "otlp",
  ),
  OTEL_METRIC_EXPORT_INTERVAL: variable(
    whole(1000, 3_600_000).default(60_000),
    "Milliseconds between two times they are sent.",
    "60000",
  ),
} as const;
