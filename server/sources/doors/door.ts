import type { EpochMs } from "@/server/domain/terms";
import type { OpenSource } from "../intake";

/** What a door tells of itself, for Health. */
export interface DoorState {
  /** Which door, in words: "MQTT on 127.0.0.1:1883", "bridge to mqtt://plant.example". */
  readonly what: string;
  /** Why nothing comes in by it; null when all is well. */
  readonly trouble: string | null;
  /** What to do about that; null when it mends by itself. */
  readonly fix: string | null;
  /** Senders connected to it; null where it is the one that connects. */
  readonly clients: number | null;
  /** Messages that wait to be read, where that is known. */
  readonly lag: number | null;
}

/** A door of one source that is open. */
export interface Door {
  state(): DoorState;
  /** Reads no more, waits for what is on its way to the log, and lets go. */
  stop(withinMs: number): Promise<void>;
}

/** Opens the door of a source; `current` is the source as it is at any time: its mapping may change while the door stays open. */
export type OpenDoor = (source: OpenSource, current: () => OpenSource) => Door;

/** A door's state as it was told. */
export interface DoorReport extends DoorState {
  /** The source's name; null for the listener, which many share. */
  readonly source: string | null;
  readonly at: EpochMs;
}
