import { z } from "zod";
import { networks, variable, whole } from "../variables";

/** Who may read metrics, where roles without a web server of their own serve them, and where they are pushed. */
export const metrics = {
  METRICS_PORT: variable(
    whole(1, 65533).optional(),
    "Port at which the worker serves /metrics; intake takes the next and the simulator the one after it, so that all may run on one machine. Not set: they serve none. Web serves it at PORT in any case.",
    "9464",
  ),
  METRICS_HOST: variable(z.string().min(1).default("127.0.0.1"), "Address METRICS_PORT is at.", "127.0.0.1"),
  METRICS_NETWORKS: variable(
    z.string().default("").transform(networks),
    "Addresses or networks that may read /metrics without a key, of every role. This machine may at METRICS_PORT in any case, but not at PORT, where a proxy on it makes every visitor a local one. Others show web a key of a service with the role viewer at all sites.",
    "10.0.0.0/8",
  ),
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: variable(
    z.url({ protocol: /^https?$/ }).optional(),
    "Where every role pushes its metrics by OTLP (HTTP, JSON), the whole address. Not set: nowhere.",
    "http://localhost:4318/v1/metrics",
  ),
  OTEL_EXPORTER_OTLP_METRICS_HEADERS: variable(
    z.string().default("").transform(headers),
    "Headers of those requests, name=value with commas between, values in percent-encoding.",
    "authorization=Bearer%20secret",
    { secret: true },
  ),
  OTEL_METRIC_EXPORT_INTERVAL: variable(
    whole(1000, 3_600_000).default(60_000),
    "Time between two pushes, in milliseconds.",
    "60000",
  ),
} as const;

/** Reads "name=value,name=value" as OpenTelemetry has it. */
function headers(text: string, context: z.RefinementCtx): Readonly<Record<string, string>> {
  const read: Record<string, string> = {};
  for (const part of text.split(",").map((each) => each.trim())) {
    if (part === "") continue;
    const [, name, value] = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*=\s*(.*)$/.exec(part) ?? [];
    try {
      if (name === undefined || value === undefined) throw new URIError(part);
      const plain = decodeURIComponent(value);
      if (/[^\t\x20-\x7e]/.test(plain)) throw new URIError(part);
      read[name] = plain;
    } catch {
      // The part itself may be a secret.
      context.addIssue({
        code: "custom",
        message: "must be name=value with commas between, values in percent-encoding",
      });
      break;
    }
  }
  return read;
}
