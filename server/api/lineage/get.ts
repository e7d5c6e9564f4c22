import type { Pool } from "pg";
import { keptFor } from "@/server/async/kept-for";
import { withinOr } from "@/server/async/timeout";
import { lineageAnswer, type LineageAnswer, type LineageEdge, type LineageNode } from "@/server/contracts/lineage";
import { counted } from "@/server/domain/counted";
import { type By, CATALOG, type Dataset, DATASETS, type Flow, FLOWS } from "@/server/domain/lineage";
import { TOPICS } from "@/server/domain/terms";
import { type JobRan, type Ran, readRan, readTables, type SourceRan } from "@/server/lineage/ran";
import { readOutbox } from "@/server/lineage/outbox";
import type { DeadLetters } from "@/server/ports/dead-letters";
import type { TopicState } from "@/server/ports/event-log";
import { daysOf, readRules } from "@/server/readings/retention";
import { toInstant, toInstantOrNull } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";

export interface LineageDeps {
  readonly lineage: {
    /** Whether OpenLineage events are sent. */
    readonly isSent: boolean;
    /** DATA_OWNER. */
    readonly owner: string | null;
    /** Whether there is cold storage; files of an earlier one are told of, too. */
    readonly hasCold: boolean;
    readonly days: { readonly log: number; readonly messages: number; readonly deadLetters: number };
  };
  readonly retention: { readonly startDays: number };
  readonly names: { readonly eventLog: string; readonly documents: string; readonly database: string };
  /** Where the engine of documents isn't PostgreSQL. */
  readonly inspection: { readonly kafka: unknown; readonly mongodb: unknown };
  readonly deadLetters: Pick<DeadLetters, "count">;
  readonly describeLog: () => Promise<TopicState>;
}

/** What there is is looked up at most as often as this. */
const LOOK_MS = 5000;
/** The time an engine other than PostgreSQL has to answer; what it doesn't say is not known. */
const PATIENCE_MS = 2000;
/** What is told by metrics, and so may have owners by metric. */
const OF_METRICS: ReadonlySet<Dataset> = new Set(["latest", "readings", "minutes", "hours", "quarters", "cold"]);
const JOBS = [...new Set(FLOWS.flatMap(({ by }) => ("job" in by ? [by.job] : [])))];
const BY_WORDS = { doors: "web and intake", pipeline: "worker", web: "web, when asked" } as const;

export const getLineage = verb(
  {
    method: "GET",
    path: "/api/v1/lineage",
    access: "view",
    summary:
      "What data there is, where it lies and how long, and how one comes of another, with what really went each way",
    description:
      "Nodes are datasets, edges what brings data from one to the next, with the counts of what ran. With OPENLINEAGE_URL the same is sent as OpenLineage events (docs/lineage.md).",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: lineageAnswer,
    status: 200,
    problems: [],
  },
  (deps: LineageDeps) => {
    let from: { pool: Pool; now: number } | undefined;
    const look = keptFor(LOOK_MS, Date.now, () => lookAt(from!, deps));
    return async (ctx): Promise<LineageAnswer> => {
      from = { pool: ctx.tx, now: ctx.now };
      return look();
    };
  },
);

