import type { DeviceQuality, QualityLimitsAnswer } from "@/server/contracts/quality";
import type { AllLimits } from "@/server/domain/quality/all-limits";
import { counted } from "@/server/domain/counted";
import { CHECKS, type Check } from "../ui/check-words";
import { formatExact, formatMeasure } from "../ui/format";

export type Limit = keyof AllLimits;
type Usual = NonNullable<DeviceQuality["series"][number]["usual"]>;

interface About {
  readonly check: Check;
  /** What the number is. */
  readonly is: string;
  /** The least it may be; null: any number. */
  readonly least: number | null;
  /** What the series' own readings taught the check. */
  readonly learned?: (usual: Usual) => string;
}

/** What people can set of each check. */
export const LIMITS: Readonly<Record<Limit, About>> = {
  min: {
    check: "range",
    is: "lowest value",
    least: null,
    learned: ({ lowest }) => `lowest so far ${formatMeasure(lowest)}`,
  },
  max: {
    check: "range",
    is: "highest value",
    least: null,
    learned: ({ highest }) => `highest so far ${formatMeasure(highest)}`,
  },
  usualMargin: { check: "range", is: "share of the usual range beyond it", least: 0 },
  spikeSteps: {
    check: "spike",
    is: "usual steps off both neighbors",
    least: 1,
    learned: ({ step }) => `a usual step is ${formatMeasure(step)}`,
  },
  changeTimes: {
    check: "change",
    is: "times the fastest change so far",
    least: 1,
    learned: ({ fastest }) => `fastest so far ${formatMeasure(fastest)} a minute`,
  },
  stuckTimes: {
    check: "stuck",
    is: "times the longest run so far",
    least: 1,
    learned: ({ longestRun }) => `longest run so far ${counted(longestRun, "reading")}`,
  },
  driftSpreads: { check: "drift", is: "spreads off four weeks", least: 1 },
  climatologySpreads: { check: "climatology", is: "spreads off this hour of the week", least: 1 },
  attenuatedShare: { check: "attenuated", is: "share of what it usually moves", least: 0 },
  unitMargin: { check: "unit", is: "share of the usual range it fits within", least: 0 },
  crossSpreads: { check: "cross", is: "spreads off where its pair says", least: 1 },
  neighborSpreads: { check: "neighbor", is: "spreads off its place among neighbors", least: 1 },
};
export const LIMIT_NAMES = Object.keys(LIMITS) as Limit[];

/** The title of a limit's check, and which of its limits it is. */
export function limitTitle(limit: Limit): string {
  return `${CHECKS[LIMITS[limit].check].title}: ${LIMITS[limit].is}`;
}

/** Limits being set: a number, or what is typed of one; null leaves a check out, what is absent goes by what is there without. */
export type Draft = Readonly<Partial<Record<Limit, number | string | null | undefined>>>;

/** What a limit is where nobody sets it in this place, and whence. */
export function fallbackOf(
  limit: Limit,
  {
    defaults,
    forAll,
    range,
  }: {
    readonly defaults: QualityLimitsAnswer["defaults"];
    /** What is set for all devices, where it is about one of them. */
    readonly forAll: QualityLimitsAnswer["items"][number] | undefined;
    /** The metric's valid range. */
    readonly range: { readonly min: number | null; readonly max: number | null };
  },
): string {
  const word = (value: number | null | undefined, none: string) => (value == null ? none : formatExact(value));
  const set = forAll?.limits[limit];
  if (forAll && set !== undefined) return `${word(set, "off")}, set for all devices by ${forAll.updatedBy}`;
  if (limit === "min" || limit === "max")
    return range[limit] === null
      ? "no limit: the metric has no valid range"
      : `${formatExact(range[limit])}, the metric’s valid range`;
  return `${word(defaults[limit], "off")}, the default`;
}

/** What is wrong with a draft, by limit. */
export function faultsOf(draft: Draft): Partial<Record<Limit, string>> {
  const faults: Partial<Record<Limit, string>> = {};
  for (const limit of LIMIT_NAMES) {
    const value = draft[limit];
    const { least } = LIMITS[limit];
    if (typeof value === "string") faults[limit] = "Give a number";
    else if (typeof value === "number" && least !== null && value < least) faults[limit] = `At least ${least}`;
  }
  const { min, max } = draft;
  if (typeof min === "number" && typeof max === "number" && max < min) faults.max = "Below the lowest value";
  return faults;
}
