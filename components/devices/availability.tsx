"use client";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { counted } from "@/server/domain/counted";
import type { StripsAnswer } from "@/server/contracts/devices";
import type { EpochMs } from "@/server/domain/terms";
import { useLive } from "../live/provider";
import { deviceQuery } from "../queries/device";
import { daySeenQuery } from "../queries/readings";
import { formatMoment } from "../ui/format";
import { useZone } from "../ui/zone";
import classes from "./availability.module.css";
import { shareOfTime } from "../shell/flags/flag-places";
import { gapWords, seenStretches } from "./seen";

/** The last 24 hours of a device: when there are readings of it, by their own time. Nothing until it is known. */
export function Availability({ id, firstSeen }: { id: string; firstSeen: string }) {
  const { data, refetch } = useQuery(daySeenQuery(id));
  const { data: state } = useQuery({ ...deviceQuery(useLive(), id), select: (device) => device.state });
  // A device that is live again isn't said to be silent still until the next minute.
  useEffect(() => void refetch({ cancelRefetch: false }), [state, refetch]);
  return <div className={classes.bar}>{data ? <Bar answer={data} firstSeen={Date.parse(firstSeen)} /> : null}</div>;
}

function Bar({ answer, firstSeen }: { answer: StripsAnswer & { now: EpochMs }; firstSeen: EpochMs }) {
  const { zone } = useZone();
  const { since, seen, longest } = seenStretches(answer, firstSeen, answer.now);
  const from = Date.parse(answer.from);
  const share = (time: EpochMs) => shareOfTime(time, from, answer.now);
  const isNew = since > from;
  const said =
    seen.length === 0
      ? "No reading in the last 24 hours"
      : longest === null
        ? `Readings throughout ${isNew ? "since it is known" : "the last 24 hours"}`
        : `${counted(seen.length, "stretch", "stretches")} with readings in the last 24 hours; the longest without: ` +
          gapWords(longest, zone);
  const words = isNew ? `${said}; first seen ${formatMoment(firstSeen, zone)}` : said;
  return (
    <>
      <div className={classes.track} role="img" aria-label={words} title={words}>
        {isNew ? <span data-known="not-yet" style={{ width: `${share(since)}%` }} /> : null}
        <span data-known="known" style={{ left: `${share(since)}%` }} />
        {seen.map((stretch) => (
          <span
            key={stretch.from}
            data-known="seen"
            style={{
              left: `${share(stretch.from)}%`,
              width: `max(2px, ${share(stretch.to) - share(stretch.from)}%)`,
            }}
          />
        ))}
      </div>
      <small aria-hidden="true">
        <span>24 h ago</span>
        <span>
          {seen.length === 0 ? "no reading" : longest === null ? "no gap" : `longest gap ${gapWords(longest, zone)}`}
        </span>
        <span>now</span>
      </small>
    </>
  );
}
