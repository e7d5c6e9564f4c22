import type { ChannelSecrets, ChannelSettings } from "@/server/domain/notifications/channel";
import { isOver, lineOf } from "@/server/domain/notifications/message";
import type { AlertChannel } from "@/server/ports/alert-channel";
import { type Outgoing, postJson } from "./post-json";

/** Alertmanager takes an alert for over when it isn't sent again by then. */
const HOLDS_MS = 5 * 60_000;

/** Prometheus's Alertmanager, v2: each alert with its labels. It forgets what isn't sent again, so the sender does that each minute. */
export function createAlertmanager(
  { url }: ChannelSettings<"alertmanager">,
  { authorization }: ChannelSecrets<"alertmanager">,
  out: Outgoing,
): AlertChannel {
  return {
    render: ({ alerts, at, url: link, title, occasion, severity }) => {
      const moment = (time: number) => new Date(time).toISOString();
      const told = alerts.map((alert) => ({
        labels: {
          alertname: alert.rule,
          severity: alert.severity,
          fieldwatch_alert: String(alert.id),
          ...(alert.device !== null && { device: alert.device }),
          ...(alert.subject !== null && { subject: alert.subject }),
          ...(alert.site !== null && { site: alert.site }),
          ...(alert.metric !== null && { metric: alert.metric }),
        },
        annotations: { summary: lineOf(alert), ...(alert.runbook !== null && { runbook_url: alert.runbook }) },
        startsAt: moment(alert.startedAt),
        // Its end may not be before its beginning, nor in the future once it is over.
        endsAt: moment(
          isOver(alert) ? Math.min(at, Math.max(alert.endedAt ?? at, alert.startedAt + 1)) : at + HOLDS_MS,
        ),
        ...(link !== null && { generatorURL: link }),
      }));
      // Tests and troubles are of no alert.
      const other = {
        labels: { alertname: `Fieldwatch ${occasion}`, severity },
        annotations: { summary: title },
        ...{ startsAt: moment(at), endsAt: moment(at + HOLDS_MS) },
      };
      return JSON.stringify(told.length > 0 ? told : [other]);
    },
    send: (body, delivery) =>
      postJson(
        out,
        { url: `${url.replace(/\/$/, "")}/api/v2/alerts`, body, ...(authorization && { headers: { authorization } }) },
        delivery,
      ),
    close() {},
  };
}
