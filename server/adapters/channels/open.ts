import type { OpenedChannel } from "@/server/domain/notifications/channel";
import { cut } from "@/server/domain/notifications/message";
import type { AlertChannel, SendOutcome } from "@/server/ports/alert-channel";
import type { Outgoing } from "./post-json";
import { createAlertmanager } from "./alertmanager";
import { createApprise } from "./apprise";
import { createDiscord } from "./discord";
import { createEmail } from "./email";
import { createNtfy } from "./ntfy";
import { createPagerDuty } from "./pagerduty";
import { createSlack } from "./slack";
import { createTeams } from "./teams";
import { createTelegram } from "./telegram";
import { createWebhook } from "./webhook";

/** The most that is told of an answer, in characters. */
const MOST_TOLD = 500;

/** Opens a channel of whatever kind. No secret of it is in what it answers. */
export function openChannel(opened: OpenedChannel, out: Outgoing): AlertChannel {
  const channel = ofKind(opened, out);
  const hidden = spellings(Object.values(opened.secrets as Record<string, string | undefined>));
  return {
    ...channel,
    async send(rendered, delivery) {
      const outcome = await channel.send(rendered, delivery);
      const { status, text } = outcome.answer;
      return { ...outcome, answer: { status, text: cut(without(hidden, text), MOST_TOLD) } } as SendOutcome;
    },
  };
}

function ofKind(opened: OpenedChannel, out: Outgoing): AlertChannel {
  switch (opened.kind) {
    case "webhook":
      return createWebhook(opened.settings, opened.secrets, out);
    case "email":
      return createEmail(opened.settings, opened.secrets, out);
    case "slack":
      return createSlack(opened.secrets, out);
    case "pagerduty":
      return createPagerDuty(opened.settings, opened.secrets, out);
    case "ntfy":
      return createNtfy(opened.settings, opened.secrets, out);
    case "teams":
      return createTeams(opened.secrets, out);
    case "telegram":
      return createTelegram(opened.settings, opened.secrets, out);
    case "discord":
      return createDiscord(opened.secrets, out);
    case "alertmanager":
      return createAlertmanager(opened.settings, opened.secrets, out);
    case "apprise":
      return createApprise(opened.settings, opened.secrets, out);
  }
}

/** Secrets as an answer may repeat them: whole, in an address, in JSON, in base64, and their telling parts. */
function spellings(secrets: readonly (string | undefined)[]): string[] {
  const parts = secrets.flatMap((secret) => {
    if (secret === undefined) return [];
    const url = URL.canParse(secret) ? new URL(secret) : null;
    // The host alone opens nothing, and says where a message was going.
    const words = (url === null ? secret : `${url.pathname} ${url.search}`).split(/[\s/,?&=]+/);
    return [secret, ...words.filter((word) => word.length >= 8)];
  });
  const all = parts.flatMap((part) => [
    part,
    encodeURIComponent(part),
    JSON.stringify(part).slice(1, -1),
    Buffer.from(part).toString("base64"),
  ]);
  return [...new Set(all)].filter((part) => part.length >= 4).sort((a, b) => b.length - a.length);
}

function without(hidden: readonly string[], text: string): string {
  return hidden.reduce((rest, part) => rest.replaceAll(part, "•••"), text);
}
