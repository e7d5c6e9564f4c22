import type { ProbeResult } from "@/server/contracts/health";
import type { ProbeMessageView, Station } from "@/server/contracts/test-message";
import { PROBE_STAGES, type ProbeHandled, type ProbeSent, type ProbeStage } from "@/server/domain/probe-message";
import type { EpochMs } from "@/server/domain/terms";

export interface ProbeFacts {
  readonly id: string;
  readonly sent: ProbeSent;
  /** A worker's account; null: nothing yet, undefined: it can't be asked. */
  readonly handled: ProbeHandled | null | undefined;
  readonly probes: readonly ProbeResult[];
  /** TRACE_URL. */
  readonly traceUrl: string | undefined;
  readonly now: EpochMs;
}

const TITLES: Readonly<Record<ProbeStage, string>> = {
  accepted: "Accepted by the route",
  durable: "Durable in the event log",
  taken: "Taken by a worker",
  decode: "Decoded",
  enrich: "Given its device and metrics",
  documents: "Message stored",
  readings: "Readings committed",
  published: "Live frame sent",
};

const KAFKA = ["kafka.reachable", "kafka.signed-in", "kafka.advertised"];
const POSTGRES = ["postgres.reachable", "postgres.signed-in", "postgres.writable", "postgres.migrations"];
const DOCUMENTS = ["mongodb.reachable", "mongodb.signed-in", "mongodb.writable", "documents."];

/**
 * Which probes may tell why a message doesn't reach a station: starts of their names, the likeliest first. A worker that
 * waits for an engine takes nothing, so the engines come before it.
 */
const BLAMED: Readonly<Record<ProbeStage, readonly string[]>> = {
  accepted: [],
  durable: [...KAFKA, ...POSTGRES, "log.iot.telemetry"],
  taken: [
    ...[...KAFKA, ...POSTGRES, "log.iot.telemetry", ...DOCUMENTS],
    ...["pipeline.workers", "pipeline.progress", "pipeline.lag"],
  ],
  decode: POSTGRES,
  enrich: POSTGRES,
  documents: [...DOCUMENTS, ...POSTGRES],
  readings: [...POSTGRES, "pipeline.progress"],
  published: [...KAFKA, ...POSTGRES, "log.iot.live", "live."],
};

/** The time a station is waited for before that is called a failure, in milliseconds, when no probe tells why. */
const PATIENCE_MS = 60_000;
const NO_TROUBLE = { cause: null, fix: null, commands: [] };

/** The way of a followed message as it can be shown: where it has been and when, where it hangs and why. */
export function probeMessageView({ id, sent, handled, probes, traceUrl, now }: ProbeFacts): ProbeMessageView {
  const { device, eventTime, acceptedAt, trace } = sent;
  const reached = momentsOf(sent, handled ?? null);
  const stations: Station[] = [];
  let before = acceptedAt;
  let isHeld = false;
  for (const name of PROBE_STAGES) {
    const at = reached[name];
    const title = TITLES[name];
    if (!isHeld && at !== undefined) {
      // Two machines' clocks may disagree: no station is reached before the one ahead of it.
      const moment = Math.max(before, at);
      stations.push({
        ...{ name, title, state: "done", found: doneWords(name, handled ?? null), ...NO_TROUBLE },
        ...{ tookMs: rounded(moment - before), atMs: rounded(moment - acceptedAt) },
      });
      before = moment;
      continue;
    }
    const nothing = { name, title, tookMs: null, atMs: null };
    stations.push({
      ...nothing,
      ...(isHeld
        ? { state: "waiting" as const, found: "Not reached yet.", ...NO_TROUBLE }
        : heldAt(name, { sent, handled, probes, waitedMs: now - before })),
    });
    isHeld = true;
  }
  const last = stations.at(-1)!;
  const held = stations.find(({ state }) => state !== "done");
  return {
    ...{ id, device, stations, totalMs: last.atMs, state: held?.state ?? "done" },
    eventTime: new Date(eventTime).toISOString(),
    acceptedAt: new Date(acceptedAt).toISOString(),
    trace: trace === undefined ? null : { id: trace, url: traceUrl?.replaceAll("{trace}", trace) ?? null },
  };
}

