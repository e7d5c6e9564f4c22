"use client";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { useLive } from "../live/provider";
import { pipelineQuery } from "../queries/pipeline";
import { useTrend } from "./use-trend";
import { counted } from "@/server/domain/counted";
import { formatCount, formatDuration, formatRate, formatTotal } from "../ui/format";
import { Duration, Quantity } from "../ui/quantity";
import { Sparkline } from "../ui/sparkline";
import { PIPELINE_COLORS } from "../ui/theme";
import classes from "./figures.module.css";
import { lagNote } from "./lag-note";
import type { TrendPoint } from "./trend";
import { Link } from "../ui/link";

/** The numbers that matter, each with its unit, live; what isn't known says so. */
export function Figures() {
  const { data: pipeline } = useQuery(pipelineQuery(useLive()));
  const points = useTrend(pipeline);
  const sparks = useMemo(() => sparksOf(points), [points]);
  if (!pipeline) return null;
  const { rates, lag, totals, workers } = pipeline;
  return (
    <div className={classes.figures}>
      <Figure
        name="Messages"
        lead
        value={<Quantity value={rates.messagesPerSecond} unit="msg/s" format={formatRate} />}
        note={
          <>
            <span data-total="messages" title={formatTotal(totals.messages)}>
              {formatCount(totals.messages)}
            </span>{" "}
            in all, {workers === null ? "workers unknown" : counted(workers, "worker")}
          </>
        }
        spark={sparks.messages}
        href="/pipeline"
      />
      <Figure
        name="Readings"
        value={<Quantity value={rates.readingsPerSecond} unit="readings/s" format={formatRate} />}
        note={
          <>
            <span data-total="readings" title={formatTotal(totals.readings)}>
              {formatCount(totals.readings)}
            </span>{" "}
            stored, each once
          </>
        }
        spark={sparks.readings}
      />
      <Figure
        name="Lag"
        value={<Quantity value={lag} unit={lag === 1 ? "message" : "messages"} format={formatCount} />}
        note={lagNote(pipeline)}
        href="/pipeline"
      />
      <Figure
        name="End-to-end latency"
        value={
          <Duration
            text={rates.latencyP50Ms === null ? null : formatDuration(rates.latencyP50Ms)}
            title="Half of all messages are stored within this time"
          />
        }
        note={
          rates.latencyP99Ms === null ? (
            "nothing handled in the last 10 s"
          ) : (
            <>
              median; p99 <Duration text={formatDuration(rates.latencyP99Ms)} />
            </>
          )
        }
        spark={sparks.latency}
      />
    </div>
  );
}

function sparksOf(points: readonly TrendPoint[]) {
  const line = (key: Exclude<keyof TrendPoint, "time">, color: string, label: string) => (
    <Sparkline values={points.map((point) => point[key])} color={color} label={`${label} over the last 15 minutes`} />
  );
  return {
    messages: line("messages", PIPELINE_COLORS.messages, "Messages per second"),
    readings: line("readings", PIPELINE_COLORS.readings, "Readings per second"),
    latency: line("latencyP99Ms", PIPELINE_COLORS.latency, "Slowest percent of latencies"),
  };
}

interface FigureProps {
  name: string;
  value: ReactNode;
  note: ReactNode;
  spark?: ReactNode;
  lead?: boolean;
  /** Address of the page that shows more of it. */
  href?: string;
}

function Figure({ name, value, note, spark, lead = false, href }: FigureProps) {
  return (
    <section className={classes.figure} aria-label={name}>
      <h2>{href ? <Link href={href}>{name}</Link> : name}</h2>
      <div className={classes.value} data-lead={lead || undefined}>
        {value}
      </div>
      <div className={classes.note}>{note}</div>
      <div className={classes.spark}>{spark}</div>
    </section>
  );
}
