"use client";
import { useCallback, useMemo } from "react";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { formatInstant, formatRate, formatTick, zoneName } from "../ui/format";
import { LazyTimeChart } from "../ui/lazy-chart";
import { Legend } from "../ui/legend";
import { Section } from "../ui/section";
import { PIPELINE_COLORS } from "../ui/theme";
import { timeTicks } from "../ui/time-ticks";
import type { TimeRow, TimeSeries } from "../ui/time-chart-data";
import { Spoken } from "../ui/spoken";
import { useZone } from "../ui/zone";
import { BUCKET_MS, trend } from "./trend";

const HEIGHT = 268;
const WIDTH_MS = 2 * BUCKET_MS;
const SPAN_MS = 15 * 60_000;

const SERIES: readonly TimeSeries[] = [
  { key: "readings", label: "Readings", color: PIPELINE_COLORS.readings },
  { key: "messages", label: "Messages", color: PIPELINE_COLORS.messages },
];

/** Messages and readings per second over the last 15 minutes, drawn again once per finished bucket. */
export function Throughput({ pipeline }: { pipeline: PipelineAnswer }) {
  const { zone } = useZone();
  const to = Math.floor(Date.parse(pipeline.time) / WIDTH_MS) * WIDTH_MS;
  const from = to - SPAN_MS;
  // Frames come five times a second and a bucket is finished every ten: only the latter is news here.
  const version = `${to} ${pipeline.history.at(-2)?.time ?? 0} ${pipeline.history.at(-2)?.readings ?? 0}`;
  // eslint-disable-next-line react-hooks/exhaustive-deps -- see above
  const rows = useMemo(() => trend(pipeline.history, to, WIDTH_MS) as unknown as TimeRow[], [version]);
  const ticks = useMemo(() => timeTicks(from, to, zoneName(zone)), [from, to, zone]);
  const tick = useCallback((time: number) => formatTick(time, zone, SPAN_MS), [zone]);
  const moment = useCallback((time: number) => formatInstant(time, zone), [zone]);
  const { messagesPerSecond, readingsPerSecond } = pipeline.rates;
  return (
    <Section title="Throughput" aside={<Legend lines={SERIES} />}>
      <Spoken as="p">
        Over the last 10 seconds {formatRate(messagesPerSecond)} messages and {formatRate(readingsPerSecond)} readings
        per second were stored.
      </Spoken>
      <div style={{ height: HEIGHT }}>
        <LazyTimeChart
          rows={rows}
          series={SERIES}
          from={from}
          to={to}
          ticks={ticks}
          unit="per second"
          height={HEIGHT}
          fromZero
          formatTick={tick}
          formatTime={moment}
          formatValue={formatRate}
        />
      </div>
    </Section>
  );
}
