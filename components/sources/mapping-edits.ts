import type { MappingInput } from "@/server/domain/mapping/mapping";
import { compileGlob } from "@/server/domain/mapping/globs";
import { legalName } from "@/server/domain/mapping/names";
import { parsePath, writePath } from "@/server/domain/mapping/paths";

type Rule = MappingInput["readings"][number];

/** Decoders that make one tree of a payload: paths of their leaves are paths in it. Those of the others begin with the part: "line 3: …". */
const WHOLE: ReadonlySet<MappingInput["decode"]> = new Set(["json", "form", "text", "query", "binary"]);

/** The keys of a leaf from its part's element on; null for one outside of where elements are. */
function keysInElement(mapping: MappingInput, path: string): readonly string[] | null {
  // Messages in Fieldwatch's own shape go on as they are: that mapping has no rules to change.
  if (mapping.decode === "fieldwatch") return null;
  const part = WHOLE.has(mapping.decode) ? null : (mapping.decode === "any" ? /^line \d+: / : /^.*?: /).exec(path);
  const keys = parsePath(path.slice(part?.[0].length ?? 0));
  if (!mapping.each) return keys;
  const each = parsePath(mapping.each.path);
  const key = keys[each.length];
  const isElement = key !== undefined && (mapping.each.of === "object" || /^\d+$/.test(key));
  if (startsWith(keys, each) && isElement) return keys.slice(each.length + 1);
  return mapping.each.optional ? keys : null;
}

/** A leaf's flattened name by a rule of readings, without its prefix; null where it isn't under the rule's root. */
function nameBy(rule: Rule, keys: readonly string[]): string | null {
  const root = parsePath(rule.root);
  if (!startsWith(keys, root)) return null;
  const rest = keys.slice(root.length);
  if (rest.length === 0) return rule.name === undefined ? (root.at(-1) ?? "value") : null;
  // The names of a history's elements go on from those beside the list.
  const list = rule.arrays === "history" ? rest.findIndex((key, i) => i > 0 && /^\d+$/.test(key)) : -1;
  const named = list === -1 ? rest : [...rest.slice(0, list - 1), ...rest.slice(list + 1)];
  return named.join(rule.separator ?? ".");
}

function startsWith(keys: readonly string[], first: readonly string[]): boolean {
  return first.length <= keys.length && first.every((key, i) => keys[i] === key);
}

/** The rule that is the nearest to a leaf, and its name there; null for none. */
function nearest(mapping: MappingInput, path: string): { readonly rule: Rule; readonly name: string } | null {
  const keys = keysInElement(mapping, path);
  if (keys === null) return null;
  const found = mapping.readings.flatMap((rule) => {
    const name = nameBy(rule, keys);
    return name === null || name === "" ? [] : [{ rule, name }];
  });
  return found.toSorted((a, b) => a.name.length - b.name.length)[0] ?? null;
}

/** The metric that a leaf is called by a mapping, as far as that goes without what came beside it; null for one that no rule reads. */
export function metricOf(mapping: MappingInput, path: string): string | null {
  const found = nearest(mapping, path);
  if (found === null) return null;
  for (const { from, to } of mapping.rename ?? []) {
    const stars = compileGlob(from)(found.name);
    if (stars !== null)
      return legalName(
        to.replaceAll(/\{\*(\d?)\}/g, (_all, nth: string) => stars[Number(nth || 1) - 1] ?? ""),
        mapping.names,
      );
  }
  return legalName(found.name, mapping.names);
}

/** True where a rule can name a leaf alone: a name with a star or a question mark would stand for others too. */
export function canName(mapping: MappingInput, path: string): boolean {
  const keys = keysInElement(mapping, path);
  return keys !== null && mapping.readings.every((rule) => !/[*?]/.test(nameBy(rule, keys) ?? ""));
}

/** The mapping by which a leaf is called `to`; what is said of the old name is said of the new one. Only where {@link canName}. */
export function renamed(mapping: MappingInput, path: string, metric: string, to: string): MappingInput {
  const found = nearest(mapping, path);
  if (found === null) return mapping;
  // A prefix is a template: what it stands for isn't known here.
  const from = found.rule.prefix === undefined ? found.name : `*${found.name}`;
  const others = (mapping.rename ?? []).filter((rule) => rule.from !== from);
  const said = <T extends { metric: string }>(rules: readonly T[] | undefined) =>
    rules?.map((rule) => (rule.metric === metric ? { ...rule, metric: to } : rule));
  return {
    ...mapping,
    ...{ rename: to === found.name ? others : [{ from, to }, ...others] },
    ...without({ units: said(mapping.units), absent: said(mapping.absent) }),
  };
}

/** The mapping by which a sender's values of a metric are in this unit; "" takes back what was said. */
export function withUnit(mapping: MappingInput, metric: string, unit: string): MappingInput {
  const others = (mapping.units ?? []).filter((rule) => rule.metric !== metric);
  return { ...mapping, units: unit === "" ? others : [{ metric, from: { unit } }, ...others] };
}

/** What a mapping says of a metric's unit: as the sender writes it; "" for nothing, or where the payload decides it. */
export function unitSaid(mapping: MappingInput, metric: string): string {
  const rule = (mapping.units ?? []).find((one) => compileGlob(one.metric)(metric) !== null);
  return rule && rule.where === undefined && "unit" in rule.from ? rule.from.unit : "";
}

/** The mapping that leaves a leaf out. Only where {@link canName}. */
export function ignored(mapping: MappingInput, path: string): MappingInput {
  const keys = keysInElement(mapping, path);
  if (keys === null) return mapping;
  return {
    ...mapping,
    readings: mapping.readings.map((rule) => {
      const name = nameBy(rule, keys);
      if (name === null || name === "" || rule.exclude?.includes(name)) return rule;
      return { ...rule, exclude: [...(rule.exclude ?? []), name] };
    }),
  };
}

/** The mapping that reads a leaf which its rules ignore as `why` says; null where that takes more than this. */
export function used(mapping: MappingInput, path: string, why: string): MappingInput | null {
  const keys = keysInElement(mapping, path);
  if (keys === null) return null;
  if (why === "outside") return { ...mapping, readings: [...mapping.readings, { root: writePath(keys) }] };
  const found = nearest(mapping, path);
  if (found === null) return null;
  const change = (more: Partial<Rule>) => ({
    ...mapping,
    readings: mapping.readings.map((rule) => (rule === found.rule ? { ...rule, ...more } : rule)),
  });
  const { include, exclude } = found.rule;
  if (why === "include" && !canName(mapping, path)) return null;
  if (why === "include") return change({ include: [...(include ?? []), found.name] });
  if (why === "exclude" && exclude?.includes(found.name))
    return change({ exclude: exclude.filter((name) => name !== found.name) });
  return null;
}

/** The mapping by which a value of a metric says that there is none right now. */
export function meaningNone(mapping: MappingInput, metric: string, value: string | number | boolean): MappingInput {
  const before = mapping.absent ?? [];
  const own = before.find((rule) => rule.metric === metric);
  if (own?.values.includes(value)) return mapping;
  if (!own) return { ...mapping, absent: [...before, { metric, values: [value] }] };
  return {
    ...mapping,
    absent: before.map((rule) => (rule === own ? { ...rule, values: [...rule.values, value] } : rule)),
  };
}

function without<T extends object>(members: T): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>;
}
