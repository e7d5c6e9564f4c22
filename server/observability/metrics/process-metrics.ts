import { monitorEventLoopDelay, performance, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { readVersion } from "@/server/config/version";
import type { Metrics } from "./metrics";

/** Delays of the event loop are told of the stretch before and the one under way, each so long, in milliseconds. */
const STRETCH_MS = 10_000;
/** A timer that fires more often than all else in a process at rest would be half of its processor time. */
const RESOLUTION_MS = 200;
const GC_KINDS: Readonly<Record<number, string>> = { 1: "minor", 2: "major", 4: "incremental", 8: "weakcb" };

/** Adds what every process tells of itself. @returns how to stop measuring. */
export function collectProcess(metrics: Metrics): () => void {
  const labels = { version: readVersion(), role: metrics.role, node: process.versions.node };
  const startedAt = Date.now() / 1000 - process.uptime();
  const delays = [delayMeter(), delayMeter()];
  let loads = [performance.eventLoopUtilization(), performance.eventLoopUtilization()];
  // A scrape mustn't begin a new stretch, as others may scrape too.
  const turning = setInterval(() => {
    const [older] = delays;
    older!.reset();
    delays.reverse();
    loads = [loads[1]!, performance.eventLoopUtilization()];
  }, STRETCH_MS).unref();
  const collections = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as PerformanceEntry & { readonly detail: { readonly kind: number } }).detail;
      metrics.observe("nodejs_gc_duration_seconds", { kind: GC_KINDS[kind] ?? "other" }, entry.duration / 1000);
    }
  });
  collections.observe({ entryTypes: ["gc"] });

  metrics.collect("process", (set) => {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, external } = process.memoryUsage();
    set("process_cpu_seconds_total", {}, (user + system) / 1e6);
    set("process_resident_memory_bytes", {}, rss);
    set("process_start_time_seconds", {}, startedAt);
    set("nodejs_heap_size_used_bytes", {}, heapUsed);
    set("nodejs_heap_size_limit_bytes", {}, getHeapStatistics().heap_size_limit);
    set("nodejs_external_memory_bytes", {}, external);
    const [delay] = delays;
    // The meter's timer itself waits for its resolution: only what is beyond that is delay.
    const late = (ns: number) => Math.max(0, ns / 1e9 - RESOLUTION_MS / 1000);
    set("nodejs_eventloop_delay_seconds", { quantile: "0.5" }, late(delay!.percentile(50)));
    set("nodejs_eventloop_delay_seconds", { quantile: "0.99" }, late(delay!.percentile(99)));
    set("nodejs_eventloop_delay_seconds", { quantile: "1" }, late(delay!.max));
    set("nodejs_eventloop_utilization_ratio", {}, performance.eventLoopUtilization(loads[0]).utilization);
    set("fieldwatch_build_info", labels, 1);
  });

  return () => {
    clearInterval(turning);
    collections.disconnect();
    for (const delay of delays) delay.disable();
  };
}

function delayMeter() {
  const meter = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  meter.enable();
  return {
    percentile: (share: number) => (meter.count === 0 ? 0 : meter.percentile(share)),
    get max() {
      return meter.count === 0 ? 0 : meter.max;
    },
    reset: () => meter.reset(),
    disable: () => meter.disable(),
  };
}
