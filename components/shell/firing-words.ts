import type { AlertSummary } from "@/server/contracts/alerts";
import { counted } from "@/server/domain/counted";
import { formatMinutes } from "@/server/domain/duration";
import { formatTotal } from "../ui/format";

/**
 * The verdict on what fires and on who can be told: "3 firing: 1 critical at north; nobody has acknowledged; Slack has been away for 4 min,
 * 12 messages wait". Null where there is nothing to tell. @param now epoch ms
 */
export function verdictOf(summary: AlertSummary, now: number): string | null {
  const parts = [...firingWords(summary), ...awayWords(summary.channels, now)];
  return parts.length === 0 ? null : parts.join("; ");
}

function firingWords(summary: AlertSummary): string[] {
  const { firing, critical, acknowledged, beneath, criticalSites, silenced } = summary;
  if (firing === 0) return [];
  const count = `${formatTotal(firing)} firing${beneath > 0 ? `, with ${formatTotal(beneath)} beneath` : ""}`;
  const worst =
    critical === 0
      ? ", none critical"
      : `: ${firing === 1 ? "" : `${formatTotal(critical)} `}critical${placesOf(criticalSites)}`;
  const hushed =
    silenced === 0
      ? ""
      : silenced >= firing
        ? `, ${firing === 1 ? "" : "all "}silenced`
        : `, ${formatTotal(silenced)} of them silenced`;
  const rest = firing - acknowledged;
  const looked =
    acknowledged === 0
      ? "nobody has acknowledged"
      : rest === 0
        ? "all acknowledged"
        : `${formatTotal(rest)} not acknowledged`;
  return [`${count}${worst}${hushed}`, firing === 1 && acknowledged === 1 ? "acknowledged" : looked];
}

/** What fires by severity, and what nobody looks after: "2 critical, 1 warning, nobody has acknowledged". @param summary of what something fires in */
export function severityWords({ firing, critical, acknowledged }: AlertSummary): string {
  const warning = firing - critical;
  const [rest, looked] = [firing - acknowledged, acknowledged > 0];
  return [
    ...(critical > 0 ? [`${formatTotal(critical)} critical`] : []),
    ...(warning > 0 ? [`${formatTotal(warning)} warning`] : []),
    !looked ? "nobody has acknowledged" : rest === 0 ? "all acknowledged" : `${formatTotal(rest)} not acknowledged`,
  ].join(", ");
}

function placesOf(sites: readonly string[]): string {
  if (sites.length === 0) return "";
  return sites.length > 2 ? ` at ${sites.length} sites` : ` at ${sites.join(" and ")}`;
}

function awayWords(channels: AlertSummary["channels"], now: number): string[] {
  const [first] = channels;
  if (!first) return [];
  const waiting = channels.reduce((sum, channel) => sum + channel.waiting, 0);
  const waits = waiting === 0 ? "" : `, ${counted(waiting, "message")} ${waiting === 1 ? "waits" : "wait"}`;
  const since = Math.min(...channels.map((channel) => Date.parse(channel.since)));
  const who =
    channels.length === 1 ? `${first.name} has` : `${first.name} and ${counted(channels.length - 1, "other")} have`;
  return [`${who} been away for ${formatMinutes(now - since)}${waits}`];
}

/** The mark of all that fires together: that of what nobody looks after, if there is any. */
export function firingMark(summary: AlertSummary): "acknowledged" | "failing" | "warning" {
  const { firing, critical, acknowledged, criticalAcknowledged } = summary;
  if (critical > criticalAcknowledged) return "failing";
  return firing > acknowledged || firing === 0 ? "warning" : "acknowledged";
}
