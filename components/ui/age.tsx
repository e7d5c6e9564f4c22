"use client";
import { formatAge, formatInstant } from "./format";
import { useClock } from "./clock";
import { useZone } from "./zone";

/** "12 s ago", ticking by itself; the exact moment on hover. `time` is epoch ms or an RFC 3339 instant. */
export function Age({ time, className }: { time: number | string; className?: string }) {
  const ms = typeof time === "number" ? time : Date.parse(time);
  const { zone } = useZone();
  const text = useClock((now) => formatAge(now - ms));
  return (
    <time className={className} dateTime={new Date(ms).toISOString()} title={formatInstant(ms, zone)}>
      {text ?? ""}
    </time>
  );
}
