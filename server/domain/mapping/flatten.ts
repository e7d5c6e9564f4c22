import type { IgnoreRule, MappingRefusal } from "./delivery";
import type { Field, NoField } from "./fields";
import { compileConditions } from "./conditions";
import { compileGlob } from "./globs";
import type { Mapping } from "./mapping";
import { below, follow, moreThanOnce, nameTwice, parsePath, type Place, writePath } from "./paths";
import { compileTemplate, type Scope } from "./templates";
import { compileFormat, type ReadTime } from "./times";

/** Most names remembered a rule; beyond, all are forgotten: a sender may make up new ones for ever. */
const MOST_NODES = 20_000;
/** Longest flattened name that is looked at; far more than a metric's may have. */
const LONGEST_NAME = 512;

/** An element of a list, with a time of its own. */
export interface HistoryElement extends ReadTime {
  readonly place: Place;
}

/** Takes what flattening finds. */
export interface Sink {
  readonly device: string;
  /** A leaf with the name of a metric. `history` is the element that it lies in, else null. */
  leaf(place: Place, field: Field, path: string, history: HistoryElement | null): void;
  /** A place that says the time of such an element. */
  time(place: Place): void;
  ignore(place: Place, rule: IgnoreRule): void;
  refuse(place: Place, path: string, reason: MappingRefusal["reason"], detail: string): void;
  /** True for a place that another rule has taken. */
  isTaken(place: Place): boolean;
}

/** A name that was met, with what the mapping says of it. */
interface Node {
  /** Flattened, from the root of the rule on. */
  readonly name: string;
  /** From the element on, or from the element of a history. */
  readonly path: string;
  readonly children: Map<string, Node>;
  /** True where the mapping names a device, time, unit or label. */
  readonly isClaimed: boolean;
  field: Field | NoField | null;
}

/** Finds the readings of an element by one rule; false if there is nothing at its root. */
export type Flatten = (scope: Scope, elementPath: string, sink: Sink) => boolean;

/**
 * @param fieldOf what the mapping says of a flattened name; asked once a name.
 * @param claims paths from the element at which the mapping names something else than readings.
 */
