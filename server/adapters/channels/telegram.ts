import type { ChannelSecrets, ChannelSettings } from "@/server/domain/notifications/channel";
import { textOf } from "@/server/domain/notifications/message";
import type { AlertChannel } from "@/server/ports/alert-channel";
import { linesOf } from "./fit";
import { type Outgoing, postJson, secondsIn } from "./post-json";

const MOST = 4096;

/** A bot of Telegram. Plain text: nothing in a name is taken for markup. */
export function createTelegram(
  { url, chat }: ChannelSettings<"telegram">,
  { token }: ChannelSecrets<"telegram">,
  out: Outgoing,
): AlertChannel {
  return {
    render: (message) =>
      JSON.stringify({
        chat_id: chat,
        text: textOf([message.title, "", ...linesOf(message)], MOST),
        link_preview_options: { is_disabled: true },
      }),
    send: (body, delivery) =>
      postJson(out, { url: `${url.replace(/\/$/, "")}/bot${token}/sendMessage`, body, askedMs }, delivery),
    close() {},
  };
}

function askedMs(text: string): number | null {
  return secondsIn(text, (answer) => (answer as { parameters?: { retry_after?: unknown } }).parameters?.retry_after);
}
