import type { StripsAnswer } from "@/server/contracts/devices";
import type { FrameData, LiveDevice } from "@/server/contracts/live";
import { addTexts, type TextRun } from "@/server/domain/text-runs";
import type { EpochMs } from "@/server/domain/terms";
import { applyToAll, mustReload, type Series, toSeriesOfAll } from "./series";

/** What a field of words said over a stretch. */
export interface TextSeries {
  readonly field: string;
  /** In order of time: the first may have begun, and ended, before the stretch. */
  readonly runs: readonly TextRun[];
  /** True if there are more before the first. */
  readonly more: boolean;
}

/** Everything of a device over one stretch. */
export interface DeviceStrips {
  readonly device: string;
  readonly series: readonly Series[];
  readonly texts: readonly TextSeries[];
}

/** A loaded answer as series. */
export function toDeviceStrips(answer: StripsAnswer): DeviceStrips {
  return {
    device: answer.device,
    series: toSeriesOfAll(answer),
    texts: answer.texts.map(({ runs, ...text }) => ({
      ...text,
      runs: runs.map(([from, to, value]) => ({ from, to, value, quiet: null })),
    })),
  };
}

/** Applies a frame to everything of a device; returns the same when nothing changed. */
export function applyToStrips(strips: DeviceStrips, data: FrameData): DeviceStrips {
  if (data.kind !== "devices") return strips;
  const series = applyToAll(strips.series, data);
  const texts = data.devices.filter(({ id }) => id === strips.device).reduce(applyTexts, strips.texts);
  return series === strips.series && texts === strips.texts ? strips : { ...strips, series, texts };
}

/** Frames tell the newest text of each field: what was said between two of them comes with the next load. */
function applyTexts(texts: readonly TextSeries[], live: LiveDevice): readonly TextSeries[] {
  let next = texts;
  for (const [field, [time, text]] of Object.entries(live.texts)) {
    const known = texts.find((one) => one.field === field);
    if (!known) next = [...next, { field, runs: addTexts([], [[time, text]]), more: false }];
    // What came before the stretch is no part of it, be it told now.
    else if (known.runs.length > 0 && time < known.runs[0]!.from) continue;
    else {
      const runs = addTexts(known.runs, [[time, text]]);
      next = next.map((one) => (one === known ? { ...one, runs } : one));
    }
  }
  return next;
}

/** True if the strips must be loaded again. */
export function mustReloadStrips({ device, series }: DeviceStrips, data: FrameData): boolean {
  if (mustReload(series, data)) return true;
  return data.kind === "devices" && data.devices.some(({ id, more }) => id === device && more);
}

/** A stretch in which a field of words said one thing. Times in epoch ms, within the range that is shown. */
export interface TextBand {
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** Null: it changed too often to be kept. */
  readonly value: string | null;
  /** When it was said first, which may be before the range. */
  readonly since: EpochMs;
  /** When something else was said; null: it still holds. */
  readonly until: EpochMs | null;
  /** Bands that are drawn as this one, as there is no room for each; 1: it is itself. */
  readonly bands: number;
}

/**
 * What a field said within [from, to], each until something else was said, and the last until `heldUntil`, the device's latest event time.
 */
export function textBands(
  runs: readonly TextRun[],
  { from, to }: { readonly from: EpochMs; readonly to: EpochMs },
  heldUntil: EpochMs | null,
): TextBand[] {
  const bands: TextBand[] = [];
  for (const [i, run] of runs.entries()) {
    const until = runs[i + 1]?.from ?? null;
    const end = until ?? Math.max(run.to, heldUntil ?? run.to);
    if (run.from > to || end < from || (end === from && until !== null)) continue;
    const before = bands.at(-1);
    const band = { from: Math.max(from, run.from), to: Math.min(to, end), value: run.value, since: run.from, until };
    if (before && before.value === run.value) bands[bands.length - 1] = { ...before, to: band.to, until };
    else bands.push({ ...band, bands: 1 });
  }
  return bands;
}

/** The same bands with those beside each other drawn as one that are shorter than `leastMs` each. */
export function roomyBands(bands: readonly TextBand[], leastMs: number): TextBand[] {
  const drawn: TextBand[] = [];
  let isOpen = false;
  for (const band of bands) {
    const before = drawn.at(-1);
    const isShort = band.to - band.from < leastMs && band.until !== null;
    if (isShort && isOpen && before) {
      const { to, until } = band;
      drawn[drawn.length - 1] = { ...before, to, until, value: null, bands: before.bands + 1 };
    } else drawn.push(band);
    isOpen = isShort;
  }
  return drawn;
}

/** The values of bands with the share of their time each had, most first; null: changed too often to be kept. */
export function textShares(bands: readonly TextBand[]): { readonly value: string | null; readonly share: number }[] {
  const spans = new Map<string | null, number>();
  for (const { value, from, to } of bands) spans.set(value, (spans.get(value) ?? 0) + to - from);
  const all = [...spans.values()].reduce((sum, span) => sum + span, 0);
  return [...spans]
    .map(([value, span]) => ({ value, share: all === 0 ? 1 / spans.size : span / all }))
    .sort((a, b) => b.share - a.share);
}

/**
 * The place in the palette of each value, from 0: by the value, so that it has the same one each time, and another where two would have one. Values
 * beyond the palette have none.
 */
export function valuePlaces(values: readonly string[], places: number): ReadonlyMap<string, number> {
  const taken = new Map<string, number>();
  const used = new Set<number>();
  for (const value of values.slice(0, places).toSorted()) {
    let hash = 7;
    for (let i = 0; i < value.length; i++) hash = (hash * 31 + value.charCodeAt(i)) >>> 0;
    let place = hash % places;
    while (used.has(place)) place = (place + 1) % places;
    used.add(place);
    taken.set(value, place);
  }
  return taken;
}
