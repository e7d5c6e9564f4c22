import type { HealthAnswer, ProbeResult } from "@/server/contracts/health";
import { formatSeconds } from "@/server/domain/duration";
import type { PipelineState } from "@/server/domain/pipeline-state";
import { counted } from "@/server/domain/counted";

/** The figures told when nothing is wrong; null while they aren't known. */
export type VerdictNumbers = Pick<PipelineState, "lagSeconds" | "devices"> | null;

/** The consequence of a probe's trouble for the data. */
interface Meaning {
  /** Start of the probe's name. */
  readonly prefix: string;
  readonly fail: string;
  /** Left out: as `fail`. */
  readonly warn?: string;
}

const REFUSED = "readings can't be taken; devices that keep an outbox lose nothing";
const WITH_SENDERS = "readings wait with their senders; nothing that was taken is lost";
const IN_THE_LOG = "readings are taken and wait in the event log; nothing is lost";

/** Ordered by cause: probes whose trouble explains others come first. */
const MEANINGS: readonly Meaning[] = [
  { prefix: "kafka.reachable", fail: WITH_SENDERS, warn: "the other addresses do; nothing is lost" },
  { prefix: "kafka.signed-in", fail: WITH_SENDERS },
  { prefix: "kafka.advertised", fail: WITH_SENDERS },
  { prefix: "postgres.reachable", fail: REFUSED, warn: "readings may appear late" },
  { prefix: "postgres.signed-in", fail: REFUSED },
  { prefix: "postgres.writable", fail: REFUSED },
  { prefix: "postgres.migrations", fail: "readings may not be stored until the tables are up to date" },
  { prefix: "machine.room", fail: REFUSED, warn: "readings are taken until then" },
  { prefix: "mongodb.reachable", fail: IN_THE_LOG, warn: "readings may appear late" },
  { prefix: "mongodb.signed-in", fail: IN_THE_LOG },
  { prefix: "mongodb.writable", fail: IN_THE_LOG },
  { prefix: "log.iot.telemetry", fail: WITH_SENDERS, warn: "messages are taken and stored all the same" },
  { prefix: "documents.", fail: IN_THE_LOG },
  { prefix: "pipeline.workers", fail: "messages are taken and wait in the event log; nothing is lost" },
  { prefix: "pipeline.progress", fail: "what waits there is kept in the event log until its retention ends" },
  { prefix: "pipeline.lag", fail: "readings appear late; nothing is lost" },
  { prefix: "pipeline.log", fail: "what was read is stored and kept; what the log dropped unread is not" },
  { prefix: "kafka.disk", fail: "messages can't be taken once it is full" },
  { prefix: "machine.disk", fail: "messages can't be taken once it is full" },
  { prefix: "mongodb.disk", fail: "messages wait in the event log once it is full" },
  { prefix: "postgres.durable", fail: "a power cut could lose readings" },
  { prefix: "postgres.connections", fail: "readings are stored as long as connections last" },
  { prefix: "kafka.clock", fail: "stored readings are right; lag and device states are off" },
  { prefix: "mongodb.clock", fail: "stored readings are right" },
  { prefix: "postgres.clock", fail: "stored readings are right; lag and device states are off" },
  { prefix: "fleet.devices", fail: "their readings are missing; what was taken is stored" },
  { prefix: "pipeline.dead-letters", fail: "what could not become a reading is kept whole" },
  {
    prefix: "front-door.encryption",
    fail: "browsers and programs refuse to connect; what was taken is stored",
    warn: "what is sent may be read on its way, or soon be refused; stored readings are safe",
  },
  { prefix: "sources.doors", fail: "what was taken is stored" },
  { prefix: "live.", fail: "pages update only by reloading; readings are stored all the same" },
];

/** Meanings where the event log is Kafka: messages are taken while PostgreSQL is away. */
const WITH_KAFKA: Readonly<Record<string, string>> = { [REFUSED]: IN_THE_LOG };

