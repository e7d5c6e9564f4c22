import type { ChannelSecrets } from "@/server/domain/notifications/channel";
import { cut } from "@/server/domain/notifications/message";
import type { AlertChannel } from "@/server/ports/alert-channel";
import { fitBytes } from "./fit";
import { type Outgoing, postJson } from "./post-json";

/** Of 28 KB in all; JSON may double it. */
const MOST_TEXT_BYTES = 10_000;
const COLORS = { critical: "Attention", warning: "Warning", info: "Good" } as const;

/** A workflow of Microsoft Teams that posts an Adaptive Card. Runs of text, not blocks: nothing in a name is taken for markup. */
export function createTeams({ url }: ChannelSecrets<"teams">, out: Outgoing): AlertChannel {
  return {
    render({ title, lines, severity, url: link }) {
      const rich = (text: string, more: object = {}) => ({
        type: "RichTextBlock",
        inlines: [{ type: "TextRun", text, ...more }],
      });
      const card = {
        $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
        type: "AdaptiveCard",
        version: "1.4",
        msteams: { width: "Full" },
        body: [
          rich(cut(title, 500), { weight: "Bolder", size: "Medium", color: COLORS[severity] }),
          rich(fitBytes(lines, MOST_TEXT_BYTES)),
        ],
        actions: link === null ? [] : [{ type: "Action.OpenUrl", title: "Open", url: link }],
      };
      return JSON.stringify({
        type: "message",
        attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content: card }],
      });
    },
    send: (body, delivery) => postJson(out, { url, body }, delivery),
    close() {},
  };
}
