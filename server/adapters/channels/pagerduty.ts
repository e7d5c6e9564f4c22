import type { ChannelSecrets, ChannelSettings } from "@/server/domain/notifications/channel";
import { cut } from "@/server/domain/notifications/message";
import type { AlertChannel } from "@/server/ports/alert-channel";
import { fitBytes } from "./fit";
import { type Outgoing, postJson } from "./post-json";

const ACTIONS = { firing: "trigger", acknowledged: "acknowledge", resolved: "resolve" } as const;
/** Of 512 KB in all. */
const MOST_DETAIL_BYTES = 100_000;

/** PagerDuty's Events API v2. A group of alerts is one incident, by its key: a repeat opens no other. */
export function createPagerDuty(
  { url }: ChannelSettings<"pagerduty">,
  { routingKey }: ChannelSecrets<"pagerduty">,
  out: Outgoing,
): AlertChannel {
  return {
    render({ thread, status, severity, title, lines, alerts, at, url: link }) {
      const [first] = alerts;
      return JSON.stringify({
        event_action: ACTIONS[status],
        dedup_key: cut(thread, 255),
        payload: {
          summary: cut(title, 1024),
          source: first?.device ?? first?.subject ?? first?.site ?? "fieldwatch",
          severity,
          timestamp: new Date(at).toISOString(),
          component: first?.valueMetric ?? undefined,
          group: first?.site ?? undefined,
          class: first?.rule,
          custom_details: { alerts: fitBytes(lines, MOST_DETAIL_BYTES) },
        },
        client: "Fieldwatch",
        ...(link !== null && { client_url: link, links: [{ href: link, text: "In Fieldwatch" }] }),
      });
    },
    send(rendered, delivery) {
      const body = JSON.stringify({ routing_key: routingKey, ...(JSON.parse(rendered) as object) });
      return postJson(out, { url, body }, delivery);
    },
    close() {},
  };
}
