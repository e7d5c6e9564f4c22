"use client";
import { ownMember } from "@/server/domain/own-member";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import type { DeviceDetail } from "@/server/contracts/devices";
import { useLive, useRoom } from "../live/provider";
import type { EpochMs } from "@/server/domain/terms";
import { historyQuery, stripsQuery } from "../queries/readings";
import { useNow } from "../ui/clock";
import { zoneName } from "../ui/format";
import { useZone } from "../ui/zone";
import { type Range, rangeOf, RECENT_MS, type Stretch, stretchIn } from "../ui/ranges";
import { applyToAll, mustReload, type Series } from "../live/series";
import { applyToStrips, type DeviceStrips, mustReloadStrips, type TextSeries } from "../live/texts";

/** The state of the history: which series, from when to when, and whether it follows live. Times in epoch ms. */
export interface HistoryView extends Stretch {
  /** The wanted metrics that are loaded, in their order; undefined while nothing is. */
  readonly series: readonly Series[] | undefined;
  /** All metrics of the device in few points; undefined while they aren't loaded. */
  readonly strips: readonly Series[] | undefined;
  /** What its fields of words said; undefined while it isn't loaded. */
  readonly texts: readonly TextSeries[] | undefined;
  /** Event time of the device's latest reading. */
  readonly latest: EpochMs | null;
  /** The preset range, or null when two moments were named. */
  readonly range: Range | null;
  /** True for a device whose readings ended long ago: its ranges may end at its latest reading. */
  readonly isOld: boolean;
  readonly endsAtLatest: boolean;
  /** True if readings still come in at the right. */
  readonly isLive: boolean;
  /** Names what a person chose: it changes at once, and only, when they choose something else. */
  readonly choice: string;
  /** True while what is shown belongs to the choice before. */
  readonly isStale: boolean;
  /** The same metrics in the time of the same length before, where it is asked for; its points stand where they would be now. */
  readonly before: readonly Series[] | undefined;
  readonly error: Error | null;
  readonly isFetching: boolean;
  readonly retry: () => void;
  /** Readings that came since the chart was paused; null when it isn't. */
  readonly waiting: number | null;
  readonly setPaused: (paused: boolean) => void;
}

/** Interval after which a live history is loaded again, for what frames don't tell. */
const RELOAD_MS = 60_000;

interface Held extends Stretch {
  readonly choice: string;
  readonly series: readonly Series[];
  readonly strips: DeviceStrips | undefined;
}

