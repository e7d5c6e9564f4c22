import { counted } from "../counted";
import type { EpochMs } from "../terms";
import { BIN_MS, type Channel } from "./detector";

const DAY_MS = 86_400_000;
/** What is farther away than this has lost half of its weight: nobody should read that it is remembered for longer. */
const MOST_DAYS = 28;

/** The numbers of an odd step that its sentence is made of. */
export interface OddNumbers {
  readonly channel: Channel;
  readonly score: number;
  readonly now: number;
  readonly usual: number;
  readonly farthest: number;
  /** Start of the step. */
  readonly at: EpochMs;
  /** Start of the first step that was seen. */
  readonly knownSince: EpochMs;
  /** True once the stretch it is of is over. */
  readonly isOver?: boolean;
}

/** A channel in a word, for lists. */
export const CHANNEL_WORDS: Readonly<Record<Channel, { readonly title: string; readonly about: string }>> = {
  value: { title: "Value", about: "Farther from its level than it was before." },
  "slow mean": { title: "Slow shift", about: "Its mean of some hours is farther from its level than it was before." },
  roughness: { title: "Roughness", about: "It moves more, or less, around its mean than it did before." },
  "time of day": { title: "Time of day", about: "Unlike what it is at this time of day." },
  "slow time of day": { title: "Shift by time of day", about: "For hours unlike what it is at these times of day." },
};

/** The values that are usual on a channel: as far from it as it ever was. Roughness has none below zero. */
export function usualRange({ channel, usual, farthest }: Pick<OddNumbers, "channel" | "usual" | "farthest">) {
  const low = channel === "roughness" ? Math.max(0, usual - farthest) : usual - farthest;
  return [low, usual + farthest] as const;
}

/**
 * Says why a step is odd: "30 % farther from usual than anything in 28 days; usual at 14:00–14:30 UTC is 48–55 °C, now 57.2 °C".
 * @param unit null: it has none. @param write writes a value of the metric without its unit
 */
export function oddSentence(odd: OddNumbers, unit: string | null, write: (value: number) => string = plain): string {
  const { channel, score, now, usual, farthest, at, knownSince, isOver = false } = odd;
  const days = Math.max(1, Math.min(MOST_DAYS, Math.floor((at - knownSince) / DAY_MS)));
  const memory = days === 1 ? "a day" : counted(days, "day");
  const withUnit = (text: string) => (unit === null ? text : `${text} ${unit}`);
  const isNow = `${(isOver ? THEN : NOW)[channel]} ${withUnit(write(now))}`;
  if (farthest === 0) return `It has not left ${withUnit(write(usual))} in ${memory}; ${isNow}.`;
  const [low, high] = usualRange(odd).map(write) as [string, string];
  const range = low === high ? low : `${low}${low.startsWith("-") || high.startsWith("-") ? " to " : "–"}${high}`;
  return `${farther(score)} anything in ${memory}; ${USUAL[channel](at)} ${withUnit(range)}, ${isNow}.`;
}

/** Series that are odd at once, in numbers. */
export interface GroupNumbers {
  readonly device: string | null;
  readonly site: string | null;
  readonly odd: number;
  readonly of: number;
  readonly devices: number;
  readonly metrics: readonly string[];
}

/** Metrics that a sentence names; of more it says how many. */
const MOST_NAMED = 3;

/** Says that many series are odd at once: "5 of 7 series of press-07 are odd at once: temperature, vibration, humidity and 2 more metrics." */
export function groupSentence({ device, site, odd, of, devices, metrics }: GroupNumbers): string {
  const rest = metrics.length - MOST_NAMED;
  // "and 1 more" says no less than its name would.
  const named = rest > 1 ? metrics.slice(0, MOST_NAMED) : metrics;
  const last = rest > 1 ? counted(rest, "more metric") : named.at(-1)!;
  const before = rest > 1 ? named : named.slice(0, -1);
  const what = before.length === 0 ? last : `${before.join(", ")} and ${last}`;
  const where = device === null ? `at ${site}, of ${counted(devices, "device")},` : `of ${device}`;
  return `${odd} of ${counted(of, "series", "series")} ${where} are odd at once: ${what}.`;
}

const NOW: Readonly<Record<Channel, string>> = {
  value: "now",
  "slow mean": "its mean of some hours is",
  roughness: "now it moves by",
  "time of day": "now",
  "slow time of day": "by its mean of some hours now",
};

const THEN: Readonly<Record<Channel, string>> = {
  value: "then",
  "slow mean": "its mean of some hours was",
  roughness: "then it moved by",
  "time of day": "then",
  "slow time of day": "by its mean of some hours then",
};

const USUAL: Readonly<Record<Channel, (at: EpochMs) => string>> = {
  value: () => "usual is",
  "slow mean": () => "usual is",
  roughness: () => "it usually moves around its mean by",
  "time of day": (at) => `usual at ${halfHour(at)} is`,
  "slow time of day": (at) => `usual at ${halfHour(at)} is`,
};

function farther(score: number): string {
  // Never more than it is: 1.299 is 29 % farther.
  if (score < 2) return `${Math.floor((score - 1) * 100 + 1e-9)} % farther from usual than`;
  return `${Math.floor(score * 10 + 1e-9) / 10} times as far from usual as`;
}

function halfHour(at: EpochMs): string {
  const start = at - (((at % BIN_MS) + BIN_MS) % BIN_MS);
  const time = (ms: EpochMs) => new Date(ms).toISOString().slice(11, 16);
  return `${time(start)}–${time(start + BIN_MS)} UTC`;
}

/** Four digits that say something. */
function plain(value: number): string {
  return String(Number(value.toPrecision(4)));
}