export function compileFlatten(
  rule: Mapping["readings"][number],
  fieldOf: (name: string) => Field | NoField,
  claims: ReadonlySet<string>,
): Flatten {
  const { depth, separator, arrays, historyTime } = rule;
  const root = parsePath(rule.root);
  const isThere = rule.when === undefined ? null : compileConditions(rule.when);
  const rootPath = writePath(root);
  const prefix = rule.prefix === undefined ? null : compileTemplate(rule.prefix);
  const named = rule.name === undefined ? null : compileTemplate(rule.name);
  const includes = rule.include?.map(compileGlob);
  const excludes = rule.exclude.map(compileGlob);
  const historyClaims: ReadonlySet<string> = new Set(historyTime ? [writePath(parsePath(historyTime.path))] : []);
  const readHistoryTime = compileHistoryTime(historyTime);
  /** By what they were made of. */
  const roots = new Map<string, Node>();
  let nodes = 0;

  function judge(name: string, before: string): Field | NoField {
    if (name.length > LONGEST_NAME) return { badName: name };
    if (includes && !includes.some((glob) => glob(name) !== null)) return { ignored: "include" };
    if (excludes.some((glob) => glob(name) !== null)) return { ignored: "exclude" };
    return fieldOf(before + name);
  }

  function nodeOf(name: string, path: string, isHistory: boolean): Node {
    nodes++;
    const isClaimed = (isHistory ? historyClaims : claims).has(path);
    return { name: name.slice(0, LONGEST_NAME + 1), path, children: new Map(), isClaimed, field: null };
  }

  function rootOf(before: string, name: string, isHistory: boolean): Node {
    const key = before === "" && name === "" && !isHistory ? "" : JSON.stringify([before, name, isHistory]);
    let node = roots.get(key);
    if (!node) roots.set(key, (node = nodeOf(name, isHistory ? "" : rootPath, isHistory)));
    return node;
  }

  function childOf(node: Node, key: string, isHistory: boolean): Node {
    let child = node.children.get(key);
    if (!child) {
      const name = node.name === "" ? key : `${node.name}${separator}${key}`;
      node.children.set(key, (child = nodeOf(name, below(node.path, key), isHistory)));
    }
    return child;
  }

  return (scope, elementPath, sink) => {
    if (isThere !== null && !isThere(scope)) return false;
    const begin = follow(scope.element, root);
    if (begin === undefined) return false;
    if (nodes > MOST_NODES) {
      roots.clear();
      nodes = 0;
    }
    const before = prefix?.fill(scope) ?? "";
    const isSingle = typeof begin.value !== "object" || begin.value === null;
    const name = isSingle ? (named?.fill(scope) ?? root.at(-1) ?? "value") : "";

    /** True for what comes again in its object: then it is refused. */
    const isRepeated = (place: Place, at: string, node: Node) => {
      const name = scope.repeated?.nameAt(place.parent, place.key) ?? null;
      if (name === null) return false;
      sink.refuse(place, joined(at, node.path), "badValue", moreThanOnce(name));
      return true;
    };

    function leaf(place: Place, node: Node, at: string, history: HistoryElement | null): void {
      if (sink.isTaken(place)) return;
      if (node.isClaimed) return sink.ignore(place, "unused");
      const field = (node.field ??= judge(node.name, before));
      if ("ignored" in field) return sink.ignore(place, field.ignored);
      const path = joined(at, node.path);
      if ("metric" in field) return isRepeated(place, at, node) ? undefined : sink.leaf(place, field, path, history);
      sink.refuse(place, path, "badName", `${JSON.stringify(field.badName.slice(0, 80))} cannot name a metric`);
    }

    function walk(
      place: Place,
      node: Node,
      at: string,
      level: number,
      history: HistoryElement | null,
      container: string,
    ): void {
      const { value } = place;
      if (typeof value !== "object" || value === null) return leaf(place, node, at, history);
      const isArray = Array.isArray(value);
      if (isArray && arrays === "drop") return sink.ignore(place, "arrays");
      const isHistory = isArray && arrays === "history" && history === null;
      if (level > depth && !isHistory) return sink.ignore(place, "depth");
      if (isRepeated(place, at, node)) return;
      let isEmpty = true;
      for (const key in value) {
        isEmpty = false;
        const child: Place = { parent: value, key, value: (value as Record<string, unknown>)[key] };
        if (isHistory) element(child, joined(at, below(node.path, key)), container);
        else walk(child, childOf(node, key, history !== null), at, level + 1, history, node.name);
      }
      if (isEmpty) sink.ignore(place, "empty");
    }

    /** An element of a history: its names go on from those beside the list. */
    function element(place: Place, at: string, container: string): void {
      const time = readHistoryTime(place, scope, sink.device);
      if ("problem" in time) return sink.refuse(place, at, time.reason, time.problem);
      sink.time(time.place);
      walk(
        place,
        rootOf(before, container, true),
        at,
        0,
        { place, time: time.time, ambiguous: time.ambiguous },
        container,
      );
    }

    walk(begin, rootOf(before, name, false), elementPath, 0, null, "");
    return true;
  };
}

function joined(at: string, path: string): string {
  return at === "" ? path : path === "" ? at : `${at}.${path}`;
}

type HistoryTime =
  | (ReadTime & { readonly place: Place })
  | { readonly reason: "noTime" | "badTime"; readonly problem: string };

function compileHistoryTime(
  own: Mapping["readings"][number]["historyTime"],
): (element: Place, scope: Scope, device: string) => HistoryTime {
  if (!own) return () => ({ reason: "noTime", problem: "the mapping doesn't say where its time is" });
  const path = parsePath(own.path);
  const read = compileFormat(own.format, own.zone, own.pattern);
  return (element, { tokens, delivery, repeated }, device) => {
    const place = follow(element, path);
    const name = place === undefined ? null : nameTwice([place], repeated);
    if (name !== null) return { reason: "badTime", problem: moreThanOnce(name) };
    const value = place?.value;
    if (place === undefined || (typeof value !== "string" && typeof value !== "number"))
      return { reason: "noTime", problem: `there is no ${own.path || "time"} in this element of a history` };
    const time = read(value, tokens.get(place.parent)?.get(place.key), { arrived: delivery.arrived, device });
    if ("problem" in time)
      return { reason: "badTime", problem: `${JSON.stringify(value).slice(0, 80)} ${time.problem}` };
    return { ...time, place };
  };
}
