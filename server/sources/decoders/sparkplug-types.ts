/** What Sparkplug B's protocol buffers look like, as far as they are read: org.eclipse.tahu.protobuf.Payload of specification 3.0. */
import { many, type MessageType, one } from "./protobuf";

const propertyValue: MessageType = {
  3: one("intValue", "uint32"),
  4: one("longValue", "uint64"),
  5: one("floatValue", "float"),
  6: one("doubleValue", "double"),
  7: one("booleanValue", "bool"),
  8: one("stringValue", "string"),
};
const propertySet: MessageType = { 1: many("keys", "string"), 2: many("values", () => propertyValue) };
const metric: MessageType = {
  1: one("name", "string"),
  2: one("alias", "uint64"),
  3: one("timestamp", "uint64"),
  4: one("datatype", "uint32"),
  5: one("isHistorical", "bool"),
  7: one("isNull", "bool"),
  9: one("properties", () => propertySet),
  10: one("intValue", "uint32"),
  11: one("longValue", "uint64"),
  12: one("floatValue", "float"),
  13: one("doubleValue", "double"),
  14: one("booleanValue", "bool"),
  15: one("stringValue", "string"),
  16: one("bytesValue", "bytes"),
  17: one("datasetValue", () => ({ 2: many("columns", "string") })),
  18: one("templateValue", () => ({ 2: many("metrics", () => metric), 5: one("isDefinition", "bool") })),
};

export const PAYLOAD: MessageType = {
  1: one("timestamp", "uint64"),
  2: many("metrics", () => metric),
  3: one("seq", "uint64"),
};

/** A metric as it stands in a payload. */
export interface SparkplugMetric {
  readonly name?: string;
  readonly alias?: string;
  readonly timestamp?: string;
  readonly datatype?: number;
  readonly isNull?: boolean;
  readonly properties?: { readonly keys?: readonly string[]; readonly values?: readonly SparkplugValue[] };
  readonly intValue?: number;
  readonly longValue?: string;
  readonly floatValue?: number;
  readonly doubleValue?: number;
  readonly booleanValue?: boolean;
  readonly stringValue?: string;
  readonly bytesValue?: Uint8Array;
  readonly datasetValue?: object;
  readonly templateValue?: { readonly metrics?: readonly SparkplugMetric[]; readonly isDefinition?: boolean };
}

type SparkplugValue = Pick<
  SparkplugMetric,
  "intValue" | "longValue" | "floatValue" | "doubleValue" | "booleanValue" | "stringValue"
>;

export interface SparkplugPayload {
  readonly timestamp?: string;
  readonly metrics?: readonly SparkplugMetric[];
  readonly seq?: string;
}
