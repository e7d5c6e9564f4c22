import type { EpochMs } from "@/server/domain/terms";
import type { Family, HistogramValue } from "./metrics";

/** Whose metrics they are. */
export interface OtlpSource {
  readonly role: string;
  readonly version: string;
  /** Tells processes of a role from each other. */
  readonly instance: string;
  /** When the process began to count. */
  readonly since: EpochMs;
}

/** Each value is the sum since the beginning: what isn't taken once is in the next. */
const CUMULATIVE = 2;

/**
 * Writes metrics as the body of a request to an OTLP receiver, in OTLP's JSON; those without a series are left out. Names stay those of /metrics.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
 */
export function otlpMetrics(families: readonly Family[], source: OtlpSource, now: EpochMs): object {
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const metricOf = ({ name, definition, samples }: Family) => {
    const { kind, help: description, labels, buckets = [] } = definition;
    // Kept totals began with the installation, which no process knows: a start that isn't known is left out.
    const isCounted = kind !== "gauge" && definition.source === "process";
    const dataPoints = samples.map(({ labels: values, value }) => ({
      attributes: labels.map((label, i) => attribute(label, values[i]!)),
      ...{ ...(isCounted && { startTimeUnixNano: nanos(source.since) }), timeUnixNano: nanos(now) },
      ...(typeof value === "number" ? { asDouble: double(value) } : histogramPoint(value, buckets)),
    }));
    const sums = { aggregationTemporality: CUMULATIVE, dataPoints };
    if (kind === "gauge") return { name, description, gauge: { dataPoints } };
    return kind === "counter"
      ? { name, description, sum: { ...sums, isMonotonic: true } }
      : { name, description, histogram: sums };
  };
  const resource = {
    "service.name": `fieldwatch-${source.role}`,
    "service.version": source.version,
    "service.instance.id": source.instance,
  };
  return {
    resourceMetrics: [
      {
        resource: { attributes: Object.entries(resource).map(([key, value]) => attribute(key, value)) },
        scopeMetrics: [
          {
            scope: { name: "fieldwatch" },
            metrics: families.filter(({ samples }) => samples.length > 0).map(metricOf),
          },
        ],
      },
    ],
  };
}

function histogramPoint({ counts, sum, count, exemplars }: HistogramValue, buckets: readonly number[]) {
  return {
    ...{ count: String(count), sum: double(sum), bucketCounts: counts.map(String), explicitBounds: buckets },
    exemplars: exemplars.flatMap((one) =>
      one === undefined
        ? []
        : [{ timeUnixNano: nanos(one.at), asDouble: double(one.value), traceId: one.traceId, filteredAttributes: [] }],
    ),
  };
}

const nanos = (ms: EpochMs) => `${BigInt(Math.round(ms * 1000)) * 1000n}`;
/** JSON has no numbers for what isn't finite: OTLP's has words. */
const double = (value: number) => (Number.isFinite(value) ? value : String(value));