async function lookAt({ pool, now }: { pool: Pool; now: number }, deps: LineageDeps): Promise<LineageAnswer> {
  const [ran, tables, rules, outbox, log, letters] = await Promise.all([
    readRan(pool, JOBS),
    readTables(
      pool,
      DATASETS.flatMap((kind) => CATALOG[kind].tables),
    ),
    readRules(pool, deps.retention.startDays),
    deps.lineage.isSent ? readOutbox(pool) : null,
    withinOr(PATIENCE_MS, deps.describeLog(), null).catch(() => null),
    withinOr(PATIENCE_MS, deps.deadLetters.count({ sites: "all" }), null).catch(() => null),
  ]);
  const kept = daysOf(rules);
  const { totals, cold } = ran;
  const merged = jobOf(ran, "readings-merge")?.lastAt ?? null;
  const isOwn = { log: deps.inspection.kafka === null, documents: deps.inspection.mongodb === null };
  const stored = (kind: Dataset) => {
    const found = CATALOG[kind].tables.flatMap((table) => tables.get(table) ?? []);
    const sum = (part: "bytes" | "rows") => found.reduce((all, one) => all + one[part], 0);
    return { bytes: sum("bytes"), rows: { count: sum("rows"), of: CATALOG[kind].rows!, isAbout: true } };
  };
  const ofTables = (kind: Dataset, isHere = true) => (isHere ? stored(kind) : { bytes: null, rows: null });
  const exactly = (kind: Dataset, count: number) => ({ count, of: CATALOG[kind].rows!, isAbout: false });

  const known: Readonly<
    Record<
      Exclude<Dataset, "source">,
      Pick<LineageNode, "rows" | "bytes" | "keptDays" | "setBy"> & { at: number | null }
    >
  > = {
    log: {
      rows:
        log &&
        exactly(
          "log",
          log.partitions.reduce((sum, { start, end }) => sum + end - start, 0),
        ),
      bytes: ofTables("log", isOwn.log).bytes,
      ...{ keptDays: deps.lineage.days.log, setBy: "LOG_RETENTION_HOURS" },
      at: latestOf(ran.sources),
    },
    messages: {
      ...ofTables("messages", isOwn.documents),
      ...{ keptDays: deps.lineage.days.messages, setBy: "ARCHIVE_RETENTION_DAYS", at: totals.lastAt },
    },
    latest: {
      rows: exactly("latest", ran.devices),
      bytes: ofTables("latest", isOwn.documents).bytes,
      ...{ keptDays: null, setBy: null, at: totals.lastAt },
    },
    readings: { ...ofTables("readings"), keptDays: kept.raw, setBy: "Retention", at: totals.lastAt },
    texts: { ...ofTables("texts"), keptDays: kept.raw, setBy: "Retention", at: null },
    deadLetters: {
      rows: letters && exactly("deadLetters", letters.open + letters.resending + letters.resent + letters.discarded),
      bytes: ofTables("deadLetters", isOwn.documents).bytes,
      ...{ keptDays: deps.lineage.days.deadLetters, setBy: "DEAD_LETTER_RETENTION_DAYS", at: null },
    },
    minutes: {
      ...ofTables("minutes"),
      keptDays: kept.minutes,
      setBy: "Retention",
      at: ran.rolled.minutes ? merged : null,
    },
    hours: { ...ofTables("hours"), keptDays: kept.hours, setBy: "Retention", at: ran.rolled.hours ? merged : null },
    quarters: {
      ...ofTables("quarters"),
      ...{ keptDays: kept.hours, setBy: "Retention", at: jobOf(ran, "readings-quarters")?.lastAt ?? null },
    },
    cold: {
      ...{ rows: exactly("cold", cold.readings), bytes: cold.bytes, at: cold.lastAt },
      ...{ keptDays: kept.raw, setBy: "Retention" },
    },
    downloads: { rows: null, bytes: null, keptDays: null, setBy: null, at: null },
  };
  const isThere = (kind: Dataset) => kind !== "cold" || deps.lineage.hasCold || cold.files > 0;
  const own = DATASETS.filter((kind) => kind !== "source" && isThere(kind)) as Exclude<Dataset, "source">[];
  return {
    time: toInstant(now),
    nodes: [
      ...ran.sources.map((one) => sourceNode(one, deps)),
      ...own.map((kind): LineageNode => {
        const { stage, title, meaning, page } = CATALOG[kind];
        const { at, ...figures } = known[kind];
        return {
          ...{ id: kind, kind, stage, title, meaning, page, owner: deps.lineage.owner },
          metricOwners: OF_METRICS.has(kind) ? [...ran.metricOwners] : [],
          ...{ writtenBy: writerOf(kind, ran), where: whereOf(kind, deps), ...figures, newest: toInstantOrNull(at) },
        };
      }),
    ],
    sent: outbox && { ...outbox, lastSent: toInstantOrNull(outbox.lastSent) },
    edges: FLOWS.filter(({ from, to }) => isThere(from) && isThere(to)).flatMap((flow) =>
      edgesOf(flow, ran, (kind) => stored(kind).rows.count),
    ),
  };
}

