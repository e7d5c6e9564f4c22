import { checkCount, type Decoder, textOf, UnreadableError, whole } from "./decoder";
import { buildTree } from "./tree";

/** Fields of a form (`application/x-www-form-urlencoded`) as text; one that comes several times is an array. */
export const decodeForm: Decoder = (delivery) => {
  const fields = new URLSearchParams(textOf(delivery).trim());
  checkCount(fields.size);
  if (fields.size === 0) throw new UnreadableError("it has no field");
  const tree = buildTree();
  const root = tree.branch();
  for (const [name, values] of grouped(fields)) tree.set(root, name, values.length === 1 ? values[0] : values);
  return whole(tree.done(root));
};

function grouped(fields: URLSearchParams): Map<string, string[]> {
  const byName = new Map<string, string[]>();
  for (const [name, value] of fields) {
    const there = byName.get(name);
    if (there) there.push(value);
    else byName.set(name, [value]);
  }
  return byName;
}
