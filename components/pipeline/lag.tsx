"use client";
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useCallback, useMemo } from "react";
import type { LagAnswer } from "@/server/contracts/events";
import { lagQuery } from "../queries/events";
import { useNow } from "../ui/clock";
import { formatInstant, formatSeconds, formatTick, zoneName } from "../ui/format";
import { untilLoaded } from "../ui/lazy-chart";
import { Section } from "../ui/section";
import { Spoken } from "../ui/spoken";
import { PIPELINE_COLORS } from "../ui/theme";
import { timeTicks } from "../ui/time-ticks";
import { useZone } from "../ui/zone";
import type { WaitPoint } from "../ui/wait-chart";

const HEIGHT = 180;
const HOURS = 24;
const SPAN_MS = HOURS * 3_600_000;
const MINUTE_MS = 60_000;
/** Minutes drawn as one, by the longest wait of them: a day is 288 points. */
const TOGETHER_MS = 5 * MINUTE_MS;

const LazyWaitChart = dynamic(() => untilLoaded(() => import("../ui/wait-chart")), { ssr: false, loading: () => null });

/** How long messages waited over the last day, by the minutes that are kept; nothing until there are some. */
export function LagOverTime() {
  const { zone } = useZone();
  const { data } = useQuery(lagQuery(HOURS));
  const to = Math.ceil(useNow(MINUTE_MS) / MINUTE_MS) * MINUTE_MS;
  const from = to - SPAN_MS;
  const points = useMemo(() => longestOf(data?.points ?? []), [data]);
  const ticks = useMemo(() => timeTicks(from, to, zoneName(zone)), [from, to, zone]);
  const tick = useCallback((time: number) => formatTick(time, zone, SPAN_MS), [zone]);
  const moment = useCallback((time: number) => formatInstant(time, zone), [zone]);
  if (points.length === 0) return null;
  const most = Math.max(...points.map(({ seconds }) => seconds));
  return (
    <Section title="Lag over 24 h">
      <Spoken as="p">Over the last 24 hours a message waited {formatSeconds(most)} at most.</Spoken>
      <div style={{ height: HEIGHT }}>
        <LazyWaitChart
          {...{ points, from, to, ticks, height: HEIGHT }}
          color={PIPELINE_COLORS.messages}
          formatTick={tick}
          formatTime={moment}
          formatValue={formatSeconds}
        />
      </div>
    </Section>
  );
}

/** The longest wait of each few minutes, in time's order. */
function longestOf(minutes: LagAnswer["points"]): WaitPoint[] {
  const longest = new Map<number, number>();
  for (const { time, seconds } of minutes) {
    const start = Math.floor(Date.parse(time) / TOGETHER_MS) * TOGETHER_MS;
    longest.set(start, Math.max(longest.get(start) ?? 0, seconds));
  }
  return [...longest].map(([time, seconds]) => ({ time, seconds })).sort((a, b) => a.time - b.time);
}
