import { formatDuration } from "@/server/domain/duration";
import type { ClockReading } from "@/server/ports/inspection";
import { type Finding, pass } from "./probe";

const WARN_MS = 2000;
const FAIL_MS = 60_000;

/** Compares an engine's clock with the one here. */
export function judgeClock(engine: string, { before, after, theirs }: ClockReading): Finding {
  if (theirs === null) {
    return {
      status: "unknown",
      summary: "Not told.",
      cause: `${engine} gave no time of its own.`,
      fix:
        engine === "Kafka"
          ? "First mend the topic iot.live: its time must be Kafka's."
          : "Nothing: it is only not checked.",
    };
  }
  // Anything between asking and the answer is no difference.
  const differenceMs = theirs < before ? theirs - before : Math.max(0, theirs - after);
  if (Math.abs(differenceMs) <= WARN_MS) return pass("The clocks here and there agree.");
  const words = `${formatDuration(Math.abs(differenceMs))} ${differenceMs < 0 ? "behind" : "ahead"}`;
  return {
    status: Math.abs(differenceMs) > FAIL_MS ? "fail" : "warn",
    summary: `${engine}'s clock is ${words}.`,
    cause: "One of the two machines does not keep time; lag and device states are off by as much.",
    fix: "Turn on time synchronisation on both machines, e.g.: `timedatectl set-ntp true`",
  };
}
