import type { JsonReading } from "@/server/domain/json";
import { checkCount, type Decoder, partAt, readTree, textOf, UnreadableError } from "./decoder";
import { readAdvertisement } from "./ruuvi-formats";

type Tree = Readonly<Record<string, unknown>>;

/**
 * Ruuvi Gateway, by HTTP (all tags it heard, by their addresses) or MQTT (one tag a topic): each tag becomes `{gateway, tag, time, rssi, data, format, readings}`, its advertisement read. What a
 * tag says is invalid is null; an advertisement of something else than a Ruuvi tag has no readings.
 */
export const decodeRuuvi: Decoder = (delivery) => {
  const { json, tokens } = readTree(textOf(delivery));
  const root = isTree(json) && isTree(json.data) ? json.data : json;
  if (!isTree(root)) throw new UnreadableError("it is no object");
  const gateway = root.gw_mac ?? root.gwmac;
  if (!isTree(root.tags)) {
    if (typeof root.data !== "string") throw new UnreadableError('there is neither "data.tags" nor "data"');
    return [partAt("", () => tagOf(root, { gateway }, tokens))];
  }
  const tags = Object.entries(root.tags);
  checkCount(tags.length);
  return tags.map(([tag, told]) =>
    partAt(`data.tags.${tag}`, () => {
      if (!isTree(told)) throw new UnreadableError("it is no object");
      return tagOf(told, { gateway, tag }, tokens);
    }),
  );
};

function tagOf(told: Tree, about: Tree, tokens: JsonReading["tokens"]): JsonReading {
  const { data, rssi } = told;
  if (typeof data !== "string" || !/^(?:[0-9a-f]{2})*$/i.test(data))
    throw new UnreadableError('"data" is not in hexadecimal digits');
  const read = readAdvertisement(Buffer.from(data, "hex"));
  const time = told.timestamp ?? told.ts;
  return { json: { ...about, ...(time !== undefined && { time }), rssi, data, ...read }, tokens };
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
