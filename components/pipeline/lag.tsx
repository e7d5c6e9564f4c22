"use client";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { lagQuery } from "../queries/events";
import { useNow } from "../ui/clock";
import { formatInstant, formatSeconds, formatTick, zoneName } from "../ui/format";
import { LazyTimeChart } from "../ui/lazy-chart";
import { Section } from "../ui/section";
import { Spoken } from "../ui/spoken";
import { PIPELINE_COLORS } from "../ui/theme";
import type { TimeSeries } from "../ui/time-chart-data";
import { timeTicks } from "../ui/time-ticks";
import { useZone } from "../ui/zone";

const HEIGHT = 180;
const HOURS = 24;
const SPAN_MS = HOURS * 3_600_000;
const MINUTE_MS = 60_000;
const SERIES: readonly TimeSeries[] = [{ key: "seconds", label: "Longest wait", color: PIPELINE_COLORS.messages }];

/** How long messages waited over the last day, by the minutes that are kept; nothing until there are some. */
export function LagOverTime() {
  const { zone } = useZone();
  const { data } = useQuery(lagQuery(HOURS));
  const to = Math.ceil(useNow(MINUTE_MS) / MINUTE_MS) * MINUTE_MS;
  const from = to - SPAN_MS;
  const rows = useMemo(() => (data?.points ?? []).map((one) => ({ ...one, time: Date.parse(one.time) })), [data]);
  const ticks = useMemo(() => timeTicks(from, to, zoneName(zone)), [from, to, zone]);
  const tick = useCallback((time: number) => formatTick(time, zone, SPAN_MS), [zone]);
  const moment = useCallback((time: number) => formatInstant(time, zone), [zone]);
  if (rows.length === 0) return null;
  const most = Math.max(...rows.map(({ seconds }) => seconds));
  return (
    <Section title="Lag over 24 h">
      <Spoken as="p">Over the last 24 hours a message waited {formatSeconds(most)} at most.</Spoken>
      <div style={{ height: HEIGHT }}>
        <LazyTimeChart
          {...{ rows, series: SERIES, from, to, ticks, height: HEIGHT }}
          unit="s"
          fromZero
          formatTick={tick}
          formatTime={moment}
          formatValue={formatSeconds}
        />
      </div>
    </Section>
  );
}
