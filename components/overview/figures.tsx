import type { PipelineAnswer } from "@/server/contracts/pipeline";
import type { ReactNode } from "react";
import { formatCount, formatDuration, formatRate } from "../ui/format";
import { Duration, Quantity } from "../ui/quantity";
import { Sparkline } from "../ui/sparkline";
import { PIPELINE_COLORS } from "../ui/theme";
import classes from "./overview.module.css";
import type { TrendPoint } from "./trend";

/** The six numbers that matter, each with its unit; what isn't known says so. */
export function Figures({ pipeline, points }: { pipeline: PipelineAnswer; points: readonly TrendPoint[] }) {
  const { rates, lag, lagSeconds, devices, totals, workers } = pipeline;
  const overdue = [
    devices.stale > 0 ? `${formatCount(devices.stale)} stale` : null,
    devices.silent > 0 ? `${formatCount(devices.silent)} silent` : null,
    devices.new > 0 ? `${formatCount(devices.new)} new` : null,
  ].filter(Boolean);
  return (
    <div className={classes.figures}>
      <Figure
        name="Messages"
        lead
        value={<Quantity value={rates.messagesPerSecond} unit="msg/s" format={formatRate} />}
        note={workers === null ? "workers unknown" : `${workers} ${workers === 1 ? "worker" : "workers"}`}
        spark={line(points, "messages", PIPELINE_COLORS.messages, "Messages per second over the last 15 minutes")}
      />
      <Figure
        name="Readings"
        value={<Quantity value={rates.readingsPerSecond} unit="readings/s" format={formatRate} />}
        note="stored, repeats left out"
        spark={line(points, "readings", PIPELINE_COLORS.readings, "Readings per second over the last 15 minutes")}
      />
      <Figure
        name="Lag"
        value={<Quantity value={lag} unit={lag === 1 ? "message" : "messages"} format={formatCount} />}
        note={lagNote(lag, lagSeconds)}
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
        spark={line(
          points,
          "latencyP99Ms",
          PIPELINE_COLORS.latency,
          "Slowest percent of latencies over the last 15 minutes",
        )}
      />
      <Figure
        name="Live devices"
        value={
          <>
            <Quantity value={devices.live} format={formatCount} />
            <small>
              {" "}
              of <Quantity value={totals.devices} format={formatCount} />
            </small>
          </>
        }
        note={overdue.length > 0 ? overdue.join(", ") : totals.devices > 0 ? "none overdue" : "none yet"}
      />
      <Figure
        name="Dead letters"
        value={<Quantity value={totals.deadLetters} format={formatCount} />}
        note={totals.deadLetters === 0 ? "none so far" : "kept whole, with the reason"}
        spark={
          totals.deadLetters === 0
            ? null
            : line(
                points,
                "deadLetters",
                PIPELINE_COLORS.deadLetters,
                "Dead letters per second over the last 15 minutes",
              )
        }
      />
    </div>
  );
}

function lagNote(lag: number | null, seconds: number | null): string {
  if (seconds === null) return "oldest waiting: unknown";
  return lag === 0 ? "nothing waits" : `oldest waits ${formatDuration(seconds * 1000)}`;
}

function line(points: readonly TrendPoint[], key: Exclude<keyof TrendPoint, "time">, color: string, label: string) {
  return <Sparkline values={points.map((point) => point[key])} color={color} label={label} />;
}

interface FigureProps {
  name: string;
  value: ReactNode;
  note: ReactNode;
  spark?: ReactNode;
  lead?: boolean;
}

function Figure({ name, value, note, spark, lead = false }: FigureProps) {
  return (
    <section className={classes.figure} aria-label={name}>
      <h2>{name}</h2>
      <div className={classes.value} data-lead={lead || undefined}>
        {value}
      </div>
      <div className={classes.note}>{note}</div>
      <div className={classes.spark}>{spark}</div>
    </section>
  );
}
