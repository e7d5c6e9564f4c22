import type { OtlpEndpoint } from "@/server/observability/otlp-endpoint";
import { errorCode } from "@/server/postgres/start-error";
import { type Finding, pass, type Probe } from "./probe";

/** The time the receiver may take to answer, in milliseconds. */
const ANSWERS_MS = 3000;
/** Addresses and headers alone are wrong with these; others are the receiver's own trouble. */
const REFUSALS: ReadonlySet<number> = new Set([401, 403]);

/** Tells whether what takes traces, or metrics, by OTLP takes what is sent with these settings: it is sent one request with nothing in it. */
export function otlpProbe(kind: "traces" | "metrics", { url, headers }: OtlpEndpoint): Probe {
  return {
    name: `otlp.${kind}`,
    title: `Receiver of ${kind}`,
    group: "OpenTelemetry",
    timeoutMs: 2 * ANSWERS_MS,
    async run(): Promise<Finding> {
      let status: number;
      try {
        const answer = await fetch(url, {
          ...{ method: "POST", body: kind === "traces" ? '{"resourceSpans":[]}' : '{"resourceMetrics":[]}' },
          headers: { ...headers, "content-type": "application/json" },
          signal: AbortSignal.timeout(ANSWERS_MS),
        });
        await answer.body?.cancel();
        ({ status } = answer);
      } catch (error) {
        return unreachable(kind, url, error as Error);
      }
      if (status >= 200 && status < 300) return pass(`${url} takes them.`);
      return {
        ...{ status: "warn", summary: `It doesn't take ${kind}.`, cause: `${url} answers ${status}.` },
        fix: REFUSALS.has(status)
          ? "Set `OTEL_EXPORTER_OTLP_HEADERS` to what the receiver wants, such as `authorization=Bearer%20…`."
          : `Check \`OTEL_EXPORTER_OTLP_ENDPOINT\`: it is the address without \`/v1/${kind}\` of what speaks OTLP over HTTP, usually on port 4318.`,
      };
    },
  };
}

function unreachable(kind: string, url: string, error: Error): Finding {
  const { origin } = new URL(url);
  const why =
    error.name === "TimeoutError"
      ? `no answer within ${ANSWERS_MS / 1000} s`
      : (errorCode(error.cause) ?? error.message);
  return {
    ...{ status: "warn", summary: `It can't be reached, so ${kind} are dropped.`, cause: `${origin}: ${why}.` },
    fix: "Start it, or set `OTEL_EXPORTER_OTLP_ENDPOINT` to where it is (OTLP over HTTP, usually on port 4318); without that variable nothing is sent.",
  };
}
