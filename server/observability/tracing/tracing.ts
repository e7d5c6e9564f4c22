import type { Config } from "@/server/config/config";
import { readVersion } from "@/server/config/version";
import { otlpEndpoint } from "../otlp-endpoint";
import type { TraceParent } from "../trace-context";
import { createSpanQueue, type OnSpans } from "./span-queue";

/** What a span is of its trace, as OpenTelemetry tells them apart. */
const KINDS = { internal: 0, server: 1, producer: 3, consumer: 4 } as const;

type Attributes = Readonly<Record<string, string | number | boolean>>;

/** One step of a trace, under way. */
export interface Step {
  readonly at: TraceParent;
  /** @param error what it failed by: its class is told, never what it says */
  end(how?: { readonly attributes?: Attributes; readonly error?: string; readonly at?: number }): void;
}

export interface Tracing {
  /** Batches and requests that take longer are always told of, in milliseconds. */
  readonly slowMs: number;
  /** Decides for a request, by what its sender says. */
  isSampled(parent: TraceParent | null): boolean;
  /** Begins a step. What isn't sampled isn't begun: this is for what is. @param how.at when it began, epoch milliseconds; now if left out */
  begin(
    name: string,
    how: {
      readonly kind?: keyof typeof KINDS;
      readonly parent?: TraceParent | null;
      readonly links?: readonly TraceParent[];
      readonly attributes?: Attributes;
      readonly at?: number;
    },
  ): Step;
  /** Sends what is left, for a second at most. */
  stop(): Promise<void>;
}

/** Begins tracing, if OTEL_EXPORTER_OTLP_ENDPOINT says where to. Without it nothing of OpenTelemetry is even loaded. */
export async function openTracing(
  { tracing: settings }: Pick<Config, "tracing">,
  role: string,
  onSpans: OnSpans,
): Promise<Tracing | null> {
  const { OTEL_TRACES_SAMPLER: sampler } = settings;
  const endpoint = otlpEndpoint(settings, "traces");
  if (endpoint === null) return null;
  const [api, sdk, otlp, resources] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/sdk-trace-base"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
  ]);
  const exporter = new otlp.OTLPTraceExporter({ url: endpoint.url, headers: { ...endpoint.headers } });
  const provider = new sdk.BasicTracerProvider({
    // Whether something is traced is decided before its span is made.
    sampler: new sdk.AlwaysOnSampler(),
    spanProcessors: [createSpanQueue(exporter, onSpans)],
    resource: resources.resourceFromAttributes({
      "service.name": `fieldwatch-${role}`,
      "service.version": readVersion(),
      "process.pid": process.pid,
    }),
  });
  const tracer = provider.getTracer("fieldwatch");
  const isParentBased = sampler.startsWith("parentbased_");
  const share = sampler.endsWith("always_on")
    ? 1
    : sampler.endsWith("always_off")
      ? 0
      : settings.OTEL_TRACES_SAMPLER_ARG;
  const contextOf = ({ traceId, spanId }: TraceParent) => ({ traceId, spanId, traceFlags: 1, isRemote: true });
  return {
    slowMs: settings.TRACE_SLOW_MS,
    isSampled: (parent) => (isParentBased && parent !== null ? parent.isSampled : Math.random() < share),
    begin(name, { kind = "internal", parent = null, links = [], attributes = {}, at }) {
      const within = parent === null ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, contextOf(parent));
      const span = tracer.startSpan(
        name,
        {
          kind: KINDS[kind] as number,
          attributes,
          links: links.map((link) => ({ context: contextOf(link) })),
          ...(at !== undefined && { startTime: at }),
        },
        within,
      );
      const { traceId, spanId } = span.spanContext();
      return {
        at: { traceId, spanId, isSampled: true },
        end({ attributes: more, error, at: endedAt } = {}) {
          if (more !== undefined) span.setAttributes(more);
          if (error !== undefined) span.setStatus({ code: 2 }).setAttribute("error.type", error);
          span.end(endedAt);
        },
      };
    },
    stop: () => provider.shutdown(),
  };
}