/** The history an address asks for, kept up to date until it is paused. */
export function useHistory(device: DeviceDetail, metrics: readonly string[], address: URLSearchParams): HistoryView {
  const live = useLive();
  const latest = device.lastEventTime ? Date.parse(device.lastEventTime) : null;
  // A recording ends long ago: showing the last hour of today would be showing nothing.
  const minute = useNow(60_000);
  const isOld = latest !== null && minute > 0 && minute - latest > RECENT_MS;
  const { zone } = useZone();
  const stretch = useMemo(() => stretchIn(address, minute, zoneName(zone)), [address, minute, zone]);
  const range = rangeOf(address.get("range") ?? (isOld ? "all" : null));
  const endsAtLatest = latest !== null && (address.get("end") ?? (isOld ? "latest" : "now")) === "latest" && isOld;
  // While a recording is replayed, its latest reading changes with every frame: follow it every few seconds.
  const step = useNow(5000);
  // oxlint-disable-next-line react/exhaustive-deps -- see above
  const end = useMemo(() => (endsAtLatest && latest !== null ? latest + 1 : null), [endsAtLatest, step]);
  const isLive = stretch ? stretch.to > minute : end === null;
  const choice = JSON.stringify([device.id, metrics, stretch ?? [range.key, endsAtLatest]]);

  // Readings of a clock that was not set would make all there is decades wide.
  const begin = device.clockFault ? Date.parse(device.clockFault.to) : 0;
  const asked = { device: device.id, range: stretch ?? { spanMs: range.ms, end, begin }, isLive };
  const strips = useStrips(asked);
  const query = historyQuery(live, { ...asked, metrics });
  const { data, error, refetch, isFetching, isPlaceholderData } = useQuery(query);
  useRoom(
    `device:${device.id}`,
    query.queryKey,
    isLive ? applyToAll : unchanged,
    isLive ? { reloadMs: RELOAD_MS, mustReload } : { reloadMs: null },
  );
  const loaded = useMemo(
    () => data && metrics.flatMap((metric) => data.filter((series) => series.metric === metric)),
    [data, metrics],
  );

  // The live edge moves by the clock, one pixel or one second at a time, whichever is slower.
  const now = useNow(Math.min(60_000, Math.max(1000, (range.ms ?? 0) / 900)));
  // A reading that has come is shown at once, also when the clock's next step is still ahead.
  const newest = (loaded ?? []).reduce((high, { points }) => Math.max(high, points.at(-1)?.time ?? 0), 0);
  const to = stretch?.to ?? end ?? Math.max(now, newest);
  const first = Math.min(
    to,
    ...[...(loaded ?? []), ...(strips?.series ?? [])].flatMap(({ points }) => points[0]?.time ?? []),
    ...(strips?.texts ?? []).flatMap(({ runs }) => runs[0]?.from ?? []),
  );
  const from = stretch?.from ?? (range.ms === null ? Math.min(first, to - 1) : to - range.ms);

  const before = useBefore(
    device.id,
    metrics,
    { from, to },
    address.get("before") === "1" && (stretch !== null || range.ms !== null),
  );

  const [held, setHeld] = useState<Held | null>(null);
  const isPaused = held !== null && held.choice === choice;
  const waiting = useWaiting(device.id, metrics, isPaused);
  return {
    series: isPaused ? held.series : loaded,
    strips: (isPaused ? held.strips : strips)?.series,
    texts: (isPaused ? held.strips : strips)?.texts,
    latest,
    from: isPaused ? held.from : from,
    to: isPaused ? held.to : to,
    range: stretch ? null : range,
    isOld,
    endsAtLatest,
    isLive,
    choice,
    isStale: isPlaceholderData && !isPaused,
    before,
    error,
    isFetching,
    retry: () => void refetch(),
    waiting: isPaused ? waiting : null,
    setPaused: (paused) => setHeld(paused && loaded ? { choice, series: loaded, strips, from, to } : null),
  };
}

/** The time before is asked for in steps of such a share of its length, so that a live chart doesn't ask anew with each second. */
const BEFORE_STEPS = 60;

/** The history of the time of the same length before a stretch, moved into it. */
function useBefore(device: string, metrics: readonly string[], { from, to }: Stretch, isWanted: boolean) {
  const span = to - from;
  const step = Math.max(60_000, span / BEFORE_STEPS);
  const end = Math.ceil(to / step) * step - span;
  const range = { from: Math.max(0, Math.floor(end - span - step)), to: Math.floor(end) };
  const { data } = useQuery({
    ...historyQuery(useLive(), { device, metrics, range, isLive: false }),
    enabled: isWanted && metrics.length > 0 && range.to > range.from,
  });
  return useMemo(
    () =>
      isWanted
        ? data?.map((series) => ({
            ...series,
            points: series.points.map((point) => ({ ...point, time: point.time + span })),
            before: series.before && { ...series.before, time: series.before.time + span },
          }))
        : undefined,
    [data, isWanted, span],
  );
}

/** The strips of all metrics and texts, kept up to date while they are live. */
function useStrips(asked: Parameters<typeof stripsQuery>[1]): DeviceStrips | undefined {
  const { device, isLive } = asked;
  const query = stripsQuery(useLive(), asked);
  useRoom(
    `device:${device}`,
    query.queryKey,
    isLive ? applyToStrips : unchanged,
    isLive ? { reloadMs: RELOAD_MS, mustReload: mustReloadStrips } : { reloadMs: null },
  );
  return useQuery(query).data;
}

/** Counts the readings of these metrics that came since counting began. */
function useWaiting(device: string, metrics: readonly string[], isCounting: boolean): number {
  const live = useLive();
  const [count, setCount] = useState(0);
  useEffect(() => {
    if (!isCounting) return;
    let came = 0;
    const stop = live.watch(`device:${device}`, {
      onFrame: (data) => {
        if (data.kind !== "devices") return;
        for (const { id, points } of data.devices)
          if (id === device) for (const metric of metrics) came += ownMember(points, metric)?.length ?? 0;
        setCount(came);
      },
      onMissed: () => {},
    });
    return () => {
      stop();
      setCount(0);
    };
  }, [live, device, metrics, isCounting]);
  return count;
}

function unchanged<T>(state: T): T {
  return state;
}
