import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import pino from "pino";
import { afterAll, expect, test } from "vitest";
import { loadConfig } from "./config/config";
import { pushMetrics } from "./metrics-push";
import { createMetrics } from "./observability/metrics/metrics";
import { until } from "./testing/until";

interface Point {
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[];
  readonly startTimeUnixNano?: string;
  readonly timeUnixNano: string;
  readonly asDouble?: number | string;
}
interface Body {
  readonly resourceMetrics: readonly [
    {
      readonly resource: { readonly attributes: Point["attributes"] };
      readonly scopeMetrics: readonly [{ readonly metrics: readonly Record<string, never>[] }];
    },
  ];
}

/** A receiver of OTLP that answers with `status`, and keeps what it got while that is 200. */
let status = 200;
const got: { path: string; authorization: string | undefined; body: Body }[] = [];
let refused = 0;
const receiver = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    if (status === 200)
      got.push({
        ...{ path: request.url!, authorization: request.headers.authorization },
        body: JSON.parse(Buffer.concat(parts).toString()) as Body,
      });
    else refused++;
    response.writeHead(status, { "content-type": "application/json" }).end("{}");
  });
}).listen(0, "127.0.0.1");
afterAll(() => void receiver.close());

test("metrics are sent as OTLP has them, and what a receiver missed is in what it gets next", async () => {
  const config = loadConfig(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20abc",
      ...{ OTEL_METRICS_EXPORTER: "otlp", OTEL_METRIC_EXPORT_INTERVAL: "1000" },
    },
    "",
  );
  const metrics = createMetrics("worker");
  metrics.collect("infinite", (set) => set("process_cpu_seconds_total", {}, Infinity));
  metrics.count("fieldwatch_trace_spans_total", { outcome: "sent" }, 3);
  metrics.observe("fieldwatch_stage_duration_seconds", { stage: "decode" }, 0.002, {
    traceId: "0af7651916cd43dd8448eb211c80319c",
  });
  metrics.observe("fieldwatch_stage_duration_seconds", { stage: "decode" }, 1e9);
  const pushed = pushMetrics(config, metrics, pino({ level: "silent" }));
  const point = (name: string, kind: "sum" | "histogram") => {
    const all = got.at(-1)!.body.resourceMetrics[0].scopeMetrics[0].metrics as unknown as Record<string, unknown>[];
    const found = all.find((one) => one.name === name)! as Record<string, { dataPoints: Point[] }>;
    return { metric: found[kind], point: found[kind]!.dataPoints[0]! };
  };
  await until(() => got.length > 0);
  expect(got[0]).toMatchObject({ path: "/v1/metrics", authorization: "Bearer abc" });
  const { attributes } = got[0]!.body.resourceMetrics[0].resource;
  expect(attributes).toContainEqual({ key: "service.name", value: { stringValue: "fieldwatch-worker" } });
  const spans = point("fieldwatch_trace_spans_total", "sum");
  expect(spans.metric).toMatchObject({ aggregationTemporality: 2, isMonotonic: true });
  expect(spans.point).toMatchObject({ attributes: [{ key: "outcome", value: { stringValue: "sent" } }], asDouble: 3 });
  expect(Number(BigInt(spans.point.timeUnixNano) / 1_000_000n)).toBeGreaterThanOrEqual(
    Number(BigInt(spans.point.startTimeUnixNano!) / 1_000_000n),
  );
  expect(point("process_cpu_seconds_total", "sum").point.asDouble).toBe("Infinity");
  const { point: stage } = point("fieldwatch_stage_duration_seconds", "histogram");
  expect(stage).toMatchObject({ count: "2", sum: 1e9 + 0.002, exemplars: [{ asDouble: 0.002 }] });
  const { bucketCounts, explicitBounds } = stage as unknown as { bucketCounts: string[]; explicitBounds: number[] };
  expect(bucketCounts).toHaveLength(explicitBounds.length + 1);
  expect(bucketCounts.at(-1)).toBe("1");
  expect(bucketCounts[explicitBounds.findIndex((end) => end >= 0.002)]).toBe("1");

  status = 503;
  metrics.count("fieldwatch_trace_spans_total", { outcome: "sent" }, 4);
  await until(() => refused > 0);
  status = 200;
  const before = got.length;
  await until(() => got.length > before);
  expect(point("fieldwatch_trace_spans_total", "sum").point.asDouble).toBe(7);

  metrics.count("fieldwatch_trace_spans_total", { outcome: "sent" });
  await pushed.stop();
  expect(point("fieldwatch_trace_spans_total", "sum").point.asDouble).toBe(8);
});

test("metrics that are to be sent nowhere are a fault of the configuration", () => {
  expect(() => loadConfig({ OTEL_METRICS_EXPORTER: "otlp" }, "")).toThrow(/OTEL_EXPORTER_OTLP_ENDPOINT/);
});
