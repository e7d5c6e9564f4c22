"use client";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import type { Alert } from "@/server/contracts/alerts";
import type { AlertMessages } from "@/server/contracts/notifications";
import type { Condition, RuleSpec } from "@/server/domain/alerts/rule";
import { alertMessagesQuery } from "../queries/alerts";
import { flagsOf, FlagStrip, useFlags } from "../shell/flags/flags";
import { useNow } from "../ui/clock";
import { formatDuration, formatInstant, formatTick, zoneName } from "../ui/format";
import { LazyTimeChart } from "../ui/lazy-chart";
import type { TimeLimit, TimeMark, TimeShade } from "../ui/time-chart-data";
import { timeTicks } from "../ui/time-ticks";
import { useZone } from "../ui/zone";
import classes from "./alert.module.css";
import { useMetricLine } from "./use-metric-line";
import { conditionOf } from "./words";

/** So long before and after an alert is shown at least, in milliseconds. */
const LEAST_AROUND = 600_000;
const STEP_MS = 10_000;

interface AlertChartProps {
  readonly alert: Alert;
  readonly device: string;
  readonly metric: string;
  readonly spec: RuleSpec | undefined;
}

/** The metric around an alert, with its limits, and when it was pending and firing. */
export function AlertChart({ alert, device, metric, spec }: AlertChartProps) {
  const { zone } = useZone();
  const now = useNow(STEP_MS);
  const [started, fired] = [Date.parse(alert.startedAt), Date.parse(alert.firedAt)];
  const ended = alert.endedAt === null ? null : Date.parse(alert.endedAt);
  const end = ended ?? Math.max(now, fired + STEP_MS);
  const around = Math.max(LEAST_AROUND, (end - started) / 4);
  const from = started - around;
  const to = ended === null ? end : Math.min(ended + around, Math.max(now, ended + STEP_MS));
  const { series, error, format, rows, lines } = useMetricLine(device, metric, from, to);
  const condition = spec?.kind === "condition" ? conditionOf(spec.conditions, alert) : undefined;
  const limits = useMemo(() => limitsOf(condition), [condition]);
  const shades = useMemo(
    (): TimeShade[] => [
      ...(fired > started ? [{ from: started, to: fired, color: "var(--fw-unknown)" }] : []),
      { from: fired, to: end, color: alert.severity === "critical" ? "var(--fw-fail)" : "var(--fw-warn)" },
    ],
    [started, fired, end, alert.severity],
  );
  const { quality } = useFlags(device, { from, to });
  const metrics = useMemo(() => [metric], [metric]);
  const flags = useMemo(() => flagsOf(quality, metrics), [quality, metrics]);
  const { data: messages } = useQuery(alertMessagesQuery(alert.id));
  const marks = useMemo(() => toldMarks(messages), [messages]);
  const span = to - from;
  const ticks = useMemo(() => timeTicks(from, to, zoneName(zone)), [from, to, zone]);
  const tick = useCallback((time: number) => formatTick(time, zone, span), [zone, span]);
  const moment = useCallback((time: number) => formatInstant(time, zone), [zone]);
  if (error && !series) return <p role="alert">The chart could not be loaded: {error.message}</p>;
  return (
    <figure className={classes.chart}>
      <LazyTimeChart
        rows={rows}
        series={lines}
        from={from}
        to={to}
        ticks={ticks}
        unit={alert.unit ?? "no unit"}
        height={260}
        limits={limits}
        shades={shades}
        marks={marks}
        formatTick={tick}
        formatTime={moment}
        formatValue={format}
      />
      <FlagStrip flags={flags} metrics={metrics} from={from} to={to} zone={zone} />
      <figcaption>
        {fired > started ? `Gray: true for ${formatDuration(fired - started)}, before it fired. ` : ""}
        Shaded: firing{ended === null ? "" : ` for ${formatDuration(end - fired)}`}.
      </figcaption>
    </figure>
  );
}

/** When a channel was told first, of each channel. */
function toldMarks(messages: AlertMessages | undefined): TimeMark[] {
  const first = new Map<string, number>();
  for (const { channel, sentAt } of messages?.messages.toReversed() ?? [])
    if (sentAt !== null && !first.has(channel)) first.set(channel, Date.parse(sentAt));
  return [...first].map(([channel, time]) => ({ time, label: `${channel} told` }));
}

/** The limits of a condition, as lines. */
export function limitsOf(condition: Condition | undefined): TimeLimit[] {
  if (!condition || condition.what === "changePerMinute") return [];
  const { warning, critical, clear } = condition;
  const drawn = [
    { limit: warning, label: "warning", color: "var(--fw-warn)" },
    { limit: critical, label: "critical", color: "var(--fw-fail)" },
    { limit: clear, label: "over again", color: "var(--fw-unknown)" },
  ];
  return drawn.flatMap(({ limit, label, color }) =>
    (limit === undefined ? [] : typeof limit === "number" ? [limit] : limit).map((value) => ({
      ...{ value, color, label: `${label} ${value}`, below: label === "over again" },
    })),
  );
}
