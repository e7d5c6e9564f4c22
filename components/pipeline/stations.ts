import type { HealthAnswer, ProbeResult } from "@/server/contracts/health";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import type { StageFigures, StagesAnswer, StagesStretch } from "@/server/contracts/stages";
import type { Stage } from "@/server/domain/stages";
import { formatBytes, formatCount, formatDuration, formatRate } from "../ui/format";
import { type Mark, probeMark } from "../ui/state-mark";

/** One station on the way of a message, as the page draws it. */
export interface Station {
  readonly key: string;
  readonly name: string;
  readonly mark: Mark;
  readonly word: string;
  /** The meaning of the mark, on hover. */
  readonly title: string;
  /** True if something goes through it now. */
  readonly isFlowing: boolean;
  /** Null is unknown. */
  readonly value: number | null;
  readonly unit: string;
  readonly format: (value: number) => string;
  readonly times: Pick<StageFigures, "p50Ms" | "p99Ms"> | null;
  readonly notes: readonly string[];
  /** The engine behind it, and whether that comes with Fieldwatch. */
  readonly engine: { readonly name: string; readonly isEmbedded: boolean } | null;
}

export interface Flow {
  readonly before: readonly Station[];
  readonly worker: Worker;
  readonly inside: readonly Station[];
  readonly after: readonly Station[];
}

/** The workers together. */
interface Worker {
  readonly mark: Mark;
  readonly word: string;
  readonly notes: readonly string[];
  /** The trouble there: what is wrong, what that means and what to do. */
  readonly trouble: { readonly summary: string; readonly fix: string | null; readonly isCommand: boolean } | null;
}

export interface Sources {
  readonly pipeline: PipelineAnswer;
  /** Undefined while unknown. */
  readonly stages: Pick<StagesAnswer, "recent" | "minute"> | undefined;
  readonly health: HealthAnswer | undefined;
}

/** The way of a message from its sender to the browser, with what is known of each station now. */
export function flowOf({ pipeline, stages, health }: Sources): Flow {
  const { rates, lag, lagSeconds, incomingPerSecond, devices, totals, workers } = pipeline;
  const probes = health?.probes ?? [];
  const engines = health?.engines;
  const { recent, minute } = stages ?? {};
  const accepted = recent ? (recent.accepted * 1000) / recent.ms : null;
  const handled = workers === 0 ? 0 : rates.messagesPerSecond;
  const stored = stageState(probes, ["mongodb.", "documents."]);
  const frames = recent ? ((recent.stages.publish?.runs ?? 0) * 1000) / recent.ms : null;
  const worker = workerOf(pipeline, recent, probes);
  const isIdle = worker.mark === "failing" && handled === 0;
  const inWorker = (key: Stage, name: string, more: Partial<Station> = {}): Station => ({
    ...(isIdle ? { mark: "unknown" as const, word: "Idle", title: "No worker runs it" } : quiet(handled > 0)),
    ...{ key, name, isFlowing: handled > 0, value: handled, unit: "msg/s", format: formatRate },
    ...{ times: minute?.stages[key] ?? null, notes: [], engine: null },
    ...more,
  });
  return {
    before: [
      {
        ...{ key: "senders", name: "Senders", isFlowing: (accepted ?? 0) > 0 || (incomingPerSecond ?? 0) > 0 },
        ...(devices.live > 0
          ? { mark: "ok", word: "Live", title: "Devices that reported lately" }
          : totals.devices > 0
            ? { mark: "stale", word: "Quiet", title: "No device has reported lately" }
            : { mark: "unknown", word: "None yet", title: "No device has reported yet" }),
        ...{ value: devices.live, unit: devices.live === 1 ? "device live" : "devices live", format: formatCount },
        ...{ times: null, notes: [`of ${formatCount(totals.devices)} known`], engine: null },
      },
      routeStation(minute, accepted),
      {
        ...{ key: "log", name: "Event log", ...stageState(probes, ["kafka.", "log."]) },
        ...{ isFlowing: (incomingPerSecond ?? 0) > 0, value: incomingPerSecond, unit: "msg/s", format: formatRate },
        ...{ times: minute?.stages.wait ?? null, notes: waitingNotes(lag, lagSeconds) },
        engine: engineOf(engines?.eventLog),
      },
    ],
    worker,
    inside: [
      inWorker("decode", "Decode"),
      inWorker("enrich", "Enrich"),
      inWorker("documents", "Documents", {
        ...(isIdle && stored.mark === "ok" ? {} : stored),
        notes: ["messages, twins, dead letters"],
        engine: engineOf(engines?.documents),
      }),
      inWorker("readings", "Readings", {
        ...(isIdle && stageState(probes, ["postgres."]).mark === "ok" ? {} : stageState(probes, ["postgres."])),
        ...{ value: workers === 0 ? 0 : rates.readingsPerSecond, unit: "readings/s" },
        notes: ["with rollups and the position"],
        engine: engineOf(engines?.database),
      }),
    ],
    after: [
      {
        ...{ key: "publish", name: "Live frames", ...stageState(probes, ["live."]) },
        ...{ isFlowing: (frames ?? 0) > 0, value: frames, unit: "frames/s", format: formatRate },
        ...{ times: minute?.stages.publish ?? null, notes: ["gathered for 200 ms"], engine: null },
      },
      browsersStation(probes, handled > 0),
    ],
  };
}

