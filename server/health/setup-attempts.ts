import { readFile } from "node:fs/promises";
import type { SetupAnswer, SetupAttemptView, SetupOutcome, SetupStepView } from "@/server/contracts/setup";
import { commandsOf, plainFix } from "@/server/domain/fix";
import type { EpochMs } from "@/server/domain/terms";
import { setupAttemptsFile } from "@/server/observability/setup-attempts.mjs";

const SHOWN = 50;

/** A line of the record. Another version may have written it, so everything but its head may be missing. */
interface Entry {
  readonly attempt: string;
  readonly at: EpochMs;
  readonly event: string;
  readonly step?: string;
  readonly what?: string;
  readonly cause?: string;
  readonly fix?: string | null;
  readonly version?: string;
  readonly node?: string;
  readonly pid?: number;
}

/** Reads what was written down of starts on this data folder; empty where nothing was. Needs no engine. */
export async function readSetup(dataDir: string): Promise<SetupAnswer> {
  const text = await readFile(setupAttemptsFile(dataDir), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return "";
    throw error;
  });
  return { attempts: setupAttempts(text, isAlive) };
}

/**
 * The attempts told by the lines of `text`, newest first. Lines that were cut short are passed over: what they would have
 * told is unknown, so a step or an attempt without an end is `brokenOff`, unless its process still runs.
 */
export function setupAttempts(text: string, isRunning: (pid: number) => boolean): SetupAttemptView[] {
  const byAttempt = new Map<string, Entry[]>();
  for (const entry of text.split("\n").flatMap(entryOf)) {
    const known = byAttempt.get(entry.attempt);
    if (known) known.push(entry);
    else byAttempt.set(entry.attempt, [entry]);
  }
  const all = [...byAttempt.values()];
  return all
    .map((entries, i) => viewOf(entries, i === all.length - 1, isRunning))
    .toReversed()
    .slice(0, SHOWN);
}

const ENDINGS: Readonly<Record<string, SetupOutcome>> = { ready: "done", stopped: "stopped", gaveUp: "failed" };
const NO_TROUBLE = { cause: null, fix: null, commands: [] };

function viewOf(entries: readonly Entry[], isLast: boolean, isRunning: (pid: number) => boolean): SetupAttemptView {
  const first = entries[0]!;
  const end = entries.find(({ event }) => event in ENDINGS);
  const pid = entries.findLast((entry) => entry.pid !== undefined)?.pid;
  // Only the last of several without an end can be under way: the folder has one owner, and process ids are used again.
  const unended: SetupOutcome = isLast && pid !== undefined && isRunning(pid) ? "running" : "brokenOff";
  const isEnded = end !== undefined && end.event !== "ready";
  const steps = stepsOf(entries, end === undefined ? unended : isEnded ? "stopped" : "brokenOff");
  const failed = entries.find(({ event, fix }) => event === "failed" && typeof fix === "string") ?? end;
  const outcome = end ? ENDINGS[end.event]! : unended;
  const warned = outcome === "done" && steps.some((step) => step.outcome === "warned");
  return {
    id: first.attempt,
    startedAt: instantOf(first.at),
    durationMs: end ? Math.max(0, Math.round(end.at - first.at)) : null,
    outcome: warned ? "warned" : outcome,
    version: first.version ?? null,
    node: first.node ?? null,
    what: outcome === "failed" ? (failed?.what ?? end?.what ?? null) : null,
    ...(outcome === "failed" ? troubleOf(failed) : NO_TROUBLE),
    steps,
  };
}

/** @param open what a step without an end is. */
function stepsOf(entries: readonly Entry[], open: SetupOutcome): SetupStepView[] {
  const steps = new Map<string, SetupStepView>();
  for (const entry of entries) {
    const { event, step: name, at } = entry;
    if (name === undefined) continue;
    const known = steps.get(name);
    if (known === undefined || event === "step") {
      steps.set(name, { name, startedAt: instantOf(at), durationMs: null, outcome: open, ...NO_TROUBLE });
      if (event === "step") continue;
    }
    const step = steps.get(name)!;
    const durationMs = Math.max(0, Math.round(at - Date.parse(step.startedAt)));
    if (event === "warned") steps.set(name, { ...step, outcome: "warned", ...troubleOf(entry) });
    else if (event === "done")
      steps.set(name, { ...step, durationMs, outcome: step.outcome === "warned" ? "warned" : "done" });
    // The process that failed tells first, then the one that waited for it.
    else if (event === "failed")
      steps.set(name, {
        ...step,
        durationMs,
        outcome: "failed",
        ...(step.cause === null ? troubleOf(entry) : {}),
      });
  }
  return [...steps.values()];
}

function troubleOf(entry: Entry | undefined) {
  const { cause = null, fix = null } = entry ?? {};
  return { cause, fix: fix === null ? null : plainFix(fix), commands: fix === null ? [] : commandsOf(fix) };
}

function entryOf(line: string): Entry[] {
  try {
    const entry = JSON.parse(line) as Partial<Entry> | null;
    const isEntry =
      typeof entry?.attempt === "string" &&
      typeof entry.event === "string" &&
      Number.isFinite(Date.parse(dateOf(entry)));
    return isEntry ? [entry as Entry] : [];
  } catch {
    return [];
  }
}

function dateOf({ at }: Partial<Entry>): string {
  const date = new Date(at ?? NaN);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}

function instantOf(at: EpochMs): string {
  return new Date(at).toISOString();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
