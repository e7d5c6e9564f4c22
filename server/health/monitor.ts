import { withinOr } from "@/server/async/timeout";
import type { ProbeResult, ProbeStatus } from "@/server/contracts/health";
import { commandsOf, plainFix } from "@/server/domain/fix";
import type { EpochMs } from "@/server/domain/terms";
import { type Finding, findingOf, type Probe } from "./probe";

/** Runs probes in the background and keeps what they found. */
export interface Monitor {
  /** Returns what is known now, in the order of the probes; before its first run a probe is unknown. */
  results(): readonly ProbeResult[];
  /** Calls back after each probe whose status changed; returns how to stop that. */
  onChange(listener: () => void): () => void;
  /** Resolves when every probe has an answer, at the latest after the longest timeout. */
  firstRound(): Promise<void>;
  stop(): void;
}

interface Slot {
  readonly probe: Probe;
  result: ProbeResult;
  running: boolean;
}

/** Starts a monitor that runs every probe each `everyMs`. A probe never runs twice at once. */
export function startMonitor(probes: readonly Probe[], options: { everyMs: number; now: () => EpochMs }): Monitor {
  const { everyMs, now } = options;
  const listeners = new Set<() => void>();
  const slots: Slot[] = probes.map((probe) => ({ probe, running: false, result: unasked(probe, now()) }));

  async function round(slot: Slot): Promise<void> {
    if (slot.running) return;
    slot.running = true;
    const began = performance.now();
    const run = slot.probe.run().catch((error: unknown) => findingOf(error, slot.probe));
    const found = await withinOr(slot.probe.timeoutMs, run, hung(slot.probe));
    record(slot, found, performance.now() - began);
    // A hung probe keeps its place: starting more of them would only add to the pile.
    await run;
    slot.running = false;
  }

  function record(slot: Slot, found: Finding, tookMs: number): void {
    const before = slot.result;
    const time = new Date(now()).toISOString();
    const { name, title, group } = slot.probe;
    const noticed = before.status === found.status ? before.since : time;
    const began = found.status === "pass" ? undefined : found.since;
    const since = began === undefined ? noticed : new Date(began).toISOString();
    const latencyMs = found.status === "unknown" ? null : Math.round(tookMs * 10) / 10;
    const trouble = found.status === "pass" ? { cause: null, fix: null, commands: [] } : troubleOf(found);
    slot.result = {
      name,
      title,
      group,
      status: found.status,
      since,
      checkedAt: time,
      latencyMs,
      summary: found.summary,
      ...trouble,
    };
    if (before.status !== found.status) for (const listener of listeners) listener();
  }

  const rounds = () => Promise.all(slots.map(round));
  const first = Promise.all(slots.map((slot) => withinOr(slot.probe.timeoutMs, round(slot), undefined)));
  const timer = setInterval(() => void rounds(), everyMs);
  return {
    results: () => slots.map(({ result }) => result),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    firstRound: async () => void (await first),
    stop: () => clearInterval(timer),
  };
}

/** The worst status of several: fail, then warn, then unknown, then pass. */
export function worst(statuses: Iterable<ProbeStatus>): ProbeStatus {
  const severity: readonly ProbeStatus[] = ["pass", "unknown", "warn", "fail"];
  return severity[Math.max(0, ...[...statuses].map((status) => severity.indexOf(status)))]!;
}

function unasked({ name, title, group }: Probe, time: EpochMs): ProbeResult {
  const since = new Date(time).toISOString();
  const trouble = troubleOf({ cause: "It has not been asked yet.", fix: "Wait a few seconds." });
  const nothing = { latencyMs: null, checkedAt: null };
  return { name, title, group, status: "unknown", since, summary: "Not asked yet.", ...nothing, ...trouble };
}

function troubleOf({ cause, fix }: { cause: string; fix: string }) {
  return { cause, fix: plainFix(fix), commands: commandsOf(fix) };
}

/** Judges a probe that has not answered in time. */
function hung({ timeoutMs, whenDown }: Probe): Finding {
  const error = Object.assign(new Error(`no answer within ${timeoutMs} ms`), { code: "ETIMEDOUT" });
  return findingOf(error, whenDown ? { whenDown } : {});
}
