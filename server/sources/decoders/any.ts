import { type Decoder, readTree, textOf, UnreadableError } from "./decoder";
import { decodeForm } from "./form";
import { decodeJson } from "./json";
import { decodeNdjson } from "./ndjson";
import { decodeQuery } from "./query";
import { decodeText } from "./text";

/**
 * Whatever a home-made sender sends: JSON, JSON lines, a form, a single value, or the values of its address where the body is empty. The content type
 * tells which, but for what can only be JSON: many senders leave the type of their HTTP client as it is.
 */
export const decodeAny: Decoder = (delivery) => {
  const { contentType, query } = delivery.beside;
  const type = (contentType ?? "").toLowerCase();
  if (delivery.body.byteLength === 0 && Object.keys(query).length > 0) return decodeQuery(delivery);
  if (/ndjson|jsonl|json-seq|json-lines/.test(type)) return decodeNdjson(delivery);
  const text = textOf(delivery).trim();
  if (/^[[{]/.test(text) || type.includes("json"))
    return hasLines(text) ? decodeNdjson(delivery) : decodeJson(delivery);
  if (text === "") throw new UnreadableError("it is empty");
  return type.startsWith("application/x-www-form-urlencoded") ? decodeForm(delivery) : decodeText(delivery);
};

/** True for several values of JSON, a line each, of which some may be broken. */
function hasLines(text: string): boolean {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.length > 1 && !isJson(text) && lines.some((line) => /^\s*[[{]/.test(line) && isJson(line));
}

function isJson(text: string): boolean {
  try {
    readTree(text);
    return true;
  } catch {
    return false;
  }
}
