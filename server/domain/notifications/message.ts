import { counted } from "@/server/domain/counted";
import { MEASURES } from "@/server/domain/alerts/measure";
import type { Condition, PipelineMeasure } from "@/server/domain/alerts/rule";
import { limitWords, WHAT_WORDS } from "@/server/domain/alerts/sentence";
import type { EpochMs } from "@/server/domain/terms";

/** An alert as messages tell it. All times but `decidedAt` are event times. */
export interface ToldAlert {
  readonly id: number;
  readonly rule: string;
  readonly severity: "warning" | "critical";
  readonly state: "firing" | "recovering" | "resolved" | "closed";
  readonly device: string | null;
  readonly site: string | null;
  /** The engine or the source that it is about. */
  readonly subject: string | null;
  /** The metric that it is about; null: of several, or of none. */
  readonly metric: string | null;
  /** The metric that its values are of: of several that of the condition that stands for it. */
  readonly valueMetric: string | null;
  /** That condition; null: its rule has no several, or it isn't known. */
  readonly condition: Condition | null;
  /** What of the pipeline it is about. */
  readonly measure: PipelineMeasure | null;
  readonly unit: string | null;
  /** Digits its values are measured with; null: as sent. */
  readonly decimals: number | null;
  readonly value: number | null;
  readonly worst: number | null;
  readonly startedAt: EpochMs;
  readonly firedAt: EpochMs;
  readonly endedAt: EpochMs | null;
  /** When it was decided that it fires: processed time. */
  readonly decidedAt: EpochMs;
  readonly closedReason: string | null;
  readonly flapping: boolean;
  readonly noDataSince: EpochMs | null;
  readonly acknowledgedBy: string | null;
  readonly runbook: string | null;
  /** Of a site: how many of its devices are, or were, silent; null: it is of none. */
  readonly share: { readonly silent: number; readonly of: number } | null;
}

/** Why a message is sent. */
export const OCCASIONS = ["news", "repeat", "escalation", "test", "trouble"] as const;
export type Occasion = (typeof OCCASIONS)[number];

/** One message, as every channel renders it. */
export interface AlertMessage {
  /** Stays the same however often it is sent. */
  readonly id: string;
  readonly occasion: Occasion;
  /** When it was rendered. */
  readonly at: EpochMs;
  /** What messages about the same have in common, at most 255 characters. */
  readonly thread: string;
  readonly status: "firing" | "acknowledged" | "resolved";
  readonly severity: "critical" | "warning" | "info";
  readonly title: string;
  /** One line an alert that is named, then what else is to be said. */
  readonly lines: readonly string[];
  /** Those that are named; more may be meant. */
  readonly alerts: readonly ToldAlert[];
  /** How many more it is about. */
  readonly more: number;
  /** Where to see more of it; null when nobody has said where Fieldwatch is. */
  readonly url: string | null;
}

/** Decisions that came later than this say so. */
const LATE_MS = 60_000;

export function isOver({ state }: Pick<ToldAlert, "state">): boolean {
  return state === "resolved" || state === "closed";
}

export interface MessageParts {
  readonly id: string;
  readonly occasion: Occasion;
  readonly at: EpochMs;
  readonly thread: string;
  readonly alerts: readonly ToldAlert[];
  /** Alerts of the same group that are open and aren't told of again. */
  readonly elsewhere?: readonly ToldAlert[];
  /** What is to be said beside the alerts, such as why it comes late. */
  readonly notes?: readonly string[];
  readonly publicUrl: string | null;
  /** The most alerts that it names. */
  readonly mostNamed: number;
}

/** Writes a message about alerts: those that fire first, the worst before the others. */
export function writeMessage(parts: MessageParts): AlertMessage {
  const { id, occasion, at, thread, alerts, elsewhere = [], notes = [], publicUrl, mostNamed } = parts;
  const sorted = [...alerts].sort((a, b) => rank(a) - rank(b) || a.firedAt - b.firedAt || a.id - b.id);
  const open = sorted.filter((alert) => !isOver(alert));
  const named = sorted.slice(0, mostNamed);
  const more = sorted.length - named.length;
  const all = [...open, ...elsewhere];
  const status = all.length === 0 ? "resolved" : all.every(isAcknowledged) ? "acknowledged" : "firing";
  return {
    ...{ id, occasion, at, thread, status, alerts: named, more },
    severity: all.length === 0 ? "info" : all.some(({ severity }) => severity === "critical") ? "critical" : "warning",
    title: titleOf(sorted, open, occasion),
    lines: [
      ...named.map((alert) => lineOf(alert)),
      ...(more > 0 ? [`and ${counted(more, "more alert")}`] : []),
      ...(elsewhere.length > 0
        ? [
            `Beside these, ${counted(elsewhere.length, "alert")} told before ${elsewhere.length === 1 ? "is" : "are"} still open.`,
          ]
        : []),
      ...notes,
    ],
    url:
      publicUrl === null ? null : sorted.length === 1 ? `${publicUrl}/alerts/${sorted[0]!.id}` : `${publicUrl}/alerts`,
  };
}

function isAcknowledged({ acknowledgedBy }: ToldAlert): boolean {
  return acknowledgedBy !== null;
}

