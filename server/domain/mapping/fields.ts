import { parseUnit, type Unit, canonicalOf } from "../units/units";
import { readLabel, UNIT_LENGTH } from "../label";
import { compileGlob, type Glob } from "./globs";
import { readHeading } from "./headings";
import type { Mapping } from "./mapping";
import { legalName } from "./names";
import { parsePath, type Path } from "./paths";

/** A unit as it goes on: `from` → `to`, or, where the table doesn't have it, as it was written. */
export interface NamedUnit {
  readonly symbol: string;
  readonly json: string;
  readonly from: Unit | null;
  readonly to: Unit | null;
}

/** Values that stand for none. */
interface Sentinels {
  /** In small letters. */
  readonly texts: ReadonlySet<string>;
  readonly numbers: ReadonlySet<number>;
  readonly booleans: ReadonlySet<boolean>;
}

/** All that a mapping says of one metric. */
export interface Field {
  readonly metric: string;
  /** `"metric":`. */
  readonly json: string;
  readonly absent: Sentinels | null;
  /** Whatever it looks like. */
  readonly isText: boolean;
  readonly booleans: ReadonlyMap<string, boolean> | null;
  readonly enums: ReadonlyMap<string, number> | null;
  readonly unit: SaidUnit | null;
  /** Go before `unit`, where something is there; null if there are none. */
  readonly unitsWhere: readonly { readonly where: Path; readonly unit: SaidUnit | null }[] | null;
}

/** A unit, or where a part says it. */
type SaidUnit = NamedUnit | { readonly path: Path };

/** Why a name's value is no reading: a rule of the mapping, or a name that no metric can have. */
export type NoField = { readonly ignored: "include" | "exclude" } | { readonly badName: string };

/** Finds what a mapping says of metrics by their flattened names. Slow: the answers are kept by those who ask. */
export function compileFields(mapping: Mapping): (name: string) => Field | NoField {
  const renames = mapping.rename.map(({ from, to }) => ({ glob: compileGlob(from), to }));
  const absent = globbed(mapping.absent);
  const booleans = globbed(mapping.values.booleans);
  const enums = globbed(mapping.values.enums);
  const texts = mapping.values.texts.map(compileGlob);
  const named = (text: string) => nameUnit(text, mapping.convertUnits);
  const units = globbed(mapping.units).map(({ glob, rule }) => ({
    glob,
    where: rule.where === undefined ? null : parsePath(rule.where),
    unit: "unit" in rule.from ? named(rule.from.unit) : { path: parsePath(rule.from.path) },
  }));

  return (name) => {
    const written = renamed(name, renames);
    const metric = legalName(written, mapping.names);
    if (metric === null) return { badName: written };
    // A column that is called otherwise still has its unit over it.
    const heading = mapping.names === "headings" ? readHeading(name).unit : null;
    const fits = <T extends { readonly glob: Glob }>(rules: readonly T[]) =>
      rules.filter(({ glob }) => glob(metric) !== null);
    const said = fits(units);
    const always = said.findIndex(({ where }) => where === null);
    const unitsWhere = said
      .slice(0, always === -1 ? said.length : always)
      .flatMap(({ where, unit }) => (where === null ? [] : [{ where, unit }]));
    return {
      metric,
      json: `${JSON.stringify(metric)}:`,
      absent: sentinelsOf(fits(absent).flatMap(({ rule }) => rule.values)),
      isText: texts.some((glob) => glob(metric) !== null),
      booleans: mapOrNull(
        fits(booleans).flatMap(({ rule }) => [
          ...rule.true.map((text) => [text.toLowerCase(), true] as const),
          ...rule.false.map((text) => [text.toLowerCase(), false] as const),
        ]),
      ),
      enums: mapOrNull(fits(enums).flatMap(({ rule }) => Object.entries(rule.values))),
      unit: said[always]?.unit ?? (heading === null ? null : named(heading)),
      unitsWhere: unitsWhere.length === 0 ? null : unitsWhere,
    };
  };
}

/** A unit by what a sender calls it; null for nothing, and for what no unit can be called. */
export function nameUnit(text: string, converts: boolean): NamedUnit | null {
  const unit = parseUnit(text);
  if (unit !== null) {
    const to = converts ? canonicalOf(unit) : unit;
    return { symbol: to.symbol, json: JSON.stringify(to.symbol), from: unit, to };
  }
  const read = readLabel(text, UNIT_LENGTH);
  if (!("label" in read) || read.label === null) return null;
  return { symbol: read.label, json: JSON.stringify(read.label), from: null, to: null };
}

function globbed<T extends { readonly metric: string }>(rules: readonly T[]) {
  return rules.map((rule) => ({ glob: compileGlob(rule.metric), rule }));
}

/** Of equal keys the first rule holds. */
function mapOrNull<T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, T> | null {
  return entries.length === 0 ? null : new Map(entries.toReversed());
}

function renamed(name: string, renames: readonly { readonly glob: Glob; readonly to: string }[]): string {
  for (const { glob, to } of renames) {
    const stars = glob(name);
    if (stars !== null)
      return to.replaceAll(/\{\*(\d?)\}/g, (_all, number: string) => stars[Number(number || 1) - 1] ?? "");
  }
  return name;
}

function sentinelsOf(values: readonly (string | number | boolean | null)[]): Sentinels | null {
  if (values.length === 0) return null;
  return {
    texts: new Set(values.filter((value) => typeof value === "string").map((text) => text.toLowerCase())),
    numbers: new Set(values.filter((value) => typeof value === "number")),
    booleans: new Set(values.filter((value) => typeof value === "boolean")),
  };
}
