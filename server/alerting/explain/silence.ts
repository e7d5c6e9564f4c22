import type { SilenceRule } from "@/server/domain/alerts/rule";
import { reason, type Reason, type Say } from "@/server/domain/alerts/why";
import { formatDuration } from "@/server/domain/duration";
import type { EpochMs } from "@/server/domain/terms";
import { GAPS_KNOWN, usualSilence } from "../silence";
import { type Open, openFor } from "../telemetry-open";
import type { DevicePast } from "./past";

interface Asked {
  readonly device: DevicePast;
  /** When it was heard of, by the log's clock, ascending. */
  readonly heard: readonly EpochMs[];
  readonly open: readonly Open[];
  /** Up to when all that the log took was handled; null: nobody knows. */
  readonly watermark: EpochMs | null;
  readonly staleMs: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly now: EpochMs;
  readonly say: Say;
}

/** A time between two messages; `until` is null where none has come since. */
interface Gap {
  readonly since: EpochMs;
  readonly until: EpochMs | null;
}

/** Says why a device was not told as silent: of its longest silence within [from, to]. @returns also when that was decided */
export function silenceReason(
  { afterMs }: SilenceRule,
  asked: Asked,
): { readonly at: EpochMs; readonly reason: Reason } {
  const { device, heard, from, to, now, say, staleMs } = asked;
  const { name } = device.facts;
  if (device.lastSeen === null) return { at: to, reason: reason("never-heard", `${name} was never heard of.`) };
  const needed = afterMs ?? usualSilence(device, staleMs);
  const times = heard.at(-1) === device.lastSeen || device.lastSeen > to ? heard : [...heard, device.lastSeen];
  const gaps: Gap[] = times.map((since, i) => ({ since, until: times[i + 1] ?? null }));
  const open = gaps.at(-1);
  // What came after the stretch isn't read: then the last one goes on to its end at least.
  if (open && open.until === null && device.lastSeen > open.since)
    gaps[gaps.length - 1] = { ...open, until: device.lastSeen };
  const length = ({ since, until }: Gap) => (until ?? now) - since;
  const longest = gaps
    .filter(({ since, until }) => since <= to && (until ?? now) >= from)
    .toSorted((a, b) => length(b) - length(a))[0];
  if (!longest) {
    const sentence = `Nothing is kept of when ${name} was heard of from ${say.time(from)} to ${say.time(to)}.`;
    return { at: to, reason: reason("not-known", sentence) };
  }
  return {
    at: Math.min(longest.since + needed, longest.until ?? now),
    reason: gapReason(longest, needed, afterMs === null, asked),
  };
}

function gapReason({ since, until }: Gap, needed: number, isLearned: boolean, asked: Asked): Reason {
  const { device, open, watermark, now, say } = asked;
  const { name } = device.facts;
  const end = until ?? now;
  const silent = end - since;
  const counted = openFor(open, since, end);
  const limit = isLearned ? learned(device, needed) : `the ${formatDuration(needed)} that the rule allows`;
  const numbers = { silentMs: silent, neededMs: needed, countedMs: counted, gapsKnown: device.gaps };
  const told = { numbers, times: { since, ...(until !== null && { heard: until }) }, at: since + needed };
  if (silent < needed && until !== null)
    return reason(
      "heard-in-time",
      `${name} was heard of again at ${say.time(until)}, after ${formatDuration(silent)}: ${formatDuration(needed - silent)} before ${limit}.`,
      { ...told, at: until },
    );
  if (silent < needed)
    return reason(
      "within-limit",
      `${name} has been silent since ${say.time(since)}: ${formatDuration(silent)} of ${limit}.`,
      told,
    );
  if (counted < needed)
    return reason(
      "own-outage",
      `${name} was silent for ${formatDuration(silent)} from ${say.time(since)}, but for ${formatDuration(silent - counted)} of that Fieldwatch took no messages: ${formatDuration(counted)} count of ${limit}.`,
      { ...told, numbers: { ...numbers, notTakenMs: silent - counted } },
    );
  const handled = Math.min(end, watermark ?? since);
  if (until === null && openFor(open, since, handled) < needed)
    return reason(
      "not-handled",
      `${name} has been silent since ${say.time(since)}, but messages are handled only up to ${say.time(handled)}: ${formatDuration(Math.max(0, handled - since))} count of ${limit}.`,
      { ...told, times: { ...told.times, handled } },
    );
  if (until !== null)
    return reason(
      "not-handled",
      `${name} was silent for ${formatDuration(silent)} from ${say.time(since)}, but was heard of again at ${say.time(until)} before all that had come by then was handled.`,
      told,
    );
  return reason(
    "not-known",
    `${name} has been silent since ${say.time(since)}, for ${formatDuration(silent)} of ${limit}; it is about to be told.`,
    told,
  );
}

function learned({ gaps, gapP99, staleSeconds }: DevicePast, needed: number): string {
  if (staleSeconds !== null) return `the ${formatDuration(needed)} at which devices of its type are silent`;
  if (gaps < GAPS_KNOWN || gapP99 === null)
    return `the ${formatDuration(needed)} that count until its pace is known (${gaps} of ${GAPS_KNOWN} gaps)`;
  const isThree = Math.abs(needed - 3 * gapP99) < 1;
  return `the ${formatDuration(needed)} that are unusual for it${isThree ? `, three times its longest gap of ${formatDuration(gapP99)}` : ""}`;
}
