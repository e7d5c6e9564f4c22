import type { Pool } from "pg";
import { onceAtATime } from "@/server/async/once-at-a-time";
import { isRetryable } from "@/server/postgres/error-classes";
import type { OpenSource, Sources } from "./intake";
import { currentMappings, listSources } from "./rows";

/** So long a change that nobody was told of may go unseen. */
const KEEP_MS = 60_000;
/** Between two questions for a source that isn't there. */
const MISS_MS = 500;

interface Loaded {
  readonly byName: ReadonlyMap<string, OpenSource>;
  readonly byId: ReadonlyMap<number, OpenSource>;
  /** When it was asked for, by the monotonic clock. */
  readonly at: number;
}

/** {@link Sources}, and how they hear of changes. */
export interface WatchedSources extends Sources {
  /** Asks again for all of them, and tells those who wait for changes. */
  forget(): void;
}

/** All sources that are enabled, read at once and kept until one changes; while PostgreSQL is away, those of before. */
export function createSources(pool: Pool): WatchedSources {
  let loaded: Loaded | null = null;
  let forgottenAt = -Infinity;
  const listeners = new Set<() => void>();

  const load = onceAtATime(async (): Promise<Loaded> => {
    const at = performance.now();
    const [rows, mappings] = await Promise.all([listSources(pool, "all"), currentMappings(pool)]);
    const before = loaded;
    const open = rows.flatMap((row): OpenSource[] => {
      const mapping = mappings.get(row.id);
      if (!row.enabled || mapping === undefined) return [];
      // The same object as long as nothing changed: what is made of a mapping is kept by it.
      const same = before?.byId.get(row.id);
      return [same?.revision === row.revision && same.site?.name === row.site?.name ? same : { ...row, mapping }];
    });
    loaded = {
      byName: new Map(open.map((source) => [source.name, source])),
      byId: new Map(open.map((source) => [source.id, source])),
      at,
    };
    return loaded;
  });

  async function current(): Promise<Loaded> {
    const known = loaded;
    if (known !== null && known.at > forgottenAt && performance.now() - known.at < KEEP_MS) return known;
    try {
      const fresh = await load();
      // It was under way when something changed.
      return fresh.at > forgottenAt ? fresh : await load();
    } catch (error) {
      if (known !== null && isRetryable(error)) return known;
      throw error;
    }
  }

  /** What is found, asked for once more if it isn't there: the word of what is new may be on its way. */
  async function find(look: (all: Loaded) => OpenSource | undefined): Promise<OpenSource | null> {
    const all = await current();
    const found = look(all);
    if (found !== undefined || performance.now() - all.at < MISS_MS) return found ?? null;
    forgottenAt = all.at;
    return look(await current()) ?? null;
  }

  return {
    named: (name) => find(({ byName }) => byName.get(name)),
    numbered: (id) => find(({ byId }) => byId.get(id)),
    all: async () => [...(await current()).byId.values()],
    onChange(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    forget() {
      forgottenAt = performance.now();
      for (const changed of listeners) changed();
    },
  };
}
