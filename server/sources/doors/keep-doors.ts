import type { OpenSource } from "../intake";
import { type KeptSecrets, KeptSecretError } from "@/server/config/kept-secrets";
import { secretHolder } from "../rows";
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

/** @param opens makes doors of these types, for sources whose secret was opened; sources with another are left alone. */
export function keepDoors(
  opens: Partial<Record<OpenSource["door"]["type"], OpenDoor>>,
  secrets: Pick<KeptSecrets, "open">,
): KeptDoors {
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
      kept.set(source.id, { current: source, ...opened(source, settings, () => open(withSecret(source), current)) });
    }
  }

  function withSecret(source: OpenSource): OpenSource {
    const { doorSecret, name } = source;
    return doorSecret === null ? source : { ...source, doorSecret: secrets.open(doorSecret, secretHolder(name)) };
  }

  return {
    settle,
    open: () => new Map([...kept.values()].map(({ current, door }) => [current, door])),
    async stop(withinMs) {
      await Promise.all([...kept.values()].map(({ door }) => door.stop(withinMs)));
    },
  };
}

/** A door that was opened, or one that stays shut without its password: the next settling tries it anew. */
function opened({ door }: OpenSource, settings: string, open: () => Door): Pick<Kept, "settings" | "door"> {
  try {
    return { settings, door: open() };
  } catch (error) {
    if (!(error instanceof KeptSecretError)) throw error;
    const state = { what: `${door.type} door`, trouble: error.message, fix: error.fix, clients: null, lag: null };
    return { settings: "", door: { state: () => state, stop: async () => {} } };
  }
}

function settingsOf({ name, door, doorSecret }: OpenSource): string {
  return JSON.stringify([name, door, doorSecret]);
}
