"use client";
import { formatAge, formatInstant } from "./format";
import { useClock } from "./clock";
import { useZone } from "./zone";

/** Younger than this is "now" where ages are calm, in milliseconds; until a minute has passed, they go by ten seconds. */
const CALM_MS = 10_000;

/** "12 s ago", ticking by itself; the exact moment on hover. `time` is epoch ms or an RFC 3339 instant. `isCalm`: by ten seconds, for what is heard again and again. */
export function Age({ time, className, isCalm }: { time: number | string; className?: string; isCalm?: true }) {
  const ms = typeof time === "number" ? time : Date.parse(time);
  const { zone } = useZone();
  const text = useClock((now) => formatAge(isCalm ? calmed(now - ms) : now - ms));
  return (
    <time className={className} dateTime={new Date(ms).toISOString()} title={formatInstant(ms, zone)}>
      {text ?? ""}
    </time>
  );
}

function calmed(age: number): number {
  if (age < CALM_MS) return 0;
  return age < 60_000 ? Math.floor(age / CALM_MS) * CALM_MS : age;
}