function routeStation(minute: StagesStretch | undefined, accepted: number | null): Station {
  const rejected = sum(minute?.rejected);
  const requests = Object.entries(minute?.requests ?? {});
  const failed = requests.filter(([kind]) => UNABLE.has(kind)).reduce((total, [, count]) => total + count, 0);
  return {
    ...{ key: "route", name: "Route", isFlowing: (accepted ?? 0) > 0 },
    ...(failed > 0
      ? { mark: "warning", word: "Refusing", title: "It had to refuse whole requests; their senders send them again" }
      : minute
        ? quiet((accepted ?? 0) > 0)
        : UNKNOWN),
    ...{ value: accepted, unit: "msg/s", format: formatRate, times: null },
    notes: [
      ...(minute
        ? [rejected === 0 ? "none refused" : `${formatRate((rejected * 60_000) / minute.ms)} refused/min`]
        : []),
      ...(failed > 0 ? [`${formatCount(failed)} requests refused`] : []),
    ],
    engine: null,
  };
}

/** Problems that are ours, not the sender's. */
const UNABLE = new Set(["too-busy", "log-unavailable", "database-unavailable", "disk-full", "internal"]);

function browsersStation(probes: readonly ProbeResult[], isFlowing: boolean): Station {
  const summary = probes.find(({ name }) => name === "live.frames")?.summary ?? "";
  const count = /^(\d+) browsers?\b/.exec(summary)?.[1];
  const value = count === undefined ? null : Number(count);
  return {
    ...{ key: "browsers", name: "Browsers", isFlowing: isFlowing && value !== null, value, format: formatCount },
    ...(value === null ? UNKNOWN : quiet(value > 0)),
    ...{ unit: "connected", times: null, notes: ["to this server"], engine: null },
  };
}

function workerOf(pipeline: PipelineAnswer, recent: StagesStretch | undefined, probes: readonly ProbeResult[]): Worker {
  const { workers } = pipeline;
  const batches = recent?.stages.readings;
  const notes = [workers === null ? "number unknown" : workers === 0 ? "none alive" : `${formatCount(workers)} alive`];
  if (batches) {
    const each = (total: number) => total / batches.runs;
    notes.push(
      `${formatRate((batches.runs * 1000) / recent.ms)} batches/s`,
      `${formatRate(each(batches.messages))} messages (${formatBytes(each(batches.bytes))}) a batch`,
    );
  } else if (recent) notes.push("no batch lately");
  const worst = worstOf(probes, ["pipeline.workers", "pipeline.progress", "pipeline.lag"]);
  // A partition that has stopped is told above, with its fix.
  const isTold =
    worst?.name === "pipeline.progress" && pipeline.partitions.some(({ unreadable }) => unreadable !== null);
  const isTroubled = !isTold && (worst?.status === "fail" || worst?.status === "warn");
  return {
    ...(worst ? { mark: probeMark(worst.status), word: WORDS[worst.status] } : UNKNOWN),
    notes,
    trouble: isTroubled
      ? {
          summary: [worst.summary, worst.cause].filter(Boolean).join(" "),
          fix: worst.fix,
          isCommand: worst.fix !== null && worst.commands.includes(worst.fix),
        }
      : null,
  };
}

function waitingNotes(lag: number | null, lagSeconds: number | null): string[] {
  if (lag === null) return ["what waits is unknown"];
  if (lag === 0) return ["nothing waits"];
  const age = lagSeconds === null ? "age unknown" : `oldest ${formatDuration(lagSeconds * 1000)}`;
  return [`${formatCount(lag)} ${lag === 1 ? "waits" : "wait"}, ${age}`];
}

const UNKNOWN = { mark: "unknown", word: "Unknown", title: "Not known yet" } as const;
const WORDS = { pass: "OK", warn: "Warning", fail: "Failing", unknown: "Unknown" } as const;
const SEVERITY = { fail: 3, warn: 2, unknown: 1, pass: 0 } as const;

function quiet(isFlowing: boolean) {
  return { mark: "ok", word: isFlowing ? "OK" : "Ready", title: isFlowing ? "At work" : "Nothing to do" } as const;
}

function worstOf(probes: readonly ProbeResult[], prefixes: readonly string[]): ProbeResult | undefined {
  return probes
    .filter(({ name }) => prefixes.some((prefix) => name.startsWith(prefix)))
    .sort((a, b) => SEVERITY[b.status] - SEVERITY[a.status])[0];
}

function stageState(
  probes: readonly ProbeResult[],
  prefixes: readonly string[],
): Pick<Station, "mark" | "word" | "title"> {
  const worst = worstOf(probes, prefixes);
  if (!worst) return UNKNOWN;
  return { mark: probeMark(worst.status), word: WORDS[worst.status], title: `${worst.title}: ${worst.summary}` };
}

const EMBEDDED = " (embedded)";

function engineOf(name: string | undefined): Station["engine"] {
  if (name === undefined) return null;
  return { name: name.replace(EMBEDDED, ""), isEmbedded: name.endsWith(EMBEDDED) };
}

function sum(counts: Readonly<Record<string, number>> | undefined): number {
  return Object.values(counts ?? {}).reduce((total, count) => total + count, 0);
}
