import { type Mapping, type MappingInput, mappingSchema } from "@/server/domain/mapping/mapping";
import type { NumberStyle } from "@/server/domain/mapping/numbers";
import { type FieldRules, MISSING_WORDS } from "./fields";
import type { ReplayOptions } from "./options";

/** How a recording is read. */
export interface Plan {
  readonly mapping: Mapping;
  /** Assumptions, in words. */
  readonly found: readonly string[];
  /** A doubt about its times, and the option that would settle it; null if there is none. */
  readonly doubt: string | null;
}

/** What was found out of a file, in the terms of a mapping's rules. */
interface FoundRules {
  readonly style: NumberStyle;
  /** Metrics (or "*") in which words may mean no value. */
  readonly absentIn: readonly string[];
  /** Metrics of which all values are words for true and false. */
  readonly booleanIn: readonly string[];
  readonly texts: readonly string[];
  readonly unitsBehind: boolean;
}

/** The rules of a mapping that the command line says of values. */
export function said(
  options: Pick<ReplayOptions, "missing" | "booleans">,
  { style, absentIn, booleanIn, texts, unitsBehind }: FoundRules,
): Pick<MappingInput, "values" | "absent"> {
  const { missing, missingNumbers, booleans } = saidRules(options);
  const words = (truth: boolean, isNumeric: boolean) =>
    [...booleans].flatMap(([word, is]) => (is === truth && /^[+-]?\d/.test(word) === isNumeric ? [word] : []));
  const pair = (metric: string, isNumeric: boolean) => {
    const [yes, no] = [words(true, isNumeric), words(false, isNumeric)];
    return yes.length + no.length === 0 ? [] : [{ metric, true: yes, false: no }];
  };
  return {
    values: {
      ...style,
      ...{ unitsBehind, texts: [...texts] },
      // 1 and 0 are numbers too, but for where there is nothing else.
      booleans: [...pair("*", false), ...booleanIn.flatMap((metric) => pair(metric, true))],
    },
    absent: absentIn.map((metric) => ({ metric, values: [...missing, ...missingNumbers] })),
  };
}

/** Words for true, false and no value: the usual ones, and those that were named. */
export function saidRules({
  missing,
  booleans,
}: Pick<ReplayOptions, "missing" | "booleans">): Omit<FieldRules, "style"> {
  const words = [...MISSING_WORDS, ...(missing ?? [])];
  return {
    missing: new Set(words.map((word) => word.toLowerCase())),
    missingNumbers: new Set(words.filter((word) => /^[+-]?\d/.test(word) && Number.isFinite(Number(word))).map(Number)),
    booleans:
      booleans ??
      new Map([
        ["true", true],
        ["false", false],
      ]),
  };
}

/** True if the command line says more of a JSON recording than three paths, which the telemetry route reads by itself. */
function saysMore(options: ReplayOptions): boolean {
  const { zone, timeFormat, decimal, missing, booleans, text, columns } = options;
  return [zone, timeFormat, decimal, missing, booleans, text, columns].some((part) => part !== null);
}

/** The mapping that the command line says of a JSON recording; null if the telemetry route reads it as it is. */
export function planJson(options: ReplayOptions): Plan | null {
  if (!saysMore(options)) return null;
  const { device, time, readings } = options.mapping;
  const zone = options.zone ?? "UTC";
  const format = options.timeFormat ?? "any";
  const isEpoch = ["s", "ms", "us", "ns"].includes(format);
  const columns = options.columns === null ? null : [...options.columns];
  const mapping = mappingSchema.parse({
    decode: "json",
    device: [options.deviceName === null ? `{envelope.${device}}` : options.deviceName],
    time: [
      isEpoch || format === "any"
        ? { from: { path: time }, format: format as "any", ...(isEpoch ? {} : { zone }) }
        : { from: { path: time }, format: "pattern", pattern: format, zone },
    ],
    withoutTime: "refuse",
    readings: [{ root: readings, ...(columns ? { include: columns.map(([name]) => name) } : {}) }],
    names: "headings",
    rename: (columns ?? []).flatMap(([from, to]) => (to === null ? [] : [{ from, to }])),
    convertUnits: false,
    labels: { site: "{envelope.site}", type: "{envelope.type}" },
    ...said(options, {
      style: { decimalComma: options.decimal === "comma", thousands: options.decimal !== null },
      ...{ absentIn: ["*"], booleanIn: ["*"], texts: options.text ?? [], unitsBehind: false },
    }),
  } satisfies MappingInput);
  return { mapping, found: [], doubt: null };
}
