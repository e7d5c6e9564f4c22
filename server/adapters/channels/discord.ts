import type { ChannelSecrets } from "@/server/domain/notifications/channel";
import { cut, textOf } from "@/server/domain/notifications/message";
import type { AlertChannel } from "@/server/ports/alert-channel";
import { type Outgoing, postJson, secondsIn } from "./post-json";

const COLORS = { critical: 0xd6293e, warning: 0xe08600, info: 0x2f9e44 } as const;

/** A webhook of Discord. Nobody is called by what a name holds. */
export function createDiscord({ url }: ChannelSecrets<"discord">, out: Outgoing): AlertChannel {
  return {
    render: ({ title, lines, severity, url: link }) =>
      JSON.stringify({
        content: cut(escaped(title), 2000),
        embeds: [
          {
            description: textOf(lines.map(escaped), 4000),
            color: COLORS[severity],
            ...(link !== null && { title: "In Fieldwatch", url: link }),
          },
        ],
        allowed_mentions: { parse: [] },
      }),
    send: (body, delivery) =>
      postJson(
        out,
        {
          url,
          body,
          askedMs: (text) => secondsIn(text, (answer) => (answer as { retry_after?: unknown }).retry_after),
        },
        delivery,
      ),
    close() {},
  };
}

function escaped(text: string): string {
  return text.replace(/[\\*_~`|>[\]]/g, "\\$&");
}
