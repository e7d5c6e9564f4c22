import { PULSE_MS } from "@/server/contracts/live";
import type { Connection } from "../live/client";
import type { Mark } from "../ui/state-mark";

/** A short break is "reconnecting"; from here on the values on screen are called stale. */
const STALE_AFTER_MS = 10_000;

/** The silence after which a connected channel isn't working, in milliseconds: three pulses that didn't come. */
const SILENT_AFTER_MS = 3.5 * PULSE_MS;

/** What a frame brought is on the page so soon after it, in milliseconds. */
const FRAME_SHOWN_MS = 1000;

/** Describes the live channel for a person. `staleSince` is the last moment values were surely current, epoch ms. */
export interface ConnectionView {
  readonly mark: Mark;
  readonly word: "Connecting" | "Connected" | "Reconnecting" | "Stale";
  readonly staleSince: number | null;
}

/** Tells how the channel stands at `now`. */
export function connectionView(connection: Omit<Connection, "refusal">, now: number): ConnectionView {
  const heard = connection.heardAt;
  if (connection.phase === "connected") {
    const quietSince = Math.max(connection.since, heard ?? 0);
    if (now - quietSince <= SILENT_AFTER_MS) return { mark: "ok", word: "Connected", staleSince: null };
    return { mark: "stale", word: "Stale", staleSince: quietSince };
  }
  // A channel that had fallen silent before it broke doesn't become fresh by that.
  const wasSilent = heard !== null && connection.since - heard > SILENT_AFTER_MS;
  if (!wasSilent && now - connection.since <= STALE_AFTER_MS) {
    const word = connection.phase === "connecting" ? "Connecting" : "Reconnecting";
    return { mark: "unknown", word, staleSince: heard };
  }
  return { mark: "stale", word: "Stale", staleSince: heard ?? connection.since };
}

/**
 * Tells whether the server gives no sign of life: a process that hangs keeps its connections, or lets new ones wait, and answers neither the live channel nor a
 * request. Where requests alone are answered, a proxy in between lets no WebSocket through. Times in epoch ms by this browser.
 * @param staleSince null while the channel is live  @param answeredAt of the newest answer to a request, or of the newest frame; 0 for none
 */
export function isHung(staleSince: number | null, answeredAt: number): boolean {
  return staleSince !== null && answeredAt <= staleSince + FRAME_SHOWN_MS;
}
