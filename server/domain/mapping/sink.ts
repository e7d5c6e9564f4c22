import type { IgnoreRule, MappingRefusal } from "./delivery";
import { nameUnit, type Field, type NamedUnit } from "./fields";
import type { HistoryElement, Sink } from "./flatten";
import type { Mapping } from "./mapping";
import { addReading, type Draft, draftOf, hasRoom, type MessageHead } from "./message-text";
import { follow, parsePath, type Path, type Place } from "./paths";
import { count, type Run } from "./run";
import type { Scope } from "./templates";
import { readLeaf } from "./values";

const MOST_UNITS = 1000;

/** A sink for one element. */
interface ElementSink extends Sink {
  /** Returns how many leaves were taken or refused, after the last. */
  end(): number;
}

/** Makes sinks that read leaves as values and put them into messages. */
export function createSink(mapping: Mapping) {
  const overlaps = hasOverlaps(mapping.readings.map(({ root }) => parsePath(root)));
  const units = new Map<string, NamedUnit | null>();

  function unitOf(field: Field, run: Run, { element }: Scope): NamedUnit | null {
    const here = field.unitsWhere?.find(({ where }) => follow(element, where) !== undefined);
    const unit = here === undefined ? field.unit : here.unit;
    if (unit === null || !("path" in unit)) return unit;
    const place = follow(element, unit.path);
    if (typeof place?.value !== "string" || place.value === "") return null;
    let named = units.get(place.value);
    if (named === undefined) {
      if (units.size >= MOST_UNITS) units.clear();
      units.set(place.value, (named = nameUnit(place.value, mapping.convertUnits)));
    }
    if (named !== null) run.accounts?.note(place.parent, place.key, "unit", "");
    return named;
  }

  return (
    run: Run,
    scope: Scope,
    head: MessageHead,
    element: Place,
    told: (path: string) => string,
    isUsed: (place: Place) => boolean,
  ): ElementSink => {
    const { accounts, refused } = run;
    /** What one rule leaves out, another may take. */
    const passed = overlaps ? new Map<object, Map<string, IgnoreRule | null>>() : null;
    let dealtWith = 0;
    let history: { readonly of: HistoryElement; readonly head: MessageHead } | null = null;
    let draft: Draft | null = null;

    function refuse({ parent, key }: Place, path: string, reason: MappingRefusal["reason"], detail: string) {
      if (passed?.get(parent)?.get(key) === null) return;
      dealtWith++;
      pass(parent, key, null);
      refused.push({ path: told(path), reason, detail });
      accounts?.note(parent, key, "refused", reason);
    }

    function pass(parent: object, key: string, rule: IgnoreRule | null): void {
      if (passed === null) return;
      const of = passed.get(parent);
      if (of) of.set(key, rule);
      else passed.set(parent, new Map([[key, rule]]));
    }

    function headIn(of: HistoryElement): MessageHead {
      const { time, ambiguous } = of;
      if (history?.of !== of)
        history = { of, head: { ...head, time, isAmbiguous: ambiguous, timeFrom: "payload", isState: false } };
      return history.head;
    }

    function draftFor(head: MessageHead, characters: number, metric: string, owner: object): Draft | null {
      if (draft?.head === head && hasRoom(draft, characters) && !draft.metrics.has(metric)) return draft;
      const key = `${head.device} ${head.time} ${head.isState}${head.tail}`;
      const open = run.open.get(key);
      if (open?.metrics.get(metric) === owner) return null;
      if (open && hasRoom(open, characters) && !open.metrics.has(metric)) return (draft = open);
      draft = draftOf(head);
      run.drafts.push(draft);
      run.open.set(key, draft);
      return draft;
    }

    function ignore(place: Place, rule: IgnoreRule): void {
      if (rule === "unused" && isUsed(place)) return;
      const { parent, key } = place;
      if (passed?.get(parent)?.get(key) === null) return;
      if (passed !== null) pass(parent, key, rule);
      else count(run, rule);
      accounts?.note(parent, key, "ignored", rule);
    }

    return {
      device: head.device,
      isTaken: ({ parent, key }) => passed?.get(parent)?.get(key) === null,
      ignore,
      refuse,
      time: ({ parent, key }) => accounts?.note(parent, key, "time", ""),
      leaf(place, field, path, inHistory) {
        const own = inHistory === null ? head : headIn(inHistory);
        const owner = inHistory?.place ?? element;
        const ofMetric = unitOf(field, run, scope);
        const token = scope.tokens.size === 0 ? undefined : scope.tokens.get(place.parent)?.get(place.key);
        const read = readLeaf(place.value, token, field, ofMetric, mapping);
        if ("ignored" in read) return ignore(place, read.ignored);
        if ("problem" in read) return refuse(place, path, "badValue", `${field.metric} ${read.problem}`);
        const unit = read.unit ?? ofMetric;
        const characters = field.json.length * 2 + read.json.length + (unit?.json.length ?? 0);
        const draft = draftFor(own, characters, field.metric, owner);
        if (draft === null)
          return refuse(place, path, "badName", `another value of the same element is called ${field.metric} too`);
        addReading(draft, field, read.value, read.json, unit, told(path), owner);
        dealtWith++;
        pass(place.parent, place.key, null);
        accounts?.note(place.parent, place.key, "reading", field.metric);
      },
      end() {
        for (const of of passed?.values() ?? []) for (const rule of of.values()) if (rule !== null) count(run, rule);
        return dealtWith;
      },
    };
  };
}

/** True if something may lie under the roots of two rules. */
function hasOverlaps(roots: readonly Path[]): boolean {
  return roots.some((root, i) => roots.some((other, j) => i !== j && root.every((key, k) => other[k] === key)));
}
