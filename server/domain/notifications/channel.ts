import { z } from "zod";

const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\u0000-\u001f\u007f]*$/, "must be one line without control characters");

/** An address to POST to. What opens it to others belongs into the secrets. */
const url = line(2048).refine((text) => {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === "" && password === "";
}, "must be an http:// or https:// address without a user or password in it");

const mailbox = line(320).regex(/^[^\s@<>,;]+@[^\s@<>,;]+$/, "must be an e-mail address");
const header = line(2048).describe("The header Authorization, such as Bearer …");

/** What may be said of a channel, by its kind: settings, which are shown, and secrets, which never are. */
export const CHANNELS = {
  webhook: {
    title: "Webhook",
    settings: z.strictObject({ url }),
    secrets: z.strictObject({
      signingSecret: line(512)
        .regex(/^(whsec_)?[A-Za-z0-9+/]{32,}={0,2}$/, "must be base64 of 24 bytes or more, with or without whsec_")
        .optional()
        .describe("Signs each request as Standard Webhooks 1.0 does"),
      authorization: header.optional(),
    }),
    gapMs: 0,
    tellsAcknowledged: true,
    keepsState: false,
    mostNamed: 50,
    againMs: null,
  },
  email: {
    title: "E-mail",
    settings: z.strictObject({
      host: line(253),
      port: z.int().min(1).max(65_535).default(587),
      security: z
        .enum(["starttls", "tls", "none"])
        .default("starttls")
        .describe("starttls: refused by a server without it; none: only for one on this machine or network"),
      ca: z
        .string()
        .max(16_384)
        .nullable()
        .default(null)
        .describe("PEM of the authority to trust besides the system's"),
      user: line(320).nullable().default(null),
      from: mailbox,
      to: z.array(mailbox).min(1).max(50),
    }),
    secrets: z.strictObject({ password: line(1024).optional() }),
    gapMs: 0,
    tellsAcknowledged: false,
    keepsState: false,
    mostNamed: 50,
    againMs: null,
  },
  slack: {
    title: "Slack, Mattermost, Rocket.Chat",
    settings: z.strictObject({}),
    secrets: z.strictObject({ url: url.describe("The address of the incoming webhook") }),
    gapMs: 1000,
    tellsAcknowledged: false,
    keepsState: false,
    mostNamed: 50,
    againMs: null,
  },
  pagerduty: {
    title: "PagerDuty",
    settings: z.strictObject({ url: url.default("https://events.pagerduty.com/v2/enqueue") }),
    secrets: z.strictObject({ routingKey: line(255).describe("Integration key of an Events API v2 integration") }),
    gapMs: 0,
    tellsAcknowledged: true,
    keepsState: true,
    mostNamed: 50,
    againMs: null,
  },
  ntfy: {
    title: "ntfy",
    settings: z.strictObject({ url: url.default("https://ntfy.sh") }),
    secrets: z.strictObject({
      topic: line(64)
        .regex(/^[A-Za-z0-9_-]+$/, "must be of A–Z, a–z, 0–9, _ and -")
        .describe("Whoever knows it can read it"),
      token: line(256).optional(),
    }),
    gapMs: 0,
    tellsAcknowledged: false,
    keepsState: false,
    mostNamed: 50,
    againMs: null,
  },
  teams: {
    title: "Microsoft Teams",
    settings: z.strictObject({}),
    secrets: z.strictObject({ url: url.describe("The address of a workflow that posts to a channel") }),
    gapMs: 250,
    tellsAcknowledged: false,
    keepsState: false,
    mostNamed: 50,
    againMs: null,
  },
  telegram: {
    title: "Telegram",
    settings: z.strictObject({ url: url.default("https://api.telegram.org"), chat: line(64) }),
    secrets: z.strictObject({ token: line(256).regex(/^[\w:-]+$/, "must be the token of a bot") }),
    gapMs: 1000,
    tellsAcknowledged: false,
    keepsState: false,
    mostNamed: 50,
    againMs: null,
  },
  discord: {
    title: "Discord",
    settings: z.strictObject({}),
    secrets: z.strictObject({ url: url.describe("The address of the channel's webhook") }),
    gapMs: 500,
    tellsAcknowledged: false,
    keepsState: false,
    mostNamed: 50,
    againMs: null,
  },
  alertmanager: {
    title: "Alertmanager",
    settings: z.strictObject({ url }),
    secrets: z.strictObject({ authorization: header.optional() }),
    gapMs: 0,
    tellsAcknowledged: false,
    keepsState: true,
    mostNamed: 5000,
    againMs: 60_000,
  },
  apprise: {
    title: "Apprise API",
    settings: z.strictObject({ url }),
    secrets: z
      .strictObject({
        key: line(128)
          .regex(/^[\w-]+$/, "must be the key of a stored configuration")
          .optional(),
        urls: line(4096).describe("Apprise's own addresses, with commas between").optional(),
      })
      .refine(({ key, urls }) => (key === undefined) !== (urls === undefined), {
        path: ["urls"],
        message: "or key: one of both",
      }),
    gapMs: 0,
    tellsAcknowledged: false,
    keepsState: false,
    mostNamed: 50,
    againMs: null,
  },
} as const satisfies Record<
  string,
  {
    readonly title: string;
    readonly settings: z.ZodType;
    readonly secrets: z.ZodType;
    /** The least time between two messages, in milliseconds: what the other side takes. */
    readonly gapMs: number;
    /** Whether that somebody acknowledged an alert is worth a message there. */
    readonly tellsAcknowledged: boolean;
    /** Whether it has a state of its own for each group, which messages of several groups together would leave behind. */
    readonly keepsState: boolean;
    /** Alerts that one message names; of more it only tells how many. */
    readonly mostNamed: number;
    /** How often what is still so is sent again, as it forgets; null: never. */
    readonly againMs: number | null;
  }
>;

export type ChannelKind = keyof typeof CHANNELS;
export const CHANNEL_KINDS = Object.keys(CHANNELS) as [ChannelKind, ...ChannelKind[]];

export type ChannelSettings<K extends ChannelKind> = z.output<(typeof CHANNELS)[K]["settings"]>;
export type ChannelSecrets<K extends ChannelKind> = z.output<(typeof CHANNELS)[K]["secrets"]>;

/** A channel as its adapter takes it, opened. */
export type OpenedChannel = {
  [K in ChannelKind]: { readonly kind: K; readonly settings: ChannelSettings<K>; readonly secrets: ChannelSecrets<K> };
}[ChannelKind];
