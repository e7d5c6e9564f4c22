import type { Pool } from "pg";
import { countOpenAlerts } from "./alerting/open-counts";
import type { Engines } from "./compose";
import type { Config } from "./config/config";
import type { PipelineState } from "./domain/pipeline-state";
import { readDisk } from "./health/machine";
import type { Health } from "./health/health";
import { readIngestTotals } from "./ingest/ingest-rates";
import { countNotifications } from "./notifications/status-counts";
import type { Metrics } from "./observability/metrics/metrics";
import { readKeptCounts } from "./pipeline/kept-counts";
import type { LiveChannelState } from "./health/live";
import { readSourceCounts } from "./sources/counts";

/** The most sources that are told one by one. */
const MOST_SOURCES = 50;

const PROBE_FAILING = { pass: 0, warn: 1, fail: 2 } as const;
const JOB_STATES = ["running", "retrying", "failed", "overdue", "waiting", "paused", "scheduled", "idle"] as const;

interface KeptParts {
  readonly config: Config;
  readonly engines: Pick<Engines, "pool">;
  readonly pipelineState: () => Promise<PipelineState>;
  readonly health: Pick<Health, "answer">;
  readonly liveState: () => LiveChannelState | undefined;
}

/** Has web tell what is known of the whole installation: from where pages and REST have it, so that it is the same. */
export function collectKept(metrics: Metrics, { config, engines, pipelineState, health, liveState }: KeptParts): void {
  const { pool } = engines;

  metrics.collect("counts", async (set) => {
    const { partitions, deadLetters } = await readKeptCounts(pool);
    const total = (of: "readings" | "duplicates" | "conflicts" | "late" | "skipped") =>
      partitions.reduce((sum, partition) => sum + partition[of], 0);
    for (const { topic, partition, messages } of partitions)
      set("fieldwatch_messages_total", { topic, partition }, messages);
    set("fieldwatch_readings_total", { outcome: "stored" }, total("readings"));
    set("fieldwatch_readings_total", { outcome: "duplicate" }, total("duplicates"));
    set("fieldwatch_readings_total", { outcome: "conflict" }, total("conflicts"));
    set("fieldwatch_late_readings_total", {}, total("late"));
    set("fieldwatch_skipped_messages_total", {}, total("skipped"));
    for (const { reason, letters } of deadLetters) set("fieldwatch_dead_letters_total", { reason }, letters);
  });

  metrics.collect("pipeline", async (set) => {
    const { partitions, workers, devices } = await pipelineState();
    for (const [state, count] of Object.entries(devices)) set("fieldwatch_devices", { state }, count);
    if (workers !== null) set("fieldwatch_workers", {}, workers);
    for (const { topic, partition, lag, lagSeconds, unreadable } of partitions) {
      if (lag !== null) set("fieldwatch_consumer_lag_messages", { topic, partition }, lag);
      if (lagSeconds !== null) set("fieldwatch_consumer_lag_seconds", { topic, partition }, lagSeconds);
      set("fieldwatch_partition_stopped", { topic, partition }, unreadable === null ? 0 : 1);
    }
  });

  metrics.collect("ingest", async (set) => {
    let accepted = 0;
    for (const { kind, name, count } of await readIngestTotals(pool)) {
      if (kind === "accepted") accepted += count;
      if (kind === "rejected") set("fieldwatch_ingest_rejected_messages_total", { reason: name }, count);
      if (kind === "request") set("fieldwatch_ingest_refused_requests_total", { problem: name }, count);
    }
    set("fieldwatch_ingest_accepted_messages_total", {}, accepted);
  });

  metrics.collect("sources", async (set) => {
    const { sources, enabled, disabled, clients } = await readSourceCounts(pool, MOST_SOURCES);
    set("fieldwatch_sources", { enabled: "true" }, enabled);
    set("fieldwatch_sources", { enabled: "false" }, disabled);
    set("fieldwatch_source_clients", {}, clients);
    for (const { source, received, accepted, refused } of sources) {
      set("fieldwatch_source_deliveries_total", { source }, received);
      set("fieldwatch_source_messages_total", { source, outcome: "accepted" }, accepted);
      set("fieldwatch_source_messages_total", { source, outcome: "refused" }, refused);
    }
  });

  metrics.collect("alerts", async (set) => {
    const [alerts, notifications] = await Promise.all([countOpenAlerts(pool), countNotifications(pool)]);
    for (const { severity, state, alerts: count } of alerts) set("fieldwatch_alerts", { severity, state }, count);
    for (const { status, notifications: count } of notifications) set("fieldwatch_notifications", { status }, count);
  });

  // Read from what the process knows: they are there while the engines are away, too.
  metrics.collect("health", (set) => {
    const { probes, jobs } = health.answer(true);
    for (const { group, name, status, latencyMs } of probes) {
      if (status !== "unknown") set("fieldwatch_probe_failing", { group, probe: name }, PROBE_FAILING[status]);
      if (latencyMs !== null) set("fieldwatch_probe_duration_seconds", { group, probe: name }, latencyMs / 1000);
    }
    for (const { name, state, lastRun } of jobs ?? []) {
      for (const one of JOB_STATES) set("fieldwatch_job_state", { job_name: name, state: one }, one === state ? 1 : 0);
      if (lastRun !== null)
        set(
          "fieldwatch_job_last_end_timestamp_seconds",
          { job_name: name, outcome: lastRun.outcome },
          Date.parse(lastRun.endedAt) / 1000,
        );
    }
    const live = liveState();
    if (live !== undefined) set("fieldwatch_live_browsers", {}, live.browsers);
  });

  metrics.collect("database_size", async (set) => {
    const { rows } = await pool.query<{ bytes: number }>(
      `SELECT pg_database_size(current_database())::float8 AS bytes`,
    );
    set("fieldwatch_database_size_bytes", {}, rows[0]!.bytes);
  });

  metrics.collect("disk", async (set) => {
    const { free, total } = await readDisk(config.dataDir);
    set("fieldwatch_disk_free_bytes", {}, free);
    set("fieldwatch_disk_size_bytes", {}, total);
  });
}

/** Has a process tell of its connections to PostgreSQL. */
export function collectPools(metrics: Metrics, pools: Readonly<Record<string, Pool>>): void {
  metrics.collect("pools", (set) => {
    for (const [pool, { totalCount, idleCount, waitingCount }] of Object.entries(pools)) {
      set("fieldwatch_postgres_pool_connections", { pool, state: "idle" }, idleCount);
      set("fieldwatch_postgres_pool_connections", { pool, state: "busy" }, totalCount - idleCount);
      set("fieldwatch_postgres_pool_waiting", { pool }, waitingCount);
    }
  });
}
