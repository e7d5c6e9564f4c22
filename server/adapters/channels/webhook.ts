import { createHmac } from "node:crypto";
import type { ChannelSecrets, ChannelSettings } from "@/server/domain/notifications/channel";
import type { AlertMessage } from "@/server/domain/notifications/message";
import type { AlertChannel } from "@/server/ports/alert-channel";
import { type Outgoing, postJson } from "./post-json";

/** The size of payloads that Standard Webhooks advises, in bytes. */
const MOST_BYTES = 20_000;

/** POSTs a message as Standard Webhooks 1.0 has it: webhook-id stays the same at every attempt, so that a receiver can drop repeats. */
export function createWebhook(
  { url }: ChannelSettings<"webhook">,
  { signingSecret, authorization }: ChannelSecrets<"webhook">,
  out: Outgoing,
): AlertChannel {
  const key = signingSecret && Buffer.from(signingSecret.replace(/^whsec_/, ""), "base64");
  return {
    render(message) {
      for (let named = message.alerts.length; ; named = Math.floor(named / 2)) {
        const body = JSON.stringify(bodyOf(message, named));
        if (named === 0 || Buffer.byteLength(body) <= MOST_BYTES) return body;
      }
    },
    send(body, delivery) {
      const at = String(Math.floor(delivery.at / 1000));
      const signature = key && createHmac("sha256", key).update(`${delivery.id}.${at}.${body}`).digest("base64");
      const headers = {
        "webhook-id": delivery.id,
        "webhook-timestamp": at,
        ...(signature && { "webhook-signature": `v1,${signature}` }),
        ...(authorization && { authorization }),
      };
      return postJson(out, { url, body, headers }, delivery);
    },
    close() {},
  };
}

function bodyOf(message: AlertMessage, named: number): object {
  const { id, occasion, at, thread, status, severity, title, alerts, url } = message;
  const moment = (time: number | null) => (time === null ? null : new Date(time).toISOString());
  return {
    type: `alert.${occasion === "news" ? status : occasion}`,
    timestamp: moment(at),
    data: {
      ...{ id, occasion, thread, status, severity, title, url },
      lines: message.lines.slice(0, named + 4),
      more: message.more + alerts.length - named,
      alerts: alerts.slice(0, named).map((alert) => ({
        ...alert,
        startedAt: moment(alert.startedAt),
        firedAt: moment(alert.firedAt),
        endedAt: moment(alert.endedAt),
        decidedAt: moment(alert.decidedAt),
        noDataSince: moment(alert.noDataSince),
      })),
    },
  };
}
