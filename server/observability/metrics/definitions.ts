/** Processes that serve metrics. */
export type MetricsRole = "web" | "worker" | "intake" | "simulator";

/** What a metric is: all that docs/metrics.md says of it, and all that a process needs to serve it. */
export interface MetricDefinition {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** Each has few values that are known before: never a device, a message or a person. */
  readonly labels: readonly string[];
  /** Upper ends of a histogram's classes, in the unit its name ends with. */
  readonly buckets?: readonly number[];
  /** Who serves it. */
  readonly on: readonly MetricsRole[];
  /**
   * `kept`: read at each scrape from what PostgreSQL and the event log hold. It is the installation's, not the process's: the same from
   * every web process, and no restart sets it back. `process`: counted in the process since it started.
   */
  readonly source: "kept" | "process";
  /** The heading it stands under. */
  readonly part: (typeof PARTS)[number];
}

export const PARTS = [
  "Pipeline",
  "Taking messages",
  "Stages of the worker",
  "Fleet and alerts",
  "Engines, health and jobs",
  "Live",
  "Simulator",
  "Process",
] as const;

const EVERY = ["web", "worker", "intake", "simulator"] as const;
const WITH_DATABASE = ["web", "worker", "intake"] as const;
const WEB = ["web"] as const;
const WORKER = ["worker"] as const;
const SIMULATOR = ["simulator"] as const;

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

type Words = readonly string[];

function kept<const Kind extends "counter" | "gauge", const Labels extends Words = readonly []>(
  part: MetricDefinition["part"],
  kind: Kind,
  help: string,
  labels: Labels = [] as Words as Labels,
) {
  return { part, kind, help, labels, on: WEB, source: "kept" } as const;
}

function own<const Kind extends "counter" | "gauge", const Labels extends Words = readonly []>(
  part: MetricDefinition["part"],
  on: MetricDefinition["on"],
  kind: Kind,
  help: string,
  labels: Labels = [] as Words as Labels,
) {
  return { part, kind, help, labels, on, source: "process" } as const;
}

function histogram<const Labels extends Words>(
  part: MetricDefinition["part"],
  on: MetricDefinition["on"],
  help: string,
  labels: Labels,
  buckets: readonly number[],
) {
  return { part, kind: "histogram", help, labels, on, source: "process", buckets } as const;
}

/**
 * Every metric of Fieldwatch's own. Names say the unit they are in, and counters end in `_total`, as Prometheus has it; HTTP's is called as
 * OpenTelemetry's semantic conventions call it.
 */
