import { counted } from "../counted";
import { formatDuration } from "../duration";

/** What an event can be of; alerts, jobs and edits are told from their own tables. */
export const EVENT_KINDS = [
  ...(["silence", "probe", "process", "lag", "deployment", "note"] as const),
  ...(["alert", "job", "edit"] as const),
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export const EVENT_SEVERITIES = ["info", "warning", "critical"] as const;
export type EventSeverity = (typeof EVENT_SEVERITIES)[number];

/** The lanes of the band of a day, in order. */
export const LANES = ["ingest", "worker", "stores", "devices", "alerts"] as const;
export type Lane = (typeof LANES)[number];

/** What an event's sentence is made of. */
export interface Told {
  readonly kind: EventKind;
  /** What it is about, within its kind. */
  readonly key: string;
  readonly device: string | null;
  readonly site: string | null;
  /** Events it stands for; more than one: devices of one site. */
  readonly count: number;
  /** Of devices that were overdue those that fell silent; the others were stale at most. */
  readonly silent: number;
  readonly isOver: boolean;
  readonly durationMs: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Says an event in a sentence, without when it was and how long. */
export function sentenceOf({ kind, key, device, site, count, silent, isOver, durationMs, data }: Told): string {
  const text = (name: string) => (typeof data[name] === "string" ? data[name] : "");
  switch (kind) {
    case "silence":
      return silenceOf(
        count > 1 ? `${counted(count, "device")} of ${site ?? "no site"}` : (device ?? key),
        count,
        silent,
      );
    case "probe":
      // The title says what is so while all is well.
      return [
        `${text("group")}, ${text("title")}: ${withoutStop(text("summary") || "not so")}`,
        ...(text("cause") === "" ? [] : [withoutStop(text("cause"))]),
      ].join(" – ");
    case "process":
      return key === "fieldwatch"
        ? "Fieldwatch was not running"
        : text("how") === ""
          ? `The process ${key} was ${data.stopped === true ? "stopped and started again" : "started"}`
          : `The process ${key} ended (${text("how")})${isOver ? " and was started again" : ""}`;
    case "lag": {
      const most = typeof data.seconds === "number" ? data.seconds : durationMs / 1000;
      return `Messages waited up to ${formatDuration(Math.round(most) * 1000)} before they were handled`;
    }
    case "deployment":
      return text("what") !== ""
        ? `${text("what")}${text("version") === "" ? "" : ` ${text("version")}`} was deployed`
        : `Fieldwatch ${text("version")} runs${text("before") === "" ? "" : `, ${text("before")} before`}`;
    case "note":
      return text("text");
    case "alert":
      return text("metric") === ""
        ? `${text("rule")}: ${device ?? site ?? (text("subject") || "the pipeline")}`
        : `${text("rule")}: ${text("metric")} of ${device ?? site ?? "no device"}`;
    case "job":
      return `Job ${text("title") || key} ${JOB_WORDS[text("state")] ?? "ran"}`;
    case "edit":
      return `${EDITS[text("verb")] ?? text("verb")}${text("target") === "" ? "" : `: ${text("target")}`}`;
  }
}

/** The words of the list of devices: who is overdue is stale, and silent after ten times as long. */
function silenceOf(who: string, count: number, silent: number): string {
  if (silent === 0) return `${who} went stale`;
  return silent < count ? `${who} went stale, ${silent} of them silent` : `${who} fell silent`;
}

const JOB_WORDS: Readonly<Record<string, string>> = { done: "was done", failed: "failed", stopped: "was stopped" };

/** The changes of the audit record that are events, by verb, and what they are called. */
export const EDITS: Readonly<Record<string, string>> = {
  updateDevice: "Device edited",
  changeDevices: "Devices edited",
  deleteDevice: "Device removed",
  renameSite: "Site edited",
  updateType: "Type of devices edited",
  updateMetric: "Metric edited",
  renameMetric: "Metric renamed",
  forgetMetricName: "Other name taken from a metric",
  mergeMetrics: "Metric merged into another",
  deleteMetric: "Metric removed",
  setQualityLimits: "Limits of quality set",
  addRule: "Alert rule added",
  updateRule: "Alert rule edited",
  deleteRule: "Alert rule removed",
  importRules: "Alert rules imported",
  addSource: "Source added",
  updateSource: "Source edited",
  deleteSource: "Source removed",
  saveSourceMapping: "Mapping saved",
  setRetention: "Retention set",
  setLogLevel: "Level of log lines set",
  setRetentionRule: "Retention rule set",
  skipBatch: "Batch skipped",
};

function withoutStop(text: string): string {
  return text.replace(/\.$/, "");
}

/** The lane of an event in the band of a day; null: it has none. */
export function laneOf({ kind, key }: Pick<Told, "kind" | "key">): Lane | null {
  if (kind === "silence") return "devices";
  if (kind === "alert") return "alerts";
  if (kind === "lag") return "worker";
  if (kind === "process") return key === "worker" ? "worker" : "ingest";
  if (kind !== "probe") return null;
  const [of = ""] = key.split(".");
  if (of === "fleet") return "devices";
  if (of === "alerts") return "alerts";
  if (["pipeline", "jobs"].includes(of)) return "worker";
  return ["sources", "live", "front-door"].includes(of) ? "ingest" : "stores";
}
