"use client";
import { useNow } from "./clock";
import { formatInstant, formatTick } from "./format";
import { useZone } from "./zone";

const DAY_MS = 86_400_000;

/** A moment of lately, RFC 3339: the time alone within a day, else with the date; the exact one on hover. */
export function Since({ time }: { time: string }) {
  const { zone } = useZone();
  const now = useNow(60_000);
  const ms = Date.parse(time);
  // On the server neither the reader's zone nor what day it is there is known: the place is kept for it.
  if (now === 0) return <time style={{ visibility: "hidden" }}>00:00</time>;
  return (
    <time dateTime={time} title={formatInstant(ms, zone)}>
      {formatTick(ms, zone, now - ms < DAY_MS ? DAY_MS : 2 * DAY_MS)}
    </time>
  );
}
