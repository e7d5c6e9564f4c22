import type { ChannelSecrets } from "@/server/domain/notifications/channel";
import { textOf } from "@/server/domain/notifications/message";
import type { AlertChannel } from "@/server/ports/alert-channel";
import { linesOf } from "./fit";
import { type Outgoing, postJson } from "./post-json";

/** Characters of one section of Slack's blocks. */
const MOST_SECTION = 3000;
const MOST_TEXT = 4000;

/** Incoming webhooks of Slack and those like it. The text says all: Mattermost and Rocket.Chat show no blocks. */
export function createSlack({ url }: ChannelSecrets<"slack">, out: Outgoing): AlertChannel {
  return {
    render(message) {
      // Escaped first: what is cut after it still fits. A half entity at the end is only text.
      const lines = [`*${escaped(message.title)}*`, ...linesOf(message).map(escaped)];
      return JSON.stringify({
        text: textOf(lines, MOST_TEXT),
        blocks: [{ type: "section", text: { type: "mrkdwn", text: textOf(lines, MOST_SECTION) } }],
      });
    },
    send: (body, delivery) => postJson(out, { url, body }, delivery),
    close() {},
  };
}

/** As Slack asks for it; <!channel> in a name calls nobody. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
