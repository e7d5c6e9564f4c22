/** What data there is, in the order of its way; `source` stands for each source of its own. */
export const DATASETS = [
  "source",
  "log",
  "messages",
  "latest",
  "readings",
  "texts",
  "deadLetters",
  "minutes",
  "hours",
  "quarters",
  "cold",
  "downloads",
] as const;
export type Dataset = (typeof DATASETS)[number];

/** The columns of the picture, from left to right. */
export const STAGES = ["source", "log", "store", "rollup", "away"] as const;
export type Stage = (typeof STAGES)[number];

/** The engine a dataset lies in; web makes what lies nowhere. */
type Engine = "log" | "documents" | "database" | "cold" | "outside" | "web";

interface About {
  readonly stage: Stage;
  readonly title: string;
  readonly meaning: string;
  readonly engine: Engine;
  /** Tables of PostgreSQL, where that is its engine. */
  readonly tables: readonly string[];
  /** What its rows are, to stand after a number. */
  readonly rows: string | null;
  /** The page that shows it. */
  readonly page: string;
  /** Its fields, for whoever reads it by a name: a view or a topic. */
  readonly fields: readonly (readonly [name: string, type: string, about?: string])[];
}

const BUCKET = [
  ["device", "text"],
  ["metric", "text"],
  ["unit", "text"],
  ["bucket", "timestamptz", "Its beginning, UTC"],
  ["count", "integer"],
  ["sum", "double precision"],
  ["min", "double precision"],
  ["max", "double precision"],
  ["first", "double precision"],
  ["last", "double precision"],
] as const;

/** Everything that is known of a kind of data beforehand. */
export const CATALOG: Readonly<Record<Dataset, About>> = {
  source: {
    ...{ stage: "source", title: "Source", engine: "outside", tables: [], rows: "messages", page: "/sources" },
    meaning: "A sender of messages: devices themselves, or a system of others by its mapping",
    fields: [],
  },
  log: {
    ...{ stage: "log", title: "Event log", engine: "log", tables: ["log_batch"], rows: "messages", page: "/pipeline" },
    meaning: "Messages as they were taken, in the order of their device, until its retention ends",
    fields: [
      ["device", "string"],
      ["time", "string", "Event time, RFC 3339"],
      ["readings", "object", "Metric → value"],
    ],
  },
  messages: {
    ...{ stage: "store", title: "Message archive", engine: "documents", rows: "blocks of messages", page: "/devices" },
    tables: ["archive_block", "archive_fresh", "message_archive"],
    meaning: "Every message that was handled, byte for byte",
    fields: [
      ["id", "text"],
      ["device", "text"],
      ["payload", "bytea"],
    ],
  },
  latest: {
    ...{ stage: "store", title: "Latest values", engine: "documents", tables: ["device_twin"] },
    ...{ rows: "devices", page: "/devices" },
    meaning: "The latest value of each metric of each device",
    fields: [
      ["device", "text"],
      ["metrics", "json"],
    ],
  },
  readings: {
    ...{ stage: "store", title: "Readings", engine: "database", tables: ["sample"], rows: "blocks of readings" },
    page: "/explore",
    meaning: "Each value of each metric at its event time, once; the view reading",
    fields: [
      ["device", "text"],
      ["site", "text"],
      ["metric", "text"],
      ["unit", "text"],
      ["time", "timestamptz", "Event time, UTC"],
      ["value", "double precision"],
      ["block", "timestamptz", "The block it lies in, by which partitions are found"],
    ],
  },
  texts: {
    ...{ stage: "store", title: "History of texts", engine: "database", tables: ["text_run"], rows: "runs" },
    page: "/devices",
    meaning: "What fields of words said, from the first to the last of messages one after the other that said the same",
    fields: [
      ["device_id", "integer"],
      ["field", "text"],
      ["from_time", "timestamptz", "Event time of the first message, UTC"],
      ["to_time", "timestamptz", "Event time of the last message, UTC"],
      ["value", "text", "Null where it changed too often to be kept"],
    ],
  },
  deadLetters: {
    ...{ stage: "store", title: "Dead letters", engine: "documents", tables: ["dead_letter"], rows: "letters" },
    page: "/dead-letters",
    meaning: "Messages that could not become readings, whole, each with its reason",
    fields: [
      ["id", "text"],
      ["reason", "text"],
      ["payload", "bytea"],
    ],
  },
  minutes: {
    ...{ stage: "rollup", title: "Minutes", engine: "database", tables: ["rollup_minute"], rows: "minutes of devices" },
    page: "/explore",
    meaning: "Count, sum, extremes, first and last of each minute; the view reading_minute",
    fields: BUCKET,
  },
  hours: {
    ...{ stage: "rollup", title: "Hours", engine: "database", tables: ["rollup_hour"], rows: "hours of devices" },
    page: "/explore",
    meaning: "The same of each hour; the view reading_hour",
    fields: BUCKET,
  },
  quarters: {
    ...{ stage: "rollup", title: "Quarters of a day", engine: "database", tables: ["rollup_quarter"] },
    ...{ rows: "quarters of devices", page: "/explore" },
    meaning: "The same of six hours, for ranges of months",
    fields: [],
  },
  cold: {
    ...{ stage: "away", title: "Cold files", engine: "cold", tables: [], rows: "readings", page: "/retention" },
    meaning: "Months of readings as Parquet files, which charts still reach",
    fields: [
      ["device", "text"],
      ["time", "timestamp"],
      ["<metric>", "double", "One column a metric"],
    ],
  },
  downloads: {
    ...{ stage: "away", title: "Downloads and views", engine: "web", tables: [], rows: null, page: "/explore" },
    meaning: "CSV and JSON of devices and charts, the contract, and SQL of others on the views; made when asked for",
    fields: [],
  },
};

