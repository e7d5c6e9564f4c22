import { z } from "zod";
import { EVENT_KINDS, EVENT_SEVERITIES } from "@/server/domain/events/event";
import { readLabel } from "@/server/domain/label";
import { isName } from "@/server/domain/terms";
import { moment, text } from "./common";
import { exploreQuery, MOST_LINES } from "./explore";
import { fleetFilter, fleetSummaryQuery } from "./fleet";
import { VIEW_NAME_LENGTH, VIEW_PAGES, type ViewPage } from "./view-pages";

/** Longest query of a saved view, in characters. */
const VIEW_QUERY_LENGTH = 4000;
/** Views that one person keeps at most, and that everyone shares at most. */
export const MOST_VIEWS = 100;

const list = <T extends string>(of: readonly T[]) =>
  text(256)
    .transform((names) => names.split(","))
    .pipe(z.array(z.enum(of)));

/** The parameters of each page that can be saved; what isn't named can't be kept. */
const PARAMETERS = {
  explore: z.strictObject({
    metric: exploreQuery.shape.metric,
    devices: exploreQuery.shape.devices,
    ...fleetFilter,
    by: exploreQuery.shape.by.optional(),
    range: text(32).optional(),
    from: moment.optional(),
    to: moment.optional(),
    previous: exploreQuery.shape.previous,
    sort: text(32).optional(),
    off: z.array(text(256)).max(MOST_LINES).optional(),
  }),
  devices: z.strictObject({
    ...fleetSummaryQuery.shape,
    sort: fleetSummaryQuery.shape.sort.optional(),
    columns: text(2000).optional(),
    trend: text(128).refine(isName, "must be a metric").optional(),
  }),
  events: z.strictObject({
    kinds: list(EVENT_KINDS).optional(),
    severity: z.enum(EVENT_SEVERITIES).optional(),
    site: text(256).optional(),
    device: text(128).optional(),
    q: text(200).optional(),
    span: z.enum(["1h", "24h", "7d", "30d"]).optional(),
    from: moment.optional(),
    to: moment.optional(),
  }),
  alerts: z.strictObject({
    show: z.enum(["firing", "acknowledged", "ended"]).optional(),
    severity: z.enum(["warning", "critical"]).optional(),
    site: text(256).optional(),
    rule: z
      .string()
      .regex(/^[1-9]\d{0,8}$/, "must be the number of a rule")
      .optional(),
    device: text(128).optional(),
  }),
} as const satisfies {
  [Page in ViewPage]: z.ZodObject<Record<(typeof VIEW_PAGES)[Page]["parameters"][number], z.ZodType>>;
};

const pages = Object.keys(VIEW_PAGES) as [ViewPage, ...ViewPage[]];

/** Parameters that an address may name several times. */
const REPEATED: ReadonlySet<string> = new Set(["label", "off"]);

/** What is wrong with the query of a page's address; null when the page takes it. */
export function viewQueryProblem(page: ViewPage, query: string): string | null {
  const values: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const before = Object.hasOwn(values, name) ? values[name] : undefined;
    if (REPEATED.has(name)) values[name] = [...(before ?? []), value];
    else if (before !== undefined) return `${name} is given more than once`;
    else values[name] = value;
  }
  const read = PARAMETERS[page].safeParse(values);
  if (read.success) return null;
  return read.error.issues
    .map((issue) =>
      issue.code === "unrecognized_keys"
        ? `${issue.keys.join(", ")} is nothing that the page ${VIEW_PAGES[page].label} takes`
        : `${issue.path.join(".")}: ${issue.message}`,
    )
    .join("; ");
}

const name = z
  .string()
  .transform((given, context) => {
    const read = readLabel(given, VIEW_NAME_LENGTH);
    if ("label" in read && read.label !== null) return read.label;
    context.addIssue({ code: "custom", message: "problem" in read ? read.problem : "must not be empty" });
    return z.NEVER;
  })
  .describe(`1 to ${VIEW_NAME_LENGTH} characters`);

/** No address: a page's own parameters alone. */
const query = text(VIEW_QUERY_LENGTH).describe("The query of the page's address, without the question mark");

const id = z.int().min(1).max(2_147_483_647);
const before = id.nullable().describe("The view that it is put before; null: last");

export const newView = z.strictObject({
  page: z.enum(pages),
  name,
  query,
  shared: z
    .boolean()
    .default(false)
    .describe("Everyone's, which takes the permission to operate at all sites; else the caller's own"),
  onOverview: z.boolean().default(false),
  onWall: z.boolean().default(false),
  before: before.default(null),
});

export const viewChanges = z.strictObject({
  name: name.optional(),
  query: query.optional(),
  shared: z.boolean().optional(),
  onOverview: z.boolean().optional(),
  onWall: z.boolean().optional(),
  before: before.optional(),
});

export const viewPath = z.object({
  id: z
    .string()
    .regex(/^[1-9]\d{0,9}$/, "must be the number of a view")
    .transform(Number)
    .pipe(id),
});

export const savedView = z
  .object({
    id,
    page: z.enum(pages),
    name: z.string(),
    query: z.string(),
    shared: z.boolean().describe("Everyone's; else the caller's own"),
    by: z.string().nullable().describe("Who saved it; null: a key, or somebody who is no longer here"),
    onOverview: z.boolean(),
    onWall: z.boolean(),
  })
  .meta({ id: "SavedView" });

export const viewsAnswer = z.object({ items: z.array(savedView).describe("In order") }).meta({ id: "SavedViews" });

export type SavedView = z.infer<typeof savedView>;
export type ViewsAnswer = z.infer<typeof viewsAnswer>;
export type NewView = z.input<typeof newView>;
export type ViewChanges = z.input<typeof viewChanges>;
