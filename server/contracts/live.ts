import type { HealthAnswer } from "./health";
import type { PipelineAnswer } from "./pipeline";

/**
 * The live channel (Socket.IO). A browser watches rooms; each room sends frames at most 5 times a second, at most once
 * each, numbered without gaps. A room lives while it is watched by anyone, and its numbers are those of one life. The
 * browser loads a snapshot by REST, applies frames with later numbers, and loads again after a gap, a reconnect, or in
 * another life of the room.
 */
export interface ServerToClient {
  frame: (frame: Frame) => void;
  /** Comes every {@link PULSE_MS} whatever is watched: a connection over which it doesn't is one to a server that hangs. */
  pulse: () => void;
  /** This server is about to stop and another is there: come back in so many milliseconds, each browser in its own. */
  leaving: (inMs: number) => void;
}

/** Milliseconds between two pulses. */
export const PULSE_MS = 1000;

export interface ClientToServer {
  /** Joins a room. The answer's `seq` is the number of the last frame sent before joining. */
  watch: (room: Room, answer: (state: WatchAnswer) => void) => void;
  unwatch: (room: Room) => void;
}

/** overview and health: everything on those pages · device:<id>: one device · devices: every device's newest values · alerts: that some changed. */
export type Room = "overview" | "health" | "devices" | "alerts" | `device:${string}`;

export type WatchAnswer =
  | { readonly ok: true; readonly life: string; readonly seq: number }
  | { readonly ok: false; readonly error: string };

export interface Frame {
  readonly room: Room;
  /** Names the room's life, which ends when its last browser leaves or the server stops: numbers of another don't continue these. */
  readonly life: string;
  readonly seq: number;
  /** Epoch milliseconds when the frame was sent. */
  readonly at: number;
  readonly data: FrameData;
}

export type FrameData =
  | {
      readonly kind: "overview";
      readonly pipeline: PipelineAnswer;
      readonly verdict: Pick<HealthAnswer, "status" | "verdict" | "parts">;
    }
  | { readonly kind: "health"; readonly health: HealthAnswer }
  | { readonly kind: "devices"; readonly devices: readonly LiveDevice[] }
  /** Alerts that the browser may see have changed, or what was told of them: load again what shows them. */
  | { readonly kind: "alerts" };

/** The news of one device since the frame before; every point in it is committed. */
export interface LiveDevice {
  readonly id: string;
  /** Ingest time of the latest message it sent itself, epoch milliseconds; 0 for none. */
  readonly lastSeen: number;
  /** Messages handled since the frame before. */
  readonly messages: number;
  /** New readings in event-time order: [event time in epoch ms, value] by metric; booleans are 0 and 1. */
  readonly points: Readonly<Record<string, readonly (readonly [time: number, value: number])[]>>;
  /** Newest strings by field. */
  readonly texts: Readonly<Record<string, readonly [time: number, text: string]>>;
  /** Present if a goodbye of it came: load again whether that is the last of it. */
  readonly gone?: true;
  /** True if more came than fit: load again what must be complete. */
  readonly more: boolean;
}

/** One record of the topic iot.live: what a worker committed since its record before, as UTF-8 JSON. */
export interface LiveRecord {
  /** The worker's id, the same for the life of its process. */
  readonly worker: string;
  /** Counts this worker's records from 1, those that could not be sent included. */
  readonly seq: number;
  /** Epoch milliseconds when it was made. */
  readonly at: number;
  /** A device at most once. */
  readonly devices: readonly LiveDevice[];
}
