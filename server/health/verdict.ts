import type { ProbeResult } from "@/server/contracts/health";
import type { PipelineState } from "@/server/database/pipeline-state";

/** What the numbers say when nothing is wrong; null while they aren't known. */
export type VerdictNumbers = Pick<PipelineState, "lagSeconds" | "devices"> | null;

/** What a failure of a probe means for the data, by the start of the probe's name; the first that fits. */
const MEANS: readonly (readonly [prefix: string, means: string])[] = [
  ["postgres.reachable", "readings can't be taken; devices that keep an outbox lose nothing"],
  ["postgres.migrations", "readings may not be stored until the tables are up to date"],
  ["postgres.clock", "stored readings are right; lag and device states are off"],
  ["log.iot.telemetry", "messages can't be taken; devices that keep an outbox lose nothing"],
  ["log.", "stored readings are safe"],
  ["pipeline.workers", "messages are taken and wait in the event log; nothing is lost"],
  ["pipeline.lag", "readings appear late; nothing is lost"],
  ["pipeline.dead-letters", "what could not become a reading is kept whole"],
  ["documents.", "messages wait in the event log; nothing is lost"],
  ["machine.disk", "messages can't be taken once it is full"],
  ["machine.memory", "stored readings are safe"],
  ["live.", "pages update only by reloading; readings are stored all the same"],
];

/** Probes whose failure explains the others come first. */
const WEIGHT = MEANS.map(([prefix]) => prefix);

/** One sentence for people: what, since when, and what it means for the data. */
export function verdict(probes: readonly ProbeResult[], numbers: VerdictNumbers): string {
  const troubled =
    leading(probes.filter(({ status }) => status === "fail")) ??
    leading(probes.filter(({ status }) => status === "warn"));
  if (troubled === undefined) return calm(probes, numbers);
  const [, means] = MEANS.find(([prefix]) => troubled.name.startsWith(prefix)) ?? ["", "stored readings are safe"];
  return `${subject(troubled)} since ${sinceWhen(troubled.since)}: ${means}.`;
}

function leading(probes: readonly ProbeResult[]): ProbeResult | undefined {
  const weight = ({ name }: ProbeResult) =>
    WEIGHT.findIndex((prefix) => name.startsWith(prefix)) + 1 || WEIGHT.length + 1;
  return probes.toSorted((a, b) => weight(a) - weight(b))[0];
}

function calm(probes: readonly ProbeResult[], numbers: VerdictNumbers): string {
  const unknown = probes.filter(({ status }) => status === "unknown");
  if (unknown.length > 0 || numbers === null)
    return `Nothing is known to be wrong; ${unknown.length} of ${probes.length} probes have no answer yet.`;
  const { devices, lagSeconds } = numbers;
  const live = devices.live === 1 ? "1 device live" : `${devices.live} devices live`;
  const rest = (["stale", "silent"] as const)
    .filter((state) => devices[state] > 0)
    .map((state) => `${devices[state]} ${state}`);
  return `All good: ${[live, ...rest, ...(lagSeconds === null ? [] : [`lag ${lagSeconds.toFixed(1)} s`])].join(", ")}.`;
}

function subject({ name, group, title, summary }: ProbeResult): string {
  if (name === "postgres.reachable")
    return summary.includes("does not answer") ? "PostgreSQL is down" : lowered(summary);
  if (name === "pipeline.workers") return "No worker is alive";
  return `${group === "Pipeline" ? "" : `${group}, `}${title}: ${lowered(summary)}`;
}

function lowered(sentence: string): string {
  return sentence.replace(/\.$/, "");
}

/** "14:02 UTC", with the day when it isn't today's. */
function sinceWhen(since: string): string {
  const today = new Date().toISOString().slice(0, 10);
  const [day, time] = [since.slice(0, 10), since.slice(11, 16)];
  return day === today ? `${time} UTC` : `${day} ${time} UTC`;
}
