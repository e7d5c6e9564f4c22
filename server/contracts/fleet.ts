import { z } from "zod";
import { LABEL_LENGTH } from "@/server/domain/label";
import { type DeviceSort, MOST_CHANGED, SORT_FIELDS, SORT_PATTERN } from "@/server/domain/device-lists";
import { FILTER_LIMITS, parseFilter } from "@/server/domain/device-filter";
import { cursor, instant, nameList, text } from "./common";
import { device, deviceState } from "./devices";

export type { DeviceSort } from "@/server/domain/device-lists";

/** A selection of devices; the same for the list, its order, its counts, its CSV, and Explore. */
export const fleetFilter = {
  search: text(128).optional().describe("Part of the id, site, type or a label (`key:value` with a colon), any case"),
  site: text(2 * LABEL_LENGTH)
    .transform((text) => text.normalize("NFC"))
    .optional(),
  state: deviceState.optional(),
  label: z
    .array(text(256).transform((text) => text.normalize("NFC")))
    .max(8)
    .optional()
    .describe("Only devices with this label, `key:value`, or `key` for any value; several: with all of them"),
  conflicts: z
    .literal("true")
    .transform(() => true)
    .optional()
    .describe("Only devices with conflicts"),
  where: text(FILTER_LIMITS.length)
    .transform((text, context) => {
      const read = parseFilter(text);
      if ("conditions" in read) return read.conditions;
      const { at, message } = read.problem;
      context.addIssue({ code: "custom", message: `at character ${at + 1}: ${message}` });
      return z.NEVER;
    })
    .optional()
    .describe(
      'Conditions joined by `and`, as in `battery < 20 and silent >= 1 h and site = "Building 7"`: of the latest value of a metric (in the unit it has), ' +
        "or of silent, quality, alerts, conflicts, messages, site, type, label:<key>, retired. Operators: < <= > >= = !=. Retired devices are left out " +
        "unless a condition speaks of them; a metric called like one of these words is value:<name>",
    ),
};

/** `state` has trouble first: silent, stale, new, live; by id within each. */
const deviceSort = z
  .string()
  .regex(SORT_PATTERN, `must be one of ${SORT_FIELDS.join(", ")} or value:<metric>, with - before it for descending`)
  .transform((text) => text as DeviceSort)
  .describe(
    `${SORT_FIELDS.join(", ")}, or value:<metric> for its latest value; a leading - is descending; state has silent first and live last; what has no value comes last`,
  );

/** Most rows asked for at once: what fits a very tall screen. */
const MOST_ROWS = 200;

export const devicesQuery = z.object({
  ...fleetFilter,
  ids: nameList(MOST_ROWS).optional().describe(`Only these, joined by commas, at most ${MOST_ROWS}`),
  sort: deviceSort.default("id"),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: cursor.describe("`next` of the page before, with the same other parameters"),
});

export const fleetOrderQuery = z.object({
  ...fleetFilter,
  sort: deviceSort.default("state"),
  rows: z.coerce.number().int().min(0).max(MOST_ROWS).default(50).describe("How many of the first come in full"),
});

export const fleetOrderAnswer = z
  .object({
    ids: z.array(z.string()).describe("Every device that matches, in order"),
    tag: z.string().describe("Fingerprint of `ids`"),
    time: instant.describe("When the order was made"),
    items: z.array(device).describe("The first of `ids` in full"),
    commonMetrics: z
      .array(z.string())
      .describe("Numbers that most of these devices report, the most common first; from a sample of those that match"),
    reportedMetrics: z
      .array(z.string())
      .describe("Numbers and booleans that these devices report, the most common first; from the same sample"),
    staleSeconds: z.int().describe("Age at which a device is stale; silent at ten times as much"),
  })
  .meta({ id: "FleetOrder" });

export const fleetSummaryQuery = z.object({ ...fleetFilter, sort: deviceSort.default("state") });

const count = z.int().min(0);
const states = z.object({ live: count, stale: count, silent: count, new: count });

export const fleetSummaryAnswer = z
  .object({
    all: count.describe("Devices there are"),
    total: count.describe("Devices that match"),
    conflicts: count.describe("Devices that match and have conflicts"),
    states: states.describe("Devices by state, among those that match search and site"),
    sites: z
      .array(
        z.object({
          name: z.string(),
          devices: count,
          states,
          lastSeen: instant.nullable().describe("Ingest time of the latest message of these devices"),
        }),
      )
      .describe("All sites by name, with their devices among those that match search and state"),
    tag: z.string().describe("Fingerprint of the order these devices have now; compare with the order's"),
  })
  .meta({ id: "FleetSummary" });

export const sparklinesQuery = z.object({
  ids: nameList(MOST_ROWS).describe(`Devices, joined by commas, at most ${MOST_ROWS}`),
  metric: text(128).min(1),
  minutes: z.coerce.number().int().min(5).max(180).default(60),
});

export const sparklinesAnswer = z
  .object({
    metric: z.string(),
    unit: z.string().nullable(),
    from: instant.describe("Start of the first minute"),
    stepMs: z.int(),
    series: z
      .record(z.string(), z.array(z.number().nullable()))
      .describe(
        "Means by minute to five digits, oldest first, null without readings; devices without any are left out",
      ),
  })
  .meta({ id: "Sparklines" });

/** Most metrics that get a column of the CSV unless they are named. */
export const CSV_METRICS = 100;

export const devicesCsvQuery = z.object({
  ...fleetFilter,
  ids: nameList(MOST_CHANGED)
    .optional()
    .describe(`Only these, joined by commas, at most ${MOST_CHANGED}; retired ones too`),
  sort: deviceSort.default("id"),
  metrics: nameList(CSV_METRICS)
    .optional()
    .describe(
      `Metrics, and fields of words, that get a column, joined by commas; default the first ${CSV_METRICS} metrics by name`,
    ),
});

export type FleetFilter = Omit<z.infer<typeof fleetSummaryQuery>, "where"> & { readonly where?: string };
export type FleetOrder = z.infer<typeof fleetOrderAnswer>;
export type FleetSummary = z.infer<typeof fleetSummaryAnswer>;
export type Sparklines = z.infer<typeof sparklinesAnswer>;
