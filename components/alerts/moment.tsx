"use client";
import { formatInstant } from "../ui/format";
import { useZone } from "../ui/zone";

/** A moment to the millisecond, in the page's zone. */
export function Moment({ time }: { time: string }) {
  const { zone } = useZone();
  return <time dateTime={time}>{formatInstant(Date.parse(time), zone)}</time>;
}
