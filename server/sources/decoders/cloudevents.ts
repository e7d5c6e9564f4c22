import type { JsonReading } from "@/server/domain/json";
import type { Delivery } from "@/server/domain/mapping/delivery";
import { checkCount, type Decoder, partAt, readTree, textOf, UnreadableError, whole } from "./decoder";

/**
 * CloudEvents 1.0 over HTTP: one event in JSON, a batch of them, or binary mode (attributes in `ce-` headers, the body is the data). Each becomes its
 * attributes and `data`; JSON in `data_base64` is read, other bytes stay.
 */
export const decodeCloudEvents: Decoder = (delivery) => {
  const { contentType, headers } = delivery.beside;
  const isStructured = (contentType ?? "").toLowerCase().startsWith("application/cloudevents");
  if (!isStructured && headers["ce-specversion"] !== undefined) return whole(binaryMode(delivery));
  const { json, tokens } = readTree(textOf(delivery));
  if (!Array.isArray(json)) return whole(event(json, tokens));
  checkCount(json.length);
  return json.map((each: unknown, i) => partAt(String(i), () => event(each, tokens)));
};

function event(json: unknown, tokens: JsonReading["tokens"]): JsonReading {
  if (typeof json !== "object" || json === null || !("specversion" in json))
    throw new UnreadableError('there is no "specversion": it is no CloudEvent');
  const { data_base64: packed, ...rest } = json as Record<string, unknown>;
  if (typeof packed !== "string") return { json, tokens };
  const type = typeof rest.datacontenttype === "string" ? rest.datacontenttype : "application/json";
  return withData(rest, Buffer.from(packed, "base64"), type);
}

function binaryMode(delivery: Delivery): JsonReading {
  const { contentType, headers } = delivery.beside;
  const attributes = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith("ce-") ? [[name.slice("ce-".length), decodePercent(value)]] : [],
  );
  return withData(Object.fromEntries(attributes) as object, delivery.body, contentType ?? "application/json");
}

function withData(attributes: object, body: Uint8Array, contentType: string): JsonReading {
  if (body.byteLength === 0) return { json: attributes, tokens: new Map() };
  if (/json/i.test(contentType)) {
    const data = readTree(textOf({ body }));
    return { json: { ...attributes, data: data.json }, tokens: data.tokens };
  }
  const data = /^text\//i.test(contentType) ? textOf({ body }) : { base64: Buffer.from(body).toString("base64") };
  return { json: { ...attributes, data }, tokens: new Map() };
}

/** Attributes in headers are percent-encoded where they aren't printable ASCII. */
function decodePercent(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
