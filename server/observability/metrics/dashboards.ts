/** A panel: one question about the installation. */
export interface Panel {
  readonly title: string;
  /** What it shows, and what it means when it isn't as usual. */
  readonly about: string;
  /** Grafana's name of the unit. */
  readonly unit: "short" | "reqps" | "cps" | "s" | "bytes" | "percentunit" | "none";
  /** A number of now, or how it was over time; states are steps without a point between them. */
  readonly shows: "now" | "time" | "states";
  /** PromQL, and what each line is called: a text with {{label}}. */
  readonly queries: readonly (readonly [expr: string, legend: string])[];
}

export interface Dashboard {
  /** Of the file and of the address in Grafana. */
  readonly uid: string;
  readonly title: string;
  readonly about: string;
  readonly panels: readonly Panel[];
}

/** Kept counters are the same from every web process. */
const rateOf = (name: string, by: string, matchers = "") =>
  `sum by (${by}) (max without (instance) (rate(${name}${matchers}[5m])))`;
/** A line at zero where nothing of the kind has ever been: a panel without data says that something is wrong. */
const orZero = (expr: string) => `${expr} or on () vector(0)`;
const quantile = (share: number, name: string, by = "le", matchers = "") =>
  `histogram_quantile(${share}, sum by (${by}) (rate(${name}_bucket${matchers}[5m])))`;

const now = (title: string, unit: Panel["unit"], about: string, expr: string): Panel => ({
  ...{ title, unit, about, shows: "now" },
  queries: [[expr, title]],
});
const over = (title: string, unit: Panel["unit"], about: string, ...queries: Panel["queries"]): Panel => ({
  ...{ title, unit, about, shows: "time", queries },
});
const states = (title: string, about: string, ...queries: Panel["queries"]): Panel => ({
  ...{ title, unit: "none", about, shows: "states", queries },
});

