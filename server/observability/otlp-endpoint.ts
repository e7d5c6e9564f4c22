import type { Config } from "@/server/config/config";

/** Where OTLP over HTTP takes a kind of telemetry, and the headers it wants. */
export interface OtlpEndpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS say; null: nothing is sent. @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
export function otlpEndpoint(
  { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers }: Config["tracing"],
  kind: "traces" | "metrics",
): OtlpEndpoint | null {
  if (endpoint === undefined) return null;
  const pairs = (headers ?? "").split(",").filter((pair) => pair !== "");
  return {
    url: `${endpoint.replace(/\/+$/, "")}/v1/${kind}`,
    headers: Object.fromEntries(
      pairs.map((pair) => [
        pair.slice(0, pair.indexOf("=")).trim(),
        decodeURIComponent(pair.slice(pair.indexOf("=") + 1)),
      ]),
    ),
  };
}
