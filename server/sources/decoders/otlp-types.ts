/** What OTLP's protocol buffers look like, as far as it is read: opentelemetry/proto/metrics/v1 and what it rests on. */
import { many, type MessageType, one } from "./protobuf";

const anyValue: MessageType = {
  1: one("stringValue", "string"),
  2: one("boolValue", "bool"),
  3: one("intValue", "int64"),
  4: one("doubleValue", "double"),
  5: one("arrayValue", () => ({ 1: many("values", () => anyValue) })),
  6: one("kvlistValue", () => ({ 1: many("values", keyValue) })),
  7: one("bytesValue", "bytes"),
};
const keyValue = (): MessageType => ({ 1: one("key", "string"), 2: one("value", () => anyValue) });
const exemplars = many("exemplars", () => ({
  2: one("timeUnixNano", "fixed64"),
  3: one("asDouble", "double"),
  6: one("asInt", "sfixed64"),
  7: many("filteredAttributes", keyValue),
}));
const times: MessageType = { 2: one("startTimeUnixNano", "fixed64"), 3: one("timeUnixNano", "fixed64") };

const numberPoint: MessageType = {
  ...times,
  4: one("asDouble", "double"),
  5: exemplars,
  6: one("asInt", "sfixed64"),
  7: many("attributes", keyValue),
  8: one("flags", "uint32"),
};
const histogramPoint: MessageType = {
  ...times,
  4: one("count", "fixed64"),
  5: one("sum", "double"),
  6: many("bucketCounts", "fixed64"),
  7: many("explicitBounds", "double"),
  8: exemplars,
  9: many("attributes", keyValue),
  10: one("flags", "uint32"),
  11: one("min", "double"),
  12: one("max", "double"),
};
const buckets = (): MessageType => ({ 1: one("offset", "sint32"), 2: many("bucketCounts", "uint64") });
const exponentialPoint: MessageType = {
  ...times,
  1: many("attributes", keyValue),
  4: one("count", "fixed64"),
  5: one("sum", "double"),
  6: one("scale", "sint32"),
  7: one("zeroCount", "fixed64"),
  8: one("positive", buckets),
  9: one("negative", buckets),
  10: one("flags", "uint32"),
  11: exemplars,
  12: one("min", "double"),
  13: one("max", "double"),
  14: one("zeroThreshold", "double"),
};
const summaryPoint: MessageType = {
  ...times,
  4: one("count", "fixed64"),
  5: one("sum", "double"),
  6: many("quantileValues", () => ({ 1: one("quantile", "double"), 2: one("value", "double") })),
  7: many("attributes", keyValue),
  8: one("flags", "uint32"),
};

const holding = (point: MessageType) => (): MessageType => ({
  1: many("dataPoints", () => point),
  2: one("aggregationTemporality", "uint32"),
  3: one("isMonotonic", "bool"),
});
const metric: MessageType = {
  1: one("name", "string"),
  2: one("description", "string"),
  3: one("unit", "string"),
  5: one("gauge", holding(numberPoint)),
  7: one("sum", holding(numberPoint)),
  9: one("histogram", holding(histogramPoint)),
  10: one("exponentialHistogram", holding(exponentialPoint)),
  11: one("summary", holding(summaryPoint)),
};
const scopeMetrics: MessageType = {
  1: one("scope", () => ({ 1: one("name", "string"), 2: one("version", "string") })),
  2: many("metrics", () => metric),
};
const resourceMetrics: MessageType = {
  1: one("resource", () => ({ 1: many("attributes", keyValue) })),
  2: many("scopeMetrics", () => scopeMetrics),
};

/** ExportMetricsServiceRequest. */
export const EXPORT_METRICS: MessageType = { 1: many("resourceMetrics", () => resourceMetrics) };
