"use client";
import { useNow } from "./clock";
import { formatInstant, formatSince } from "./format";
import { useZone } from "./zone";

/** A moment of lately or to come, RFC 3339, as {@link formatSince} has it; the exact one on hover. */
export function Since({ time }: { time: string }) {
  const { zone } = useZone();
  const now = useNow(60_000);
  const ms = Date.parse(time);
  // On the server neither the reader's zone nor what day it is there is known: the place is kept for it.
  if (now === 0) return <time style={{ visibility: "hidden" }}>00:00</time>;
  return (
    <time dateTime={time} title={formatInstant(ms, zone)}>
      {formatSince(ms, zone, now)}
    </time>
  );
}