const OTHERS = "stored readings are safe";

/** One sentence for people: what, since when, and what it means for the data. */
export function verdict(probes: readonly ProbeResult[], numbers: VerdictNumbers): string {
  const { what, since, means } = verdictParts(probes, numbers);
  if (trouble(probes)) return `${what} since ${sinceWhen(since!)}: ${means}.`;
  return since === null ? `${what}; ${means}.` : `${what}: ${means}.`;
}

/** The verdict in its parts, for those who write times in a zone of their own. */
export function verdictParts(probes: readonly ProbeResult[], numbers: VerdictNumbers): HealthAnswer["parts"] {
  const troubled = trouble(probes);
  if (troubled === undefined) return calm(probes, numbers);
  const found: Meaning = MEANINGS.find(({ prefix }) => troubled.name.startsWith(prefix)) ?? {
    prefix: "",
    fail: OTHERS,
  };
  const meaning = (troubled.status === "warn" ? found.warn : undefined) ?? found.fail;
  const kafka = probes.some(({ name }) => name.startsWith("kafka."));
  return { what: subject(troubled), since: troubled.since, means: kafka ? (WITH_KAFKA[meaning] ?? meaning) : meaning };
}

/** Returns the worst probe: of the failing ones, else of the warning ones, the one that explains the rest. */
function trouble(probes: readonly ProbeResult[]): ProbeResult | undefined {
  return (
    leading(probes.filter(({ status }) => status === "fail")) ??
    leading(probes.filter(({ status }) => status === "warn"))
  );
}

function leading(probes: readonly ProbeResult[]): ProbeResult | undefined {
  const weight = ({ name }: ProbeResult) =>
    MEANINGS.findIndex(({ prefix }) => name.startsWith(prefix)) + 1 || MEANINGS.length + 1;
  return probes.toSorted((a, b) => weight(a) - weight(b))[0];
}

function calm(probes: readonly ProbeResult[], numbers: VerdictNumbers): HealthAnswer["parts"] {
  const unknown = probes.filter(({ status }) => status === "unknown");
  if (unknown.length > 0 || numbers === null) {
    const means = `${unknown.length} of ${probes.length} probes ${unknown.length === 1 ? "has" : "have"} no answer yet`;
    return { what: "Nothing is known to be wrong", since: null, means };
  }
  const { devices, lagSeconds } = numbers;
  const lag =
    lagSeconds === null ? [] : [lagSeconds < 1 ? "nothing waits" : `the oldest waits ${formatSeconds(lagSeconds)}`];
  const means = [...devicesOf(devices), ...lag].join(", ");
  // Good since the last of them was mended.
  return {
    // Nothing is known of a fleet that hasn't reported, good or bad.
    what: hasReported(devices) ? "All good" : "Ready for the first reading",
    since:
      probes
        .map(({ since }) => since)
        .sort()
        .at(-1) ?? null,
    means,
  };
}

function hasReported(devices: PipelineState["devices"]): boolean {
  return Object.values(devices).some((count) => count > 0);
}

function devicesOf(devices: PipelineState["devices"]): string[] {
  if (!hasReported(devices)) return ["no device has reported yet"];
  const live = counted(devices.live, "device live", "devices live");
  const late = (["stale", "silent"] as const).filter((state) => devices[state] > 0);
  return [live, ...late.map((state) => `${devices[state]} ${state}`)];
}

function subject({ name, group, title, summary }: ProbeResult): string {
  if (name.endsWith(".reachable"))
    return summary.endsWith(" does not answer.") ? summary.replace(" does not answer.", " is down") : lowered(summary);
  if (name === "pipeline.workers") return "No worker is alive";
  // A finding of these says what it is about; titles of the pipeline's say how it should be.
  return group === "Pipeline" || name === "sources.doors"
    ? lowered(summary)
    : `${group}, ${title}: ${lowered(summary)}`;
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
