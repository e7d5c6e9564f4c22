"use client";
import { useQuery } from "@tanstack/react-query";
import { counted } from "@/server/domain/counted";
import type { StripsAnswer } from "@/server/contracts/devices";
import { daySeenQuery } from "../queries/readings";
import { formatDuration, formatMoment } from "../ui/format";
import { useZone } from "../ui/zone";
import classes from "./availability.module.css";
import { shareOfTime } from "../shell/flags/flag-places";
import { seenStretches } from "./seen";

/** The last 24 hours of a device: when there are readings of it, by their own time. Nothing until it is known. */
export function Availability({ id, firstSeen }: { id: string; firstSeen: string }) {
  const { data } = useQuery(daySeenQuery(id));
  return <div className={classes.bar}>{data ? <Bar answer={data} firstSeen={Date.parse(firstSeen)} /> : null}</div>;
}

function Bar({ answer, firstSeen }: { answer: StripsAnswer; firstSeen: number }) {
  const { zone } = useZone();
  const [from, to] = [Date.parse(answer.from), Date.parse(answer.to)];
  const { seen, longest } = seenStretches(answer, Math.max(from, Math.min(firstSeen, to)));
  const said =
    seen.length === 0
      ? "No reading in the last 24 hours"
      : longest === null
        ? "Readings throughout the last 24 hours"
        : `${counted(seen.length, "stretch", "stretches")} with readings in the last 24 hours; the longest without: ` +
          `${formatDuration(longest.to - longest.from)}, until ${formatMoment(longest.to, zone)}`;
  return (
    <>
      <div className={classes.track} role="img" aria-label={said} title={said}>
        {seen.map((stretch) => (
          <span
            key={stretch.from}
            style={{
              left: `${shareOfTime(stretch.from, from, to)}%`,
              width: `max(2px, ${shareOfTime(stretch.to, from, to) - shareOfTime(stretch.from, from, to)}%)`,
            }}
          />
        ))}
      </div>
      <small aria-hidden="true">
        <span>24 h ago</span>
        <span>
          {seen.length === 0
            ? "no reading"
            : longest === null
              ? "no gap"
              : `longest gap ${formatDuration(longest.to - longest.from)}, until ${formatMoment(longest.to, zone)}`}
        </span>
        <span>now</span>
      </small>
    </>
  );
}
