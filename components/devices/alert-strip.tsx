"use client";
import { useQuery } from "@tanstack/react-query";
import { memo, useMemo } from "react";
import type { ListedAlert } from "@/server/contracts/alerts";
import { alertsQuery } from "../queries/alerts";
import { formatInstant, type Zone } from "../ui/format";
import { Link } from "../ui/link";
import type { TimeShade } from "../ui/time-chart-data";
import { PLOT } from "../ui/time-chart-plot";
import classes from "../shell/flags/flags.module.css";
import { shareOfTime } from "../shell/flags/flag-places";
import type { Stretch } from "../ui/ranges";

/** Stretches are asked for in such steps, so that a live chart doesn't ask anew with each frame. */
const STEP_MS = 60_000;
const MOST = 200;

/** The alerts of a device that were, in part at least, in a stretch, ended ones too. */
export function useAlertsIn(device: string, { from, to }: Stretch): readonly ListedAlert[] {
  const { data } = useQuery(
    alertsQuery({
      ...{ state: "all", device, limit: MOST },
      from: new Date(Math.max(0, Math.floor(from / STEP_MS) * STEP_MS)).toISOString(),
      to: new Date(Math.ceil(to / STEP_MS) * STEP_MS).toISOString(),
    }),
  );
  return data?.items ?? NONE;
}
const NONE: readonly ListedAlert[] = [];

/** The alerts that a chart of these metrics shows, as stretches that are shaded. One that isn't over has no end. */
export function useShades(alerts: readonly ListedAlert[], metrics: string): readonly TimeShade[] {
  return useMemo(() => {
    const drawn = new Set(metrics.split(" "));
    return alerts
      .filter(({ metric }) => metric === null || drawn.has(metric))
      .map(({ id, firedAt, endedAt, severity }) => ({
        ...{ key: id, from: Date.parse(firedAt), to: endedAt === null ? Infinity : Date.parse(endedAt) },
        color: severity === "critical" ? "var(--fw-fail)" : "var(--fw-warn)",
      }));
  }, [alerts, metrics]);
}

interface AlertStripProps extends Stretch {
  readonly alerts: readonly ListedAlert[];
  readonly zone: Zone;
}

/** Beneath the charts, in their time: each alert of the device, leading to it. Its place is kept while there is none. */
export const AlertStrip = memo(function AlertStrip({ alerts, from, to, zone }: AlertStripProps) {
  const share = (time: number) => shareOfTime(time, from, to);
  const shown = alerts.filter(({ startedAt, endedAt }) => {
    const end = endedAt === null ? Infinity : Date.parse(endedAt);
    return Date.parse(startedAt) < to && end >= from;
  });
  return (
    <nav
      className={classes.alerts}
      aria-label="Alerts in this time"
      style={{ marginLeft: PLOT.left, marginRight: PLOT.right }}
    >
      <small aria-hidden>Alerts</small>
      {shown.map(({ id, rule, metric, severity, startedAt, endedAt }) => {
        const left = share(Date.parse(startedAt));
        const right = endedAt === null ? 100 : share(Date.parse(endedAt));
        const when = `since ${formatInstant(Date.parse(startedAt), zone)}${endedAt === null ? "" : ` until ${formatInstant(Date.parse(endedAt), zone)}`}`;
        const words = `${rule.name}${metric === null ? "" : ` (${metric})`}, ${severity}, ${when}`;
        return (
          <Link
            key={id}
            href={`/alerts/${id}`}
            data-severity={severity}
            aria-label={words}
            title={words}
            style={{ left: `${left}%`, width: `max(6px, ${right - left}%)` }}
          />
        );
      })}
    </nav>
  );
});