export const METRICS = {
  fieldwatch_messages_total: kept(
    "Pipeline",
    "counter",
    "Messages the pipeline has handled, dead letters among them.",
    ["topic", "partition"],
  ),
  fieldwatch_readings_total: kept(
    "Pipeline",
    "counter",
    "Readings handled, by what became of them: stored, duplicate (it was there with the same value), conflict (another value was there, and stays).",
    ["outcome"],
  ),
  fieldwatch_late_readings_total: kept(
    "Pipeline",
    "counter",
    "Readings stored from before the latest event time their device had when they came.",
  ),
  fieldwatch_dead_letters_total: kept(
    "Pipeline",
    "counter",
    "Dead letters made, by reason; those refused before reasons were summed up are `earlier`.",
    ["reason"],
  ),
  fieldwatch_skipped_messages_total: kept(
    "Pipeline",
    "counter",
    "Messages that were never read: they expired in the log, or somebody skipped an unreadable batch.",
  ),
  fieldwatch_consumer_lag_messages: kept(
    "Pipeline",
    "gauge",
    "Messages in the log that are still to be handled. Absent while the log can't be asked.",
    ["topic", "partition"],
  ),
  fieldwatch_consumer_lag_seconds: kept(
    "Pipeline",
    "gauge",
    "Age of the oldest message still to be handled; 0 when none waits. Absent while it isn't known.",
    ["topic", "partition"],
  ),
  fieldwatch_partition_stopped: kept("Pipeline", "gauge", "1 while an unreadable batch stops the partition.", [
    "topic",
    "partition",
  ]),
  fieldwatch_workers: kept("Pipeline", "gauge", "Workers alive in the consumer group. Absent while it isn't known."),

  fieldwatch_ingest_accepted_messages_total: kept(
    "Taking messages",
    "counter",
    "Messages that web and intake have accepted and made durable; written every 5 s.",
  ),
  fieldwatch_ingest_rejected_messages_total: kept(
    "Taking messages",
    "counter",
    "Messages that web and intake have rejected, each named to its sender, by reason; written every 5 s.",
    ["reason"],
  ),
  fieldwatch_ingest_refused_requests_total: kept(
    "Taking messages",
    "counter",
    "Requests with messages that were refused whole, by problem; written every 5 s.",
    ["problem"],
  ),
  fieldwatch_source_deliveries_total: kept(
    "Taking messages",
    "counter",
    "Deliveries of a source, of the 50 that delivered most.",
    ["source"],
  ),
  fieldwatch_source_messages_total: kept(
    "Taking messages",
    "counter",
    "Messages made of a source's deliveries, by whether they were accepted or refused, of the same 50.",
    ["source", "outcome"],
  ),
  fieldwatch_sources: kept("Taking messages", "gauge", "Sources, by whether they are enabled.", ["enabled"]),
  fieldwatch_source_clients: kept("Taking messages", "gauge", "MQTT clients connected now, of all sources."),
  http_server_request_duration_seconds: histogram(
    "Taking messages",
    WEB,
    "Time until a request was answered in full. Routes are told by kind: telemetry, doors, api, pages. OpenMetrics has the trace id of the sender's `traceparent` as exemplar.",
    ["http_request_method", "http_response_status_code", "http_route"],
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  ),

  fieldwatch_stage_duration_seconds: histogram(
    "Stages of the worker",
    WORKER,
    "Time of one run of a stage: a batch; for publish a frame.",
    ["stage"],
    [...SECONDS, 30],
  ),
  fieldwatch_ingest_to_commit_seconds: histogram(
    "Stages of the worker",
    WORKER,
    "Time from when the log took a message until its readings were committed.",
    [],
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600],
  ),
  fieldwatch_batch_messages: histogram(
    "Stages of the worker",
    WORKER,
    "Messages of what was committed together.",
    [],
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000],
  ),
  fieldwatch_batch_failures_total: own(
    "Stages of the worker",
    WORKER,
    "counter",
    "Batches that failed and come again, by class of the error.",
    ["class"],
  ),
  fieldwatch_trace_spans_total: own(
    "Process",
    ["web", "worker", "intake"],
    "counter",
    "Spans of traces: sent, or dropped as too many waited or they could not be sent. Absent while there are none.",
    ["outcome"],
  ),

  fieldwatch_devices: kept("Fleet and alerts", "gauge", "Devices, by state; retired ones are left out.", ["state"]),
  fieldwatch_alerts: kept("Fleet and alerts", "gauge", "Alerts that are open, by severity and state.", [
    "severity",
    "state",
  ]),
  fieldwatch_notifications: kept("Fleet and alerts", "gauge", "Notifications that are kept, by what became of them.", [
    "status",
  ]),

  fieldwatch_probe_failing: own(
    "Engines, health and jobs",
    WEB,
    "gauge",
    "Probes of the page Health: 0 passes, 1 warns, 2 fails. Absent while unknown.",
    ["group", "probe"],
  ),
  fieldwatch_probe_duration_seconds: own(
    "Engines, health and jobs",
    WEB,
    "gauge",
    "Time the latest run of a probe took.",
    ["group", "probe"],
  ),
  fieldwatch_job_state: own("Engines, health and jobs", WEB, "gauge", "1 for the state a job is in.", [
    "job_name",
    "state",
  ]),
  fieldwatch_job_last_end_timestamp_seconds: own(
    "Engines, health and jobs",
    WEB,
    "gauge",
    "When the latest run of a job ended.",
    ["job_name", "outcome"],
  ),
  fieldwatch_disk_free_bytes: own("Engines, health and jobs", WEB, "gauge", "Room on the disk of the data folder."),
  fieldwatch_disk_size_bytes: own("Engines, health and jobs", WEB, "gauge", "Size of the disk of the data folder."),
  fieldwatch_database_size_bytes: kept("Engines, health and jobs", "gauge", "Size of the PostgreSQL database."),
  fieldwatch_postgres_pool_connections: own(
    "Engines, health and jobs",
    WITH_DATABASE,
    "gauge",
    "Connections of this process to PostgreSQL, by pool and whether they are in use.",
    ["pool", "state"],
  ),
  fieldwatch_postgres_pool_waiting: own(
    "Engines, health and jobs",
    WITH_DATABASE,
    "gauge",
    "Statements of this process that wait for a connection.",
    ["pool"],
  ),
  fieldwatch_collector_up: own(
    "Engines, health and jobs",
    WEB,
    "gauge",
    "1 if this part of the scrape could be read; 0 where its metrics are absent for want of an engine.",
    ["collector"],
  ),

  fieldwatch_live_browsers: own("Live", WEB, "gauge", "Live sockets that are open."),
  fieldwatch_live_frames_total: own("Live", WEB, "counter", "Live frames sent, each to all who watch a room.", [
    "kind",
  ]),

  fieldwatch_simulator_sent_messages_total: own(
    "Simulator",
    SIMULATOR,
    "counter",
    "Messages of simulated devices that the telemetry route has answered for, by outcome.",
    ["outcome"],
  ),
  fieldwatch_simulator_outbox_messages: own("Simulator", SIMULATOR, "gauge", "Messages that wait in the outbox."),
  fieldwatch_simulator_dropped_messages_total: own(
    "Simulator",
    SIMULATOR,
    "counter",
    "Messages dropped because the outbox or its disk was full.",
  ),

  process_cpu_seconds_total: own("Process", EVERY, "counter", "Processor time of the process, user and system."),
  process_resident_memory_bytes: own("Process", EVERY, "gauge", "Memory of the process that is resident."),
  process_start_time_seconds: own("Process", EVERY, "gauge", "When the process started, since 1970."),
  nodejs_heap_size_used_bytes: own("Process", EVERY, "gauge", "Heap that JavaScript uses."),
  nodejs_heap_size_limit_bytes: own("Process", EVERY, "gauge", "Heap at which JavaScript runs out of memory."),
  nodejs_external_memory_bytes: own("Process", EVERY, "gauge", "Memory of buffers outside of the heap."),
  nodejs_eventloop_delay_seconds: own(
    "Process",
    EVERY,
    "gauge",
    "Delay of the event loop over the last 10 to 20 s: how late a timer of 200 ms was.",
    ["quantile"],
  ),
  nodejs_eventloop_utilization_ratio: own(
    "Process",
    EVERY,
    "gauge",
    "Share of time the event loop was at work, over the last 10 to 20 s.",
  ),
  nodejs_gc_duration_seconds: histogram(
    "Process",
    EVERY,
    "Time of collections of garbage.",
    ["kind"],
    [0.001, 0.01, 0.1, 1],
  ),
  fieldwatch_build_info: own("Process", EVERY, "gauge", "1; its labels say which build this is.", [
    "version",
    "role",
    "node",
  ]),
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;

/** The metrics of one kind. */
export type MetricOf<Kind extends MetricDefinition["kind"]> = {
  [Name in MetricName]: (typeof METRICS)[Name]["kind"] extends Kind ? Name : never;
}[MetricName];

/** Values of a metric's labels. */
export type LabelsOf<Name extends MetricName> = Readonly<
  Record<(typeof METRICS)[Name]["labels"][number], string | number>
>;

/** The metrics that a role serves. */
export function metricsOf(role: MetricsRole): [MetricName, MetricDefinition][] {
  return (Object.entries(METRICS) as [MetricName, MetricDefinition][]).filter(([, { on }]) => on.includes(role));
}
