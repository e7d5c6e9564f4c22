import type { ChannelSecrets, ChannelSettings } from "@/server/domain/notifications/channel";
import { textOf } from "@/server/domain/notifications/message";
import type { AlertChannel } from "@/server/ports/alert-channel";
import { linesOf } from "./fit";
import { type Outgoing, postJson } from "./post-json";

const TYPES = { critical: "failure", warning: "warning", info: "success" } as const;
/** What services behind it take differs: Apprise shortens for each. */
const MOST = 32_000;

/** An Apprise API of one's own, which tells any of a hundred services. */
export function createApprise(
  { url }: ChannelSettings<"apprise">,
  { key, urls }: ChannelSecrets<"apprise">,
  out: Outgoing,
): AlertChannel {
  return {
    render: (message) =>
      JSON.stringify({
        title: message.title,
        body: textOf(linesOf(message), MOST),
        type: TYPES[message.severity],
        format: "text",
      }),
    send(rendered, delivery) {
      const body = urls === undefined ? rendered : JSON.stringify({ urls, ...(JSON.parse(rendered) as object) });
      return postJson(out, { url: `${url.replace(/\/$/, "")}/notify/${key ?? ""}`, body }, delivery);
    },
    close() {},
  };
}