/** The dashboards for Grafana: every metric of the product, grouped as its pages group it. */
export const DASHBOARDS: readonly Dashboard[] = [
  {
    uid: "fieldwatch-pipeline",
    title: "Fieldwatch / Pipeline",
    about: "What comes, what becomes of it, how long it takes and what waits.",
    panels: [
      now("Messages", "cps", "Messages handled a second.", "fieldwatch:messages:rate5m"),
      now("Readings", "cps", "Readings stored a second.", 'fieldwatch:readings:rate5m{outcome="stored"}'),
      now("Lag", "s", "Age of the oldest message that waits.", "fieldwatch:consumer_lag_seconds:max"),
      now("Workers", "none", "Workers that read the event log; at 0 messages wait.", "max(fieldwatch_workers)"),
      over(
        "Messages and dead letters",
        "cps",
        "What was handled, and how much of it could not become readings.",
        ["fieldwatch:messages:rate5m", "messages"],
        ["fieldwatch:dead_letters:rate5m", "dead letters"],
      ),
      over(
        "Readings by outcome",
        "cps",
        "Duplicates are sent again with the same value; conflicts with another one, and the first stays.",
        ["fieldwatch:readings:rate5m", "{{outcome}}"],
        ["sum(max without (instance) (rate(fieldwatch_late_readings_total[5m])))", "late"],
      ),
      over(
        "Lag by partition",
        "s",
        "Age of the oldest message that waits. One partition alone: see whether it is stopped.",
        ["max by (partition) (fieldwatch_consumer_lag_seconds)", "partition {{partition}}"],
      ),
      over("Messages that wait", "short", "In the log and not handled yet, by partition.", [
        "max by (partition) (fieldwatch_consumer_lag_messages)",
        "partition {{partition}}",
      ]),
      over(
        "From the log to the commit",
        "s",
        "Time from when the log took a message until its readings were committed.",
        [quantile(0.5, "fieldwatch_ingest_to_commit_seconds"), "median"],
        [quantile(0.99, "fieldwatch_ingest_to_commit_seconds"), "99th percentile"],
      ),
      over("Stages", "s", "95th percentile of one run of each stage of the worker.", [
        quantile(0.95, "fieldwatch_stage_duration_seconds", "le, stage"),
        "{{stage}}",
      ]),
      over("Messages together", "short", "Messages of what was committed together, on average: more under load.", [
        "sum(rate(fieldwatch_batch_messages_sum[5m])) / (sum(rate(fieldwatch_batch_messages_count[5m])) > 0)",
        "messages",
      ]),
      over("Failed batches", "cps", "They come again; an engine is away, or the class says what is wrong.", [
        orZero("sum by (class) (rate(fieldwatch_batch_failures_total[5m]))"),
        "{{class}}",
      ]),
      over("Dead letters by reason", "cps", "Kept whole; the page Dead letters says how to mend each reason.", [
        orZero(rateOf("fieldwatch_dead_letters_total", "reason")),
        "{{reason}}",
      ]),
      over("Requests with messages", "reqps", "Answers of the telemetry route by status.", [
        'sum by (http_response_status_code) (rate(http_server_request_duration_seconds_count{http_route="telemetry"}[5m]))',
        "{{http_response_status_code}}",
      ]),
      over("Time of requests", "s", "99th percentile by route.", [
        quantile(0.99, "http_server_request_duration_seconds", "le, http_route"),
        "{{http_route}}",
      ]),
      over(
        "Accepted and rejected",
        "cps",
        "Messages that web and intake took, and those they named as wrong to their senders.",
        [orZero("sum(max without (instance) (rate(fieldwatch_ingest_accepted_messages_total[5m])))"), "accepted"],
        [orZero(rateOf("fieldwatch_ingest_rejected_messages_total", "reason")), "rejected: {{reason}}"],
      ),
      over("Requests refused whole", "reqps", "By problem: too many, too large, the disk is full.", [
        orZero(rateOf("fieldwatch_ingest_refused_requests_total", "problem")),
        "{{problem}}",
      ]),
      states(
        "Stopped partitions and skipped messages",
        "1 while a batch that can't be read stops a partition; and messages that were never read, in all.",
        ["max by (partition) (fieldwatch_partition_stopped)", "partition {{partition}} stopped"],
        ["max(fieldwatch_skipped_messages_total)", "skipped"],
      ),
    ],
  },
  {
    uid: "fieldwatch-fleet",
    title: "Fieldwatch / Fleet",
    about: "Devices, alerts, those who are told of them, and where messages come from.",
    panels: [
      now("Live devices", "none", "Devices heard within their time.", 'max(fieldwatch_devices{state="live"})'),
      now(
        "Silent devices",
        "none",
        "Not heard for long; retired ones are left out.",
        'max(fieldwatch_devices{state="silent"})',
      ),
      now(
        "Open alerts",
        "none",
        "Alerts that fire or wait to be acknowledged.",
        orZero("sum(max without (instance) (fieldwatch_alerts))"),
      ),
      now("Browsers", "none", "Live channels that are open.", "sum(fieldwatch_live_browsers)"),
      over("Devices by state", "short", "Retired ones are left out.", [
        "max by (state) (fieldwatch_devices)",
        "{{state}}",
      ]),
      over("Open alerts by severity", "short", "Alerts that are open, by severity and state.", [
        orZero("max by (severity, state) (fieldwatch_alerts)"),
        "{{severity}} {{state}}",
      ]),
      over(
        "Notifications",
        "short",
        "Notifications that are kept, by what became of them; given-up ones reached nobody.",
        [orZero("max by (status) (fieldwatch_notifications)"), "{{status}}"],
      ),
      over("Deliveries by source", "reqps", "Of the sources that delivered most; all others together.", [
        orZero(rateOf("fieldwatch_source_deliveries_total", "source")),
        "{{source}}",
      ]),
      over("Messages of sources", "cps", "Messages made of deliveries, by whether they were accepted.", [
        orZero(rateOf("fieldwatch_source_messages_total", "outcome")),
        "{{outcome}}",
      ]),
      over(
        "Sources and MQTT clients",
        "short",
        "Sources by whether they are enabled, and clients connected now.",
        [orZero("max by (enabled) (fieldwatch_sources)"), "enabled: {{enabled}}"],
        [orZero("max(fieldwatch_source_clients)"), "MQTT clients"],
      ),
      over("Spans of traces", "cps", "Sent, and dropped as too many waited or they could not be sent.", [
        orZero("sum by (outcome) (rate(fieldwatch_trace_spans_total[5m]))"),
        "{{outcome}}",
      ]),
      over("Live frames", "cps", "Frames sent to browsers, by kind.", [
        orZero("sum by (kind) (rate(fieldwatch_live_frames_total[5m]))"),
        "{{kind}}",
      ]),
      over(
        "Simulator",
        "short",
        "What the demonstration fleet sends, and what waits in its outbox.",
        [orZero("sum by (outcome) (rate(fieldwatch_simulator_sent_messages_total[5m]))"), "{{outcome}} a second"],
        [orZero("sum(fieldwatch_simulator_outbox_messages)"), "waits"],
        [orZero("sum(rate(fieldwatch_simulator_dropped_messages_total[5m]))"), "dropped a second"],
      ),
    ],
  },
  {
    uid: "fieldwatch-engines",
    title: "Fieldwatch / Engines and processes",
    about: "Probes, disks, connections, memory and the time processes take.",
    panels: [
      now(
        "Failing probes",
        "none",
        "Probes of the page Health that fail.",
        orZero("count(max by (group, probe) (fieldwatch_probe_failing) == 2)"),
      ),
      now(
        "Room on the disk",
        "percentunit",
        "Free share of the disk of the data folder.",
        "min(fieldwatch_disk_free_bytes / fieldwatch_disk_size_bytes)",
      ),
      now("Database", "bytes", "Size of the PostgreSQL database.", "max(fieldwatch_database_size_bytes)"),
      now("Processes", "none", "Processes that are scraped.", "count(fieldwatch_build_info)"),
      states("Probes that don't pass", "1 warns, 2 fails; the page Health says why and what to do.", [
        orZero("max by (group, probe) (fieldwatch_probe_failing) > 0"),
        "{{group}} {{probe}}",
      ]),
      over("Slowest probes", "s", "Time the latest run of a probe took.", [
        "topk(8, max by (group, probe) (fieldwatch_probe_duration_seconds))",
        "{{group}} {{probe}}",
      ]),
      over(
        "Disk and database",
        "bytes",
        "At this pace the disk is full where the lines meet the axis.",
        ["min(fieldwatch_disk_free_bytes)", "free"],
        ["max(fieldwatch_database_size_bytes)", "database"],
      ),
      over("Connections to PostgreSQL", "short", "Of each pool, by whether they are in use.", [
        "sum by (job, pool, state) (fieldwatch_postgres_pool_connections)",
        "{{job}} {{pool}} {{state}}",
      ]),
      over(
        "Statements that wait for a connection",
        "short",
        "Above 0 for long: the pool is too small, or PostgreSQL too slow.",
        ["sum by (job, pool) (fieldwatch_postgres_pool_waiting)", "{{job}} {{pool}}"],
      ),
      states("Parts of the scrape", "0 where a part could not be read: its metrics are absent meanwhile.", [
        "min by (collector) (fieldwatch_collector_up)",
        "{{collector}}",
      ]),
      over("Processor time", "percentunit", "Share of a core, by process.", [
        "sum by (job, instance) (rate(process_cpu_seconds_total[5m]))",
        "{{job}} {{instance}}",
      ]),
      over("Resident memory", "bytes", "By process.", ["process_resident_memory_bytes", "{{job}} {{instance}}"]),
      over("Heap in use", "percentunit", "Share of the heap at which JavaScript runs out of memory.", [
        "nodejs_heap_size_used_bytes / nodejs_heap_size_limit_bytes",
        "{{job}} {{instance}}",
      ]),
      over("Buffers outside of the heap", "bytes", "By process.", [
        "nodejs_external_memory_bytes",
        "{{job}} {{instance}}",
      ]),
      over("Delay of the event loop", "s", "99th percentile: how late timers were.", [
        'nodejs_eventloop_delay_seconds{quantile="0.99"}',
        "{{job}} {{instance}}",
      ]),
      over("Event loop at work", "percentunit", "Share of the time; near 1 a process can do no more.", [
        "nodejs_eventloop_utilization_ratio",
        "{{job}} {{instance}}",
      ]),
      over("Collection of garbage", "percentunit", "Share of the time, by kind.", [
        "sum by (job, kind) (rate(nodejs_gc_duration_seconds_sum[5m]))",
        "{{job}} {{kind}}",
      ]),
      over("Time since the start", "s", "A process that starts again and again comes back to 0.", [
        "time() - process_start_time_seconds",
        "{{job}} {{instance}}",
      ]),
    ],
  },
  {
    uid: "fieldwatch-jobs",
    title: "Fieldwatch / Jobs and objectives",
    about:
      "Jobs, alerts of Prometheus, and what was promised: messages are taken, and readings are stored within a second.",
    panels: [
      now(
        "Requests that failed",
        "percentunit",
        "Share of the last hour; promised are at most 0.1 %.",
        "fieldwatch:ingest_errors:ratio_rate1h",
      ),
      now(
        "Stored late",
        "percentunit",
        "Share of the last hour that took over a second; promised are at most 1 %.",
        "fieldwatch:stored_late:ratio_rate1h",
      ),
      now(
        "Jobs in trouble",
        "none",
        "Failed or overdue.",
        orZero('count(max by (job_name) (fieldwatch_job_state{state=~"failed|overdue"}) == 1)'),
      ),
      now(
        "Alerts of Prometheus",
        "none",
        "Rules of docker/observability that fire.",
        orZero('count(ALERTS{alertname=~"Fieldwatch.*", alertstate="firing"})'),
      ),
      over(
        "Requests that failed, by window",
        "percentunit",
        "Windows of the burn-rate alerts.",
        ...["5m", "30m", "1h", "6h"].map((window) => [`fieldwatch:ingest_errors:ratio_rate${window}`, window] as const),
      ),
      over(
        "Stored late, by window",
        "percentunit",
        "Windows of the burn-rate alerts.",
        ...["5m", "30m", "1h", "6h"].map((window) => [`fieldwatch:stored_late:ratio_rate${window}`, window] as const),
      ),
      states("Jobs at work", "1 while a job is in the state.", [
        orZero('max by (job_name, state) (fieldwatch_job_state{state!="waiting"}) > 0'),
        "{{job_name}} {{state}}",
      ]),
      over("Time since a job was done", "s", "Grows until the next run; the page Jobs says when that is.", [
        orZero('time() - max by (job_name) (fieldwatch_job_last_end_timestamp_seconds{outcome="done"})'),
        "{{job_name}}",
      ]),
      states("Alerts of Prometheus", "Rules that wait or fire.", [
        orZero('count by (alertname, alertstate) (ALERTS{alertname=~"Fieldwatch.*"})'),
        "{{alertname}} {{alertstate}}",
      ]),
    ],
  },
];
