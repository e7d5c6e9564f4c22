import { readJson } from "@/server/domain/json";
import { DECODE_LIMITS, type Decoder, textOf, whole } from "./decoder";

/**
 * A payload that is one value: a number, a word, or JSON of it (`"22.4"` in quotes is text). Words that stand for no number (`nan`) stay text,
 * as a mapping tells what they mean; an empty payload is the empty text.
 */
export const decodeText: Decoder = (delivery) => {
  const text = textOf(delivery).trim();
  try {
    const reading = readJson(text, DECODE_LIMITS.depth);
    const isWord = typeof reading.json === "number" && !/^[-+]?\d/.test(text);
    if (!isWord) return whole(reading);
  } catch {
    // Not JSON: the text itself is the value.
  }
  return whole({ json: text, tokens: new Map() });
};
