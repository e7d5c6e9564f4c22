import type { ChannelKind } from "@/server/domain/notifications/channel";

/** One thing that is said of a channel. */
export interface ChannelField {
  readonly part: "settings" | "secrets";
  readonly name: string;
  readonly label: string;
  readonly placeholder?: string;
  readonly description?: string;
  /** True if it shares its line with the one beside it. */
  readonly half?: true;
  readonly is?: "number" | "lines" | "text-area";
  /** What can be chosen, by value; the first unless something else is said. */
  readonly choices?: Readonly<Record<string, string>>;
  /** True if an empty field is said as null. */
  readonly orNull?: true;
}

const AUTHORIZATION: ChannelField = {
  ...{ part: "secrets", name: "authorization", label: "Authorization header" },
  placeholder: "none; or Bearer …",
};
const webhookAddress = (where: string): ChannelField => ({
  ...{ part: "secrets", name: "url", label: "Address of the webhook", placeholder: "https://…" },
  description: `${where} Whoever has it can write there, so it is kept as a secret.`,
});
const address = (placeholder: string, description?: string): ChannelField => ({
  ...{ part: "settings", name: "url", label: "Address", placeholder },
  ...(description && { description }),
});

/** What each kind of channel needs, in the order in which it is asked for. */
export const CHANNEL_FIELDS: Readonly<Record<ChannelKind, readonly ChannelField[]>> = {
  webhook: [
    address("https://example.com/alerts", "Gets a POST with the alerts as JSON."),
    {
      ...{ part: "secrets", name: "signingSecret", label: "Signing secret", placeholder: "none; or whsec_…" },
      description: "Signs each request as Standard Webhooks 1.0 does.",
    },
    AUTHORIZATION,
  ],
  email: [
    { part: "settings", name: "host", label: "Mail server", placeholder: "smtp.example.com" },
    { part: "settings", name: "port", label: "Port", placeholder: "587", is: "number", half: true },
    {
      ...{ part: "settings", name: "security", label: "Encryption", half: true },
      choices: { starttls: "STARTTLS", tls: "TLS from the start", none: "None, in this network alone" },
    },
    { part: "settings", name: "user", label: "User", placeholder: "none", orNull: true, half: true },
    { part: "secrets", name: "password", label: "Password", placeholder: "none", half: true },
    { part: "settings", name: "from", label: "From", placeholder: "fieldwatch@example.com" },
    { part: "settings", name: "to", label: "To", placeholder: "one address a line", is: "lines" },
    {
      ...{ part: "settings", name: "ca", label: "Authority of its certificate", is: "text-area", orNull: true },
      placeholder: "those the system trusts; or another one, as PEM",
    },
  ],
  slack: [webhookAddress("An incoming webhook of Slack, Mattermost or Rocket.Chat.")],
  pagerduty: [
    {
      ...{ part: "secrets", name: "routingKey", label: "Integration key" },
      description: "Of an Events API v2 integration.",
    },
    address("https://events.pagerduty.com/v2/enqueue", "Europe: https://events.eu.pagerduty.com/v2/enqueue"),
  ],
  ntfy: [
    address("https://ntfy.sh"),
    { part: "secrets", name: "topic", label: "Topic", description: "Whoever knows it can read it." },
    { part: "secrets", name: "token", label: "Access token", placeholder: "none" },
  ],
  teams: [webhookAddress("Of a workflow that posts when a webhook request is received.")],
  telegram: [
    { part: "secrets", name: "token", label: "Token of the bot" },
    { part: "settings", name: "chat", label: "Chat", placeholder: "-1001234567890 or @channel" },
    address("https://api.telegram.org"),
  ],
  discord: [webhookAddress("A webhook of the channel.")],
  alertmanager: [address("http://alertmanager:9093"), AUTHORIZATION],
  apprise: [
    address("http://apprise:8000"),
    {
      ...{ part: "secrets", name: "key", label: "Key of a stored configuration", placeholder: "or addresses below" },
    },
    { part: "secrets", name: "urls", label: "Apprise addresses", placeholder: "mailto://…, tgram://…" },
  ],
};

/** What a form holds of a channel: texts by the field's place, such as "settings.url". */
export type Filled = Readonly<Record<string, string>>;

/** The place of a field in what is sent. */
export function placeOf({ part, name }: Pick<ChannelField, "part" | "name">): string {
  return `${part}.${name}`;
}

/** Settings as the form's texts. */
export function filledFrom(kind: ChannelKind, settings: Readonly<Record<string, unknown>>): Filled {
  return Object.fromEntries(
    CHANNEL_FIELDS[kind].flatMap((field) => {
      const value = field.part === "settings" ? settings[field.name] : undefined;
      if (value === undefined || value === null) return [];
      return [[placeOf(field), Array.isArray(value) ? value.join("\n") : String(value as string | number)]];
    }),
  );
}

/** One part of what is sent; an empty field says nothing. */
export function partOf(kind: ChannelKind, part: ChannelField["part"], filled: Filled): Record<string, unknown> {
  return Object.fromEntries(
    CHANNEL_FIELDS[kind].flatMap((field): [string, unknown][] => {
      if (field.part !== part) return [];
      const text = (filled[placeOf(field)] ?? "").trim();
      if (text === "") return field.orNull ? [[field.name, null]] : [];
      if (field.is === "number") return [[field.name, Number(text)]];
      if (field.is === "lines") return [[field.name, text.split(/[\n,]/).map((one) => one.trim()).filter(Boolean)]]; // prettier-ignore
      return [[field.name, text]];
    }),
  );
}
