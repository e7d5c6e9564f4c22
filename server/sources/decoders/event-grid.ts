import type { JsonReading } from "@/server/domain/json";
import { checkCount, type Decoder, partAt, readTree, textOf, UnreadableError } from "./decoder";

type Tree = Readonly<Record<string, unknown>>;

/**
 * Azure Event Grid, in its own schema or that of CloudEvents: an array of events, each a part. IoT Hub puts what a device sent that doesn't say that it is JSON
 * into `data.body` in base64: JSON in it is read all the same.
 */
export const decodeEventGrid: Decoder = (delivery) => {
  const { json, tokens } = readTree(textOf(delivery));
  const events: readonly unknown[] = Array.isArray(json) ? json : [json];
  checkCount(events.length);
  return events.map((event, i) => partAt(Array.isArray(json) ? String(i) : "", () => unpacked(event, tokens)));
};

function unpacked(event: unknown, tokens: JsonReading["tokens"]): JsonReading {
  if (!isTree(event)) throw new UnreadableError("it is no object");
  const { data } = event;
  if (!isTree(data) || typeof data.body !== "string") return { json: event, tokens };
  const told = isTree(data.systemProperties) ? data.systemProperties["iothub-content-type"] : undefined;
  const text = Buffer.from(data.body, "base64").toString("utf8");
  if (!/^\s*[[{]/.test(text)) {
    if (told !== undefined) return { json: event, tokens };
    throw new UnreadableError("data.body is neither JSON nor JSON in base64; let the device set its content type");
  }
  const body = readTree(text);
  const inside = { ...data, body: body.json };
  return { json: { ...event, data: inside }, tokens: new Map([...tokens, ...body.tokens]) };
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