function momentsOf(sent: ProbeSent, handled: ProbeHandled | null): Partial<Record<ProbeStage, number>> {
  // The log had what a worker has, even when the log's own answer was lost.
  const durable = sent.durableAt ?? handled?.takenAt;
  if (durable === undefined || durable === null) return { accepted: sent.acceptedAt };
  if (handled === null) return { accepted: sent.acceptedAt, durable };
  const { readings, published, ...ends } = handled.ends;
  // The batch was committed; of a message that became a dead letter there are no readings in it.
  const rest = handled.refused ? {} : { ...(readings && { readings }), ...(published && { published }) };
  return { accepted: sent.acceptedAt, durable, taken: handled.takenAt, ...ends, ...rest };
}

function doneWords(stage: ProbeStage, handled: ProbeHandled | null): string {
  if (stage === "taken" && handled)
    return `By ${handled.worker}, partition ${handled.partition}, offset ${handled.offset}.`;
  return DONE[stage];
}

const DONE: Readonly<Record<ProbeStage, string>> = {
  accepted: "It is a valid message.",
  durable: "A power cut would not lose it now.",
  taken: "",
  decode: "Its bytes were read.",
  enrich: "Its names are known.",
  documents: "The message is kept whole.",
  readings: "Readings, rollups and the position, in one transaction.",
  published: "On its way to every open page.",
};

type Held = Pick<Station, "state" | "found" | "cause" | "fix" | "commands">;

/** The reason why a message isn't at a station. */
function heldAt(
  stage: ProbeStage,
  { sent, handled, probes, waitedMs }: Pick<ProbeFacts, "sent" | "handled" | "probes"> & { waitedMs: number },
): Held {
  const told = troubled(stage, probes);
  if (stage === "durable" && sent.error !== null)
    return { state: "failing", found: "The event log did not take it.", ...(told ?? withoutProbe(sent.error)) };
  if (handled?.refused)
    return {
      state: "failing",
      found: "It became a dead letter.",
      cause: "The worker could not make readings of it, as when there is no room for another device or metric.",
      fix: "See its reason among the dead letters.",
      commands: [],
    };
  if (handled?.failing?.stage === stage)
    return {
      state: "failing",
      found: "The worker tries again and again.",
      ...(told ?? withoutProbe(handled.failing.error)),
    };
  if (stage === "published" && handled?.frameLost)
    return {
      state: "failing",
      found: "The live frame was lost; its readings are stored.",
      ...(told ?? withoutProbe("The event log did not take the frame.")),
    };
  if (handled === undefined && stage !== "durable")
    return {
      state: "unknown",
      found: "What the worker has done can't be asked.",
      ...(troubled("readings", probes) ?? withoutProbe("PostgreSQL doesn't answer.")),
    };
  if (told) return { state: "failing", found: "It waits here.", ...told };
  const waits = stage === "taken" ? "It waits for its turn." : "Under way.";
  if (waitedMs < PATIENCE_MS) return { state: "waiting", found: waits, ...NO_TROUBLE };
  const cause = `It has not come by for ${Math.round(waitedMs / 1000)} s, and no probe tells why.`;
  return { state: "failing", found: "It waits here.", cause, fix: "Read the worker's log.", commands: [] };
}

/** Cause and fix of the failing probe that explains it best, in the order of the ways to blame. */
function troubled(stage: ProbeStage, probes: readonly ProbeResult[]): Pick<Held, "cause" | "fix" | "commands"> | null {
  const onKafka = probes.some(({ name }) => name.startsWith("kafka."));
  const isLogs = stage === "durable" || stage === "published";
  for (const prefix of BLAMED[stage]) {
    // Kafka's log doesn't lie in PostgreSQL.
    if (POSTGRES.includes(prefix) && isLogs && onKafka) continue;
    const found = probes.find(({ name, status }) => status === "fail" && name.startsWith(prefix));
    if (found) return { cause: found.cause ?? found.summary, fix: found.fix, commands: found.commands };
  }
  return null;
}

function withoutProbe(error: string): Pick<Held, "cause" | "fix" | "commands"> {
  return { cause: error, fix: "If it stays so, see what fails below, and read the worker's log.", commands: [] };
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
