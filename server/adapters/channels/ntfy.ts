import type { ChannelSecrets, ChannelSettings } from "@/server/domain/notifications/channel";
import type { AlertChannel } from "@/server/ports/alert-channel";
import { cutBytes, fitBytes } from "./fit";
import { type Outgoing, postJson } from "./post-json";

/** Longer messages become attachments. */
const MOST_BYTES = 4000;
const PRIORITIES = { critical: 5, warning: 4, info: 3 } as const;
const TAGS = { critical: "rotating_light", warning: "warning", info: "white_check_mark" } as const;

/** ntfy, at ntfy.sh or at a server of one's own. Whoever knows the topic can read it, so it is a secret. */
export function createNtfy(
  { url }: ChannelSettings<"ntfy">,
  { topic, token }: ChannelSecrets<"ntfy">,
  out: Outgoing,
): AlertChannel {
  return {
    render({ title, lines, severity, url: link }) {
      return JSON.stringify({
        title: cutBytes(title, 250),
        message: fitBytes(lines, MOST_BYTES),
        priority: PRIORITIES[severity],
        tags: [TAGS[severity]],
        ...(link !== null && { click: link }),
      });
    },
    send(rendered, delivery) {
      const body = JSON.stringify({ topic, ...(JSON.parse(rendered) as object) });
      return postJson(out, { url, body, ...(token && { headers: { authorization: `Bearer ${token}` } }) }, delivery);
    },
    close() {},
  };
}
