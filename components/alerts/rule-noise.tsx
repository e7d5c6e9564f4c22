"use client";
import { BarSparkline } from "../ui/bar-sparkline";
import { formatTotal } from "../ui/format";
import { Link } from "../ui/link";
import classes from "./rules.module.css";

/** How often a rule fired day by day, and its share of all that fired. */
export function Noise({ days, all, id, firing }: { days: readonly number[]; all: number; id: number; firing: number }) {
  const its = total(days);
  // What fires now may not be counted yet.
  if (its === 0) return firing > 0 ? null : <span className={classes.never}>Never in 30 days</span>;
  const share = Math.round((100 * its) / all);
  return (
    <>
      <BarSparkline
        values={days}
        color="var(--fw-warn)"
        label={`Alerts a day in the last 30 days, today last: ${its} in all`}
      />
      <small>
        <Link href={`/alerts?show=ended&rule=${id}`}>{formatTotal(its)} in 30 days</Link>
        <span title="Of all alerts">, {share === 0 ? "< 1" : share} %</span>
      </small>
    </>
  );
}

/** How many it were on all days. */
export function total(days: readonly number[]): number {
  return days.reduce((sum, n) => sum + n, 0);
}