/** What brings data on: doors of web and intake, the worker's pipeline, a job, or whoever asks web. */
export type By = { readonly role: "doors" | "pipeline" | "web" } | { readonly job: string };

/** One step of the way. `counts` says which total of the pipeline it moved; null: its job counts, or nobody does. */
export interface Flow {
  readonly from: Dataset;
  readonly to: Dataset;
  readonly by: By;
  readonly counts: "messages" | "readings" | "deadLetters" | null;
}

const PIPELINE = { role: "pipeline" } as const;
const WEB = { role: "web" } as const;
/** The job that makes minutes and hours in one step. */
const MERGE = { job: "readings-merge" } as const;

/** How data gets from one to the other. */
export const FLOWS: readonly Flow[] = [
  { from: "source", to: "log", by: { role: "doors" }, counts: "messages" },
  { from: "log", to: "messages", by: PIPELINE, counts: "messages" },
  { from: "log", to: "latest", by: PIPELINE, counts: "messages" },
  { from: "log", to: "readings", by: PIPELINE, counts: "readings" },
  { from: "log", to: "texts", by: PIPELINE, counts: null },
  { from: "log", to: "deadLetters", by: PIPELINE, counts: "deadLetters" },
  { from: "readings", to: "minutes", by: MERGE, counts: null },
  { from: "readings", to: "hours", by: MERGE, counts: null },
  { from: "hours", to: "quarters", by: { job: "readings-quarters" }, counts: null },
  { from: "readings", to: "cold", by: { job: "cold-readings" }, counts: null },
  { from: "readings", to: "downloads", by: WEB, counts: null },
  { from: "hours", to: "downloads", by: WEB, counts: null },
];

/** What a job reads and writes, beside what {@link FLOWS} say of it; of every other job that is nothing that has a name here. */
const OF_JOBS: Readonly<Record<string, { readonly inputs: readonly Dataset[]; readonly outputs: readonly Dataset[] }>> =
  {
    "readings-upgrade": { inputs: ["readings"], outputs: ["readings", "minutes", "hours"] },
    "readings-retention": { inputs: [], outputs: ["readings", "texts", "minutes", "hours", "quarters"] },
    "series-retention": { inputs: [], outputs: ["readings", "minutes", "hours", "quarters"] },
    "archive-merge": { inputs: ["messages"], outputs: ["messages"] },
    "message-retention": { inputs: [], outputs: ["messages"] },
    "log-retention": { inputs: [], outputs: ["log"] },
    "dead-letter-retention": { inputs: [], outputs: ["deadLetters"] },
    "quality-scores": { inputs: ["readings"], outputs: [] },
    "quality-hours": { inputs: ["hours"], outputs: [] },
    "quality-profiles": { inputs: ["readings"], outputs: [] },
    oddness: { inputs: ["readings"], outputs: [] },
  };

/** What a job reads and writes, each once. */
export function datasetsOf(job: string): { readonly inputs: readonly Dataset[]; readonly outputs: readonly Dataset[] } {
  const flows = FLOWS.filter(({ by }) => "job" in by && by.job === job);
  const { inputs = [], outputs = [] } = OF_JOBS[job] ?? {};
  return {
    inputs: [...new Set([...flows.map(({ from }) => from), ...inputs])],
    outputs: [...new Set([...flows.map(({ to }) => to), ...outputs])],
  };
}

/** Jobs that say here what they read or write. */
export const JOBS_WITH_DATA: readonly string[] = [
  ...new Set([...FLOWS.flatMap(({ by }) => ("job" in by ? [by.job] : [])), ...Object.keys(OF_JOBS)]),
];
