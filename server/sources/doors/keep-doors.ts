import type { OpenSource } from "../intake";
import type { Door, OpenDoor } from "./door";

/** The doors of sources, each open for as long as its source is there and is what it was opened for. */
export interface KeptDoors {
  /** Opens and closes doors, as sources have it now. */
  settle(sources: readonly OpenSource[]): Promise<void>;
  open(): ReadonlyMap<OpenSource, Door>;
  stop(withinMs: number): Promise<void>;
}

interface Kept {
  current: OpenSource;
  /** The settings it was opened with. */
  readonly settings: string;
  readonly door: Door;
}

/** The time a door may take to close because its source changed, in milliseconds. */
const CHANGE_MS = 10_000;

/** @param opens makes doors of these types; sources with another are left alone. */
export function keepDoors(opens: Partial<Record<OpenSource["door"]["type"], OpenDoor>>): KeptDoors {
  const kept = new Map<number, Kept>();

  async function settle(sources: readonly OpenSource[]): Promise<void> {
    const wanted = new Map(sources.map((source) => [source.id, source]));
    const closing: Promise<void>[] = [];
    for (const [id, one] of kept) {
      const source = wanted.get(id);
      if (source !== undefined && settingsOf(source) === one.settings) one.current = source;
      else {
        kept.delete(id);
        closing.push(one.door.stop(CHANGE_MS));
      }
    }
    // Two of the same client id or group would push each other out.
    await Promise.all(closing);
    for (const source of sources) {
      const open = opens[source.door.type];
      if (open === undefined || kept.has(source.id)) continue;
      const settings = settingsOf(source);
      const current = () => kept.get(source.id)?.current ?? source;
      kept.set(source.id, { current: source, settings, door: open(source, current) });
    }
  }

  return {
    settle,
    open: () => new Map([...kept.values()].map(({ current, door }) => [current, door])),
    async stop(withinMs) {
      await Promise.all([...kept.values()].map(({ door }) => door.stop(withinMs)));
    },
  };
}

function settingsOf({ name, door, doorSecret }: OpenSource): string {
  return JSON.stringify([name, door, doorSecret]);
}
