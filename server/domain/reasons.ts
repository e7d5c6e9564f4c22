/** The reasons why a message, or one field of it, could not become a reading. One table; screens, API and tests read it. */
export const DEAD_LETTER_REASONS = {
  notJson: { scope: "message", title: "Not JSON", fix: "Send one UTF-8 JSON object per message." },
  tooLarge: { scope: "message", title: "Too large", fix: "Keep a message at or below 64 KiB." },
  tooDeep: { scope: "message", title: "Nested too deeply", fix: "Nest objects and arrays at most 16 deep." },
  noDevice: {
    scope: "message",
    title: "No device",
    fix: 'Add "device" with the device\'s name, or map it with ?device=.',
  },
  badDevice: {
    scope: "message",
    title: "Bad device name",
    fix: "Use 1–128 of the characters A–Z a–z 0–9 _ . : - for the device; not . or .. alone, and nothing that ends in .rsc.",
  },
  noTime: { scope: "message", title: "No time", fix: 'Add "time", or map it with ?time=.' },
  badTime: {
    scope: "message",
    title: "Bad time",
    fix: "Send RFC 3339 with a zone, or epoch seconds or milliseconds, not before 1970.",
  },
  futureTime: { scope: "message", title: "Time in the future", fix: "Set the device's clock (NTP), then send again." },
  tooOld: {
    scope: "message",
    title: "Older than the retention",
    fix: "Keep readings longer (page Retention), unless what is so old was removed already, and resend.",
  },
  noReadings: {
    scope: "message",
    title: "No readings",
    fix: 'Add "readings" with at least one value, or map it with ?readings=.',
  },
  notAllowed: {
    scope: "message",
    title: "Not allowed to this key",
    fix: "Send it with a key of that device, or of its site: see Keys.",
  },
  otherSite: {
    scope: "message",
    title: "Device of another site",
    fix: "The site that named the device first keeps it: give this one another name, or set its site under Devices and resend.",
  },
  tooManyNew: {
    scope: "message",
    title: "Too many new names",
    fix: "Send it again at the time the detail names, or with another key; check that names of devices and metrics hold no values.",
  },
  tooManyReadings: { scope: "message", title: "Too many readings", fix: "Send at most 64 readings per message." },
  notMapped: {
    scope: "message",
    title: "Not mapped",
    fix: "Change the mapping of its source so that it reads this, then resend: the current mapping reads it then.",
  },
  internalError: {
    scope: "message",
    title: "Made the worker fail",
    fix: "Nothing is wrong with the device: report it with the detail and the message, and resend it after an upgrade.",
  },
  tooManyDevices: { scope: "message", title: "Too many devices", fix: "Raise MAX_DEVICES, then resend." },
  badName: {
    scope: "field",
    title: "Bad metric name",
    fix: "Use 1–128 of the characters A–Z a–z 0–9 _ . : - for the metric; not . or .. alone, and nothing that ends in .rsc.",
  },
  seriesTooOld: {
    scope: "field",
    title: "Older than its rule keeps",
    fix: "What is so old of this device and metric was removed by a rule of the page Retention, and is not taken any more. Discard it.",
  },
  badValue: { scope: "field", title: "Not a value", fix: "Send a number, a boolean or a string, and each name once." },
  badLabel: {
    scope: "field",
    title: "Bad site, type or units",
    fix: "Send site and type as text of at most 128 characters on one line, and units as an object of texts; the message's readings are stored.",
  },
  notFinite: {
    scope: "field",
    title: "Not a finite number",
    fix: "Send a finite number; null, or no field at all, when there is none.",
  },
  unitMismatch: {
    scope: "field",
    title: "Another unit",
    fix: "Give the value a name of its own in the source's mapping, or set the metric's unit (page Metrics), and resend.",
  },
  tooManyMetrics: { scope: "field", title: "Too many metrics", fix: "Raise MAX_METRICS, then resend." },
  typeDrift: {
    scope: "field",
    title: "Type changed",
    fix: "Send a number or a boolean, as this metric's other readings; text belongs under a name of its own.",
  },
} as const satisfies Record<string, { scope: "message" | "field"; title: string; fix: string }>;

export type DeadLetterReason = keyof typeof DEAD_LETTER_REASONS;

/** A refusal: the reason and the particulars, in plain words, with the offending value shortened. */
export interface Refusal {
  readonly reason: DeadLetterReason;
  readonly detail: string;
}

/** Makes a refusal. @param detail what is wrong with this one, for a person. */
export function refusal(reason: DeadLetterReason, detail: string): Refusal {
  return { reason, detail };
}
