import { expect, test } from "vitest";
import { METRICS, type MetricDefinition } from "./definitions";
import { expose, formatOf } from "./exposition";
import { createMetrics } from "./metrics";

const ALL = Object.entries(METRICS) as [string, MetricDefinition][];
/** Base units, and what ends names of what has none. */
const UNITS = /_(seconds|bytes|messages|ratio|info|requests|readings|connections|letters)(_total)?$/;
/** Names that count things, or tell a state, and so have no unit. */
const NO_UNIT = new Set([
  ...["fieldwatch_partition_stopped", "fieldwatch_workers", "fieldwatch_sources", "fieldwatch_source_clients"],
  ...["fieldwatch_devices", "fieldwatch_alerts", "fieldwatch_notifications", "fieldwatch_probe_failing"],
  ...[
    "fieldwatch_job_state",
    "fieldwatch_postgres_pool_waiting",
    "fieldwatch_collector_up",
    "fieldwatch_live_browsers",
  ],
]);
const COUNTED = /_(messages|readings|letters|requests|spans|deliveries|failures|frames|seconds)_total$/;

test("names are of Prometheus' kind: base units at the end, counters with _total, nothing else with it", () => {
  for (const [name, { kind }] of ALL) {
    expect(name).toMatch(/^(fieldwatch|http_server|process|nodejs)_[a-z][a-z_]*[a-z]$/);
    if (kind === "counter") expect(name).toMatch(COUNTED);
    else expect(name).not.toMatch(/_(total|count|sum|bucket)$/);
    if (kind !== "counter" && !NO_UNIT.has(name)) expect(name).toMatch(UNITS);
    expect(name).not.toMatch(/_(ms|millis|milliseconds|kb|mb|minutes|hours|percent)(_|$)/);
  }
});

test("labels are few and bounded: none names a device, a message, a person or a site", () => {
  for (const [name, { labels, help, kind, buckets = [] }] of ALL) {
    expect(labels.length).toBeLessThanOrEqual(3);
    expect(new Set(labels).size).toBe(labels.length);
    for (const label of labels) {
      expect(label).toMatch(/^[a-z][a-z_]*$/);
      // `job` and `instance` are given by Prometheus itself.
      expect(label).not.toMatch(/device|message|user|account|key|site|^(le|job|instance)$|^__/);
    }
    expect(help, name).toMatch(/^[A-Z0-9].*\.$/);
    expect([...buckets].sort((a, b) => a - b)).toEqual(buckets);
    expect(buckets.length > 0).toBe(kind === "histogram");
  }
});

test("histograms add their classes up, and a class holds its upper end", async () => {
  const metrics = createMetrics("worker");
  for (const value of [1, 1, 2, 7, 20_000]) metrics.observe("fieldwatch_batch_messages", {}, value);
  const text = expose(await metrics.gather(), "prometheus");
  const of = (le: string) =>
    Number(new RegExp(`^fieldwatch_batch_messages_bucket\\{le="${le}"\\} (\\d+)$`, "m").exec(text)?.[1]);
  expect([of("1"), of("2"), of("5"), of("10"), of("10000"), of("\\+Inf")]).toEqual([2, 3, 3, 4, 4, 5]);
  expect(text).toContain("\nfieldwatch_batch_messages_sum 20011\nfieldwatch_batch_messages_count 5\n");
});

test("texts of labels and helps are escaped, in both formats", async () => {
  const metrics = createMetrics("worker");
  metrics.count("fieldwatch_batch_failures_total", { class: 'a "b"\\\n' }, 2);
  const families = await metrics.gather();
  expect(expose(families, "prometheus")).toContain(
    '# TYPE fieldwatch_batch_failures_total counter\nfieldwatch_batch_failures_total{class="a \\"b\\"\\\\\\n"} 2\n',
  );
  const open = expose(families, "openmetrics");
  expect(open).toContain("# TYPE fieldwatch_batch_failures counter\nfieldwatch_batch_failures_total{");
  expect(open.endsWith("\n# EOF\n")).toBe(true);
});

test("what can't be read is absent, not 0, and the rest of the scrape stays", async () => {
  const metrics = createMetrics("web");
  metrics.collect("half", async (set) => {
    set("fieldwatch_workers", {}, 3);
    await Promise.resolve();
    throw new Error("the log is away");
  });
  metrics.collect("whole", (set) => set("fieldwatch_devices", { state: "live" }, 4));
  const text = expose(await metrics.gather(), "prometheus");
  expect(text).not.toContain("fieldwatch_workers");
  expect(text).toContain('fieldwatch_devices{state="live"} 4\n');
  expect(text).toContain('fieldwatch_collector_up{collector="half"} 0\nfieldwatch_collector_up{collector="whole"} 1\n');
});

test("scrapes at the same time share one reading", async () => {
  const metrics = createMetrics("web");
  let reads = 0;
  metrics.collect("one", async () => void reads++);
  await Promise.all([metrics.gather(), metrics.gather(), metrics.gather()]);
  expect(reads).toBe(1);
  await metrics.gather();
  expect(reads).toBe(2);
});

test("the format is the one that is asked for", () => {
  expect(formatOf("application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5")).toBe(
    "openmetrics",
  );
  expect(formatOf("text/plain;version=0.0.4;q=1,*/*;q=0.1")).toBe("prometheus");
  expect(formatOf(undefined)).toBe("prometheus");
});
