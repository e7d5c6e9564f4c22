import { type KeptWay, waysWords } from "../kept-words";
import type { AllLimits } from "./all-limits";

/** A metric as a contract has it. */
export interface ContractMetric {
  readonly name: string;
  readonly kind: "number" | "boolean";
  readonly unit: string | null;
  /** Who answers for it; null: whoever answers for all. */
  readonly owner: string | null;
  /** What its checks go by, with its valid range. */
  readonly limits: AllLimits;
}

/** The kind of what a contract is of, and its metrics. */
export interface Contracted {
  /** Sites or types; of all devices where both are null. */
  readonly site: string | null;
  readonly type: string | null;
  readonly metrics: readonly ContractMetric[];
}

/** The rules of time series, for which the standard has no words: by the limit of each. */
const CUSTOM = {
  spikeSteps: ["spike", "accuracy"],
  changeTimes: ["change", "accuracy"],
  stuckTimes: ["stuck", "accuracy"],
  usualMargin: ["range", "accuracy"],
  climatologySpreads: ["climatology", "accuracy"],
  attenuatedShare: ["attenuated", "accuracy"],
  unitMargin: ["unit", "conformity"],
  crossSpreads: ["cross", "consistency"],
  neighborSpreads: ["neighbor", "consistency"],
  driftSpreads: ["drift", "accuracy"],
} as const satisfies Partial<Record<keyof AllLimits, readonly [check: string, dimension: string]>>;

/**
 * Says what the checks expect of readings as a data contract by the Open Data Contract Standard 3.1: readings that are there, unique and in range by the
 * metrics of its library, and what only time series have as rules of the engine `fieldwatch`.
 * @param version of the contract: another one whenever a limit changes
 * @param owner who answers for what has no owner of its own; null: nobody has said
 * @param keptOf how the readings of a metric are kept: the shortest first is what is promised
 */
export function contractOf(
  { site, type, metrics }: Contracted,
  version: string,
  owner: string | null,
  keptOf: (metric: string) => readonly KeptWay[],
) {
  const of = [type === null ? "all devices" : `devices of type ${type}`, ...(site === null ? [] : [`at ${site}`])].join(
    " ",
  );
  return {
    apiVersion: "v3.1.0" as const,
    kind: "DataContract" as const,
    id: ["fieldwatch", type, site].filter((part) => part !== null).join("/"),
    name: `Readings of ${of}`,
    version,
    status: "active",
    ...(owner !== null && { team: { name: owner } }),
    description: {
      purpose: `What Fieldwatch expects of the readings of ${of}.`,
      usage: "Nothing is dropped for its quality: what breaks a rule is flagged by stretches of time.",
    },
    schema: [
      {
        name: "reading",
        logicalType: "object",
        physicalType: "view",
        description: "One row a device and event time, one property a metric.",
        quality: [
          {
            id: "repeats",
            type: "library",
            metric: "duplicateValues",
            mustBeLessThan: 1,
            unit: "percent",
            dimension: "uniqueness",
            severity: "warning",
            arguments: { properties: ["device", "time"] },
          },
          custom("gap", "completeness", {}),
          custom("reception", "timeliness", {}),
          custom("late", "timeliness", { mustBeLessThanPercent: 5 }),
          custom("clock", "timeliness", {}),
        ],
        properties: [
          { name: "device", logicalType: "string", required: true, primaryKey: true, primaryKeyPosition: 1 },
          {
            name: "time",
            logicalType: "timestamp",
            required: true,
            primaryKey: true,
            primaryKeyPosition: 2,
            description: "Event time, UTC",
          },
          ...metrics.map(propertyOf),
        ],
      },
    ],
    slaProperties: metrics.flatMap(({ name }) => {
      const ways = keptOf(name);
      const { raw = null } = ways[0] ?? {};
      if (raw === null) return [];
      return [
        { property: "retention", value: raw, unit: "d", element: `reading.${name}`, description: waysWords(ways) },
      ];
    }),
  };
}

function propertyOf({ name, kind, unit, owner, limits }: ContractMetric) {
  const { min, max } = limits;
  const valid = { ...(min === null ? {} : { minimum: min }), ...(max === null ? {} : { maximum: max }) };
  const own = Object.entries({ unit, owner }).flatMap(([property, value]) =>
    value === null ? [] : [{ property, value }],
  );
  const isRanged = min !== null || max !== null;
  return {
    name,
    logicalType: kind === "boolean" ? "boolean" : "number",
    ...(own.length === 0 ? {} : { customProperties: own }),
    ...(isRanged ? { logicalTypeOptions: valid } : {}),
    ...(kind === "boolean"
      ? {}
      : {
          quality: [
            ...(isRanged
              ? [
                  {
                    id: `${name}-range`,
                    type: "library",
                    metric: "invalidValues",
                    mustBe: 0,
                    unit: "rows",
                    dimension: "conformity",
                    severity: "error",
                    arguments: valid,
                  },
                ]
              : []),
            ...(Object.keys(CUSTOM) as (keyof typeof CUSTOM)[]).flatMap((limit) => {
              const [check, dimension] = CUSTOM[limit];
              return limits[limit] === null
                ? []
                : [custom(check, dimension, { [limit]: limits[limit]! }, `${name}-${check}`)];
            }),
            ...[custom("reset", "consistency", {}, `${name}-reset`)],
          ],
        }),
  };
}

function custom(check: string, dimension: string, limits: Readonly<Record<string, number>>, id = check) {
  return {
    id,
    type: "custom",
    engine: "fieldwatch",
    dimension,
    severity: "warning",
    implementation: { check, ...limits },
  };
}
