import { checkCount, type Decoder, partAt, readTree, textOf, UnreadableError } from "./decoder";

/** One JSON value a line; blank lines are skipped. */
export const decodeNdjson: Decoder = (delivery) => {
  const lines = textOf(delivery).split("\n");
  const parts = lines.flatMap((line, i) => (line.trim() === "" ? [] : [partAt(`line ${i + 1}`, () => readTree(line))]));
  checkCount(parts.length);
  if (parts.length === 0) throw new UnreadableError("it is empty");
  return parts;
};
