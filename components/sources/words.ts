import type { Explained, SourceView } from "@/server/contracts/sources";
import { counted } from "@/server/domain/counted";
import { DEAD_LETTER_REASONS } from "@/server/domain/reasons";
import { type AnswerPolicy, type SourceDoor, SOURCE_NAME } from "@/server/domain/source";

/** What a sender is answered, in plain words. */
export const ANSWERS: Record<AnswerPolicy, { readonly title: string; readonly about: string }> = {
  webhook: {
    title: "Take everything",
    about:
      "For senders that try once. Says yes as soon as what came is stored; what can’t be read is kept as a dead letter, to be read later.",
  },
  strict: {
    title: "Refuse what can’t be read",
    about: "For senders that heed the answer. It says what is wrong and where, and nothing of that is kept.",
  },
};

/** Where messages come in. */
export const DOORS: Record<SourceDoor["type"], { readonly title: string; readonly about: string }> = {
  http: { title: "HTTP", about: "It sends to an address of this server." },
  mqtt: {
    title: "MQTT",
    about: "It publishes to Fieldwatch itself, as to a broker. Nothing can be subscribed to there.",
  },
  "mqtt-bridge": { title: "MQTT broker", about: "Fieldwatch signs in to a broker that is there and listens." },
  kafka: { title: "Kafka", about: "Fieldwatch reads topics that somebody else writes." },
};

/** "7 readings of 1 device". */
export function arrivedWords({ messages }: Pick<Explained, "messages">): string {
  // Text stays in the message: it is no reading.
  const readings = messages.flatMap((message) =>
    message.readings.filter(({ value }) => typeof value !== "string"),
  ).length;
  return `${counted(readings, "reading")} of ${counted(devicesOf({ messages }).length, "device")}`;
}

/** Devices that messages are of, in their order. */
export function devicesOf({ messages }: Pick<Explained, "messages">): readonly string[] {
  return [...new Set(messages.map(({ device }) => device))];
}

/** Reasons for which a mapping refuses, which no dead letter of Fieldwatch's own shape has. */
const REFUSED: Readonly<Record<string, string>> = {
  unreadable: "Unreadable",
  noTime: "No time",
  badName: "Bad name",
  // What doors refuse before a mapping sees it.
  "empty-request": "Empty delivery",
  "unreadable-body": "Broken off, or can’t be unpacked",
  "body-too-large": "Too large a delivery",
  "too-many-messages": "Too many messages in one delivery",
  "not-allowed": "Not allowed to its key",
  "too-many-new": "Too many new names",
  "too-fast": "Faster than its limit",
  "too-busy": "Fieldwatch was too busy",
};

/** A reason for a refusal in words. */
export function reasonWords(reason: string): string {
  if (Object.hasOwn(REFUSED, reason)) return REFUSED[reason]!;
  const known: Readonly<Record<string, { readonly title: string }>> = DEAD_LETTER_REASONS;
  return Object.hasOwn(known, reason) ? known[reason]!.title : reason;
}

/** A name for a new source of a kind that isn't taken. */
export function suggestedName(kind: string, taken: readonly string[]): string {
  const base = kind.slice(0, 60);
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}-${i}`;
    if (!taken.includes(name)) return name;
  }
}

/** What is wrong with a name; null for nothing. */
export function nameFault(name: string, taken: readonly string[]): string | null {
  if (!SOURCE_NAME.test(name)) return "Lower-case letters, digits and -, at most 63 of them.";
  return taken.includes(name) ? "There is one of this name." : null;
}

/** Labels as they are written, `key: value`, one a line; null where a line is none. */
export function labelsIn(text: string): Record<string, string> | null {
  const labels: Record<string, string> = {};
  for (const line of text.split("\n").filter((one) => one.trim() !== "")) {
    const [, key, value] = /^([^:]+):(.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined || key.trim() === "" || value.trim() === "") return null;
    labels[key.trim()] = value.trim();
  }
  return labels;
}

/** Labels as {@link labelsIn} reads them. */
export function labelsText(labels: SourceView["labels"]): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}: ${value}`)
    .join("\n");
}

/** Topics as people write them: one a line, or with commas. */
export function topicsIn(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((topic) => topic.trim())
    .filter(Boolean);
}