const idOf = ({ name }: SourceRan) => (name === null ? "sources" : `source:${name}`);
const jobOf = ({ jobs }: Ran, name: string): JobRan | undefined => jobs.find(({ job }) => job === name);
const latestOf = (sources: readonly SourceRan[]) =>
  sources.reduce<number | null>(
    (latest, { lastAt }) => (lastAt === null ? latest : Math.max(latest ?? 0, lastAt)),
    null,
  );

function sourceNode(one: SourceRan, { lineage }: LineageDeps): LineageNode {
  const { stage, meaning, page, rows } = CATALOG.source;
  return {
    ...{ id: idOf(one), kind: "source", stage, meaning, owner: lineage.owner, writtenBy: "its senders" },
    metricOwners: [],
    title: one.name ?? counted(one.sources, "more source"),
    page: one.name === null ? page : `${page}/${one.name}`,
    where: "outside",
    ...{ keptDays: null, setBy: null, bytes: one.bytes },
    rows: { count: one.messages, of: `${rows} taken`, isAbout: false },
    newest: toInstantOrNull(one.lastAt),
  };
}

function whereOf(kind: Dataset, { names }: LineageDeps): string {
  const { engine, tables } = CATALOG[kind];
  if (engine === "log") return `${names.eventLog}, topic ${TOPICS.telemetry}`;
  if (engine === "cold") return "COLD_URL, Parquet";
  if (engine === "web") return "made when asked for";
  if (engine === "outside") return engine;
  const name = names[engine];
  return name === "MongoDB" ? name : `${name}, ${tables[0]!.replace(/_block$/, "")}`;
}

function byWords(by: By, ran: Ran): string {
  return "job" in by ? (jobOf(ran, by.job)?.title ?? by.job) : BY_WORDS[by.role];
}

function writerOf(kind: Dataset, ran: Ran): string {
  return [...new Set(FLOWS.filter(({ to }) => to === kind).map(({ by }) => byWords(by, ran)))].join(", ");
}

/** @param rowsOf about how many there are of what lies in tables */
function edgesOf({ from, to, by, counts }: Flow, ran: Ran, rowsOf: (kind: Dataset) => number): LineageEdge[] {
  const edge = { from: from as string, to, by: byWords(by, ran), job: null, runs: null, failed: null };
  if (from === "source")
    return ran.sources.map((one) => ({
      ...{ ...edge, from: idOf(one), count: one.messages, of: "messages" },
      lastAt: toInstantOrNull(one.lastAt),
    }));
  if ("job" in by) {
    const { runs, failed, done, counts: words, lastAt } = jobOf(ran, by.job) ?? NEVER;
    // What the job merged is no measure of rollups: it merges hours under way, of which it makes none.
    if (to === "minutes" || to === "hours") {
      const made = ran.rolled[to]
        ? { count: rowsOf(to) || null, lastAt: toInstantOrNull(lastAt) }
        : { count: 0, lastAt: null };
      return [{ ...edge, job: by.job, of: CATALOG[to].rows, runs, failed, ...made }];
    }
    return [
      { ...edge, job: by.job, count: done, of: words?.many ?? null, runs, failed, lastAt: toInstantOrNull(lastAt) },
    ];
  }
  if (counts === null) return [{ ...edge, count: null, of: null, lastAt: null }];
  const count = ran.totals[counts];
  return [
    {
      ...{ ...edge, count, of: counts === "deadLetters" ? "dead letters" : counts },
      lastAt: counts === "deadLetters" || count === 0 ? null : toInstantOrNull(ran.totals.lastAt),
    },
  ];
}

const NEVER = { runs: 0, failed: 0, done: 0, counts: null, lastAt: null };