function rank(alert: ToldAlert): number {
  return (isOver(alert) ? 2 : 0) + (alert.severity === "critical" ? 0 : 1);
}

function titleOf(all: readonly ToldAlert[], open: readonly ToldAlert[], occasion: Occasion): string {
  const first = all[0];
  if (first === undefined) return "Nothing to tell";
  const before = occasion === "escalation" ? "Nobody has acknowledged: " : occasion === "repeat" ? "Still " : "";
  if (all.length === 1) return cut(`${before}${headOf(first)}: ${whatOf(first)}`, 200);
  const over = all.length - open.length;
  const counts = [...(open.length > 0 ? [`${open.length} firing`] : []), ...(over > 0 ? [`${over} over`] : [])].join(
    ", ",
  );
  const rules = [...new Set(all.map(({ rule }) => rule))];
  const sites = [...new Set(all.flatMap(({ site }) => site ?? []))];
  const about = `${rules[0]}${rules.length > 1 ? ` and ${counted(rules.length - 1, "more rule")}` : ""}`;
  return cut(`${before}${counts}: ${about}${sites.length === 1 ? ` at ${sites[0]}` : ""}`, 200);
}

function headOf(alert: ToldAlert): string {
  if (alert.state === "resolved") return "Resolved";
  if (alert.state === "closed") return "Closed";
  if (alert.flapping) return "Flapping";
  return alert.severity === "critical" ? "Critical" : "Warning";
}

function whatOf({ rule, device, subject, site }: ToldAlert): string {
  const where = [device ?? subject, site === null ? null : `at ${site}`].filter((part) => part !== null).join(" ");
  return where === "" ? rule : `${rule}, ${where}`;
}

/** An alert in a line: "Critical: too hot, press-07 at north, temperature 96.1 °C since 2026-11-28 10:02 UTC". */
export function lineOf(alert: ToldAlert): string {
  const value = isOver(alert) ? alert.worst : (alert.value ?? alert.worst);
  const { name, unit } = alert.measure === null ? valueNameOf(alert) : measureOf(alert.measure);
  const limit = alert.condition === null ? "" : limitWords(alert.condition, alert.severity);
  const measured =
    name === null || value === null
      ? ""
      : `, ${name} ${isOver(alert) ? "at worst " : ""}${amount(value, alert.decimals)}${unit === null ? "" : ` ${unit}`}${limit === "" ? "" : ` (${limit})`}`;
  const share = alert.share === null ? "" : `, ${alert.share.silent} of ${counted(alert.share.of, "device")} silent`;
  const late = alert.decidedAt - alert.firedAt;
  const known = late > LATE_MS ? ` (known ${spanOf(late)} late)` : "";
  const when =
    alert.endedAt === null
      ? ` since ${clock(alert.startedAt)}`
      : ` from ${clock(alert.startedAt)} to ${clock(alert.endedAt)}`;
  const more = [
    ...(alert.state === "closed" && alert.closedReason !== null ? [alert.closedReason] : []),
    ...(alert.noDataSince === null || isOver(alert) ? [] : [`no data since ${clock(alert.noDataSince)}`]),
    ...(alert.acknowledgedBy === null || isOver(alert) ? [] : [`acknowledged by ${alert.acknowledgedBy}`]),
  ];
  return `${headOf(alert)}: ${whatOf(alert)}${measured}${share}${when}${known}${more.map((part) => `; ${part}`).join("")}`;
}

/** What an alert's values are of, in the middle of a line, and their unit. */
function valueNameOf({ valueMetric, condition, unit }: ToldAlert): {
  readonly name: string | null;
  readonly unit: string | null;
} {
  if (condition === null || valueMetric === null) return { name: valueMetric, unit };
  const isChange = condition.what === "changePerMinute";
  return { name: `${WHAT_WORDS[condition.what]}${valueMetric}`, unit: isChange ? `${unit ?? ""}/min` : unit };
}

/** The name of a measure in the middle of a line, and its unit; none where its figure says nothing. */
function measureOf(measure: PipelineMeasure): { readonly name: string | null; readonly unit: string | null } {
  const { name, unit } = MEASURES[measure];
  return unit === "" ? { name: null, unit: null } : { name: name.toLowerCase(), unit };
}

function amount(value: number, decimals: number | null): string {
  if (decimals !== null && Math.abs(value) < 1e15) return value.toFixed(decimals);
  return String(Number(value.toPrecision(6)));
}

/** A moment as messages say it, which know no reader's zone. */
export function clock(time: EpochMs): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function spanOf(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** Text of at most `most` characters, whole characters alone; what is left out is marked. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const kept = text.slice(0, most - 1);
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
}

/** Lines joined to a text of at most `most` characters: whole lines, then how many were left out. */
export function textOf(lines: readonly string[], most: number): string {
  const whole = lines.join("\n");
  if (whole.length <= most) return whole;
  const kept: string[] = [];
  let length = 0;
  const room = most - 24;
  for (const line of lines) {
    if (length + line.length + 1 > room) break;
    kept.push(line);
    length += line.length + 1;
  }
  const left = lines.length - kept.length;
  return kept.length === 0 ? cut(whole, most) : `${kept.join("\n")}\nand ${counted(left, "more line")}`;
}
