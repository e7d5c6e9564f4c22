import type { Explained, MappingPreview } from "@/server/contracts/sources";

type Item = MappingPreview["items"][number];
type Reading = Explained["messages"][number]["readings"][number];

/** A reading that another mapping makes otherwise. */
export interface ReadingChange {
  readonly kind: "added" | "gone" | "changed";
  readonly device: string;
  readonly metric: string;
  /** As it is now; null where it is added. */
  readonly before: Pick<Reading, "value" | "unit"> | null;
  readonly after: Pick<Reading, "value" | "unit"> | null;
}

/** What another mapping makes of the samples, compared with the current one. */
export interface Effect {
  readonly samples: number;
  readonly same: number;
  readonly changes: readonly ReadingChange[];
  readonly refusedBefore: number;
  readonly refusedAfter: number;
  /** Devices that are new by it, and those that are no more. */
  readonly devices: { readonly added: readonly string[]; readonly gone: readonly string[] };
}

/** Compares what two mappings make of the same payloads. Readings are the same by device, metric and time. */
export function effectOf(items: readonly Item[]): Effect {
  const changes: ReadingChange[] = [];
  const devices = { before: new Set<string>(), after: new Set<string>() };
  let [same, refusedBefore, refusedAfter] = [0, 0, 0];
  for (const { before, after } of items) {
    if (before === null) continue;
    refusedBefore += before.refused.length;
    refusedAfter += after.refused.length;
    const [was, is] = [readingsOf(before), readingsOf(after)];
    before.messages.forEach(({ device }) => devices.before.add(device));
    after.messages.forEach(({ device }) => devices.after.add(device));
    for (const [key, one] of was) {
      const other = is.get(key);
      const { device, metric } = one;
      if (!other) changes.push({ kind: "gone", device, metric, before: one, after: null });
      else if (other.value === one.value && other.unit === one.unit) same++;
      else changes.push({ kind: "changed", device, metric, before: one, after: other });
    }
    for (const [key, one] of is)
      if (!was.has(key))
        changes.push({ kind: "added", device: one.device, metric: one.metric, before: null, after: one });
  }
  const only = (one: Set<string>, other: Set<string>) => [...one].filter((device) => !other.has(device));
  return {
    ...{ samples: items.length, same, changes, refusedBefore, refusedAfter },
    devices: { added: only(devices.after, devices.before), gone: only(devices.before, devices.after) },
  };
}

function readingsOf({ messages }: Explained): Map<string, Reading & { device: string }> {
  return new Map(
    messages.flatMap(({ device, time, readings }) =>
      // Text stays in the message: it is no reading.
      readings
        .filter(({ value }) => typeof value !== "string")
        .map((reading) => [JSON.stringify([device, reading.metric, time]), { ...reading, device }] as const),
    ),
  );
}

/** Changes of the same kind of the same metric, which many samples have, as one. */
export interface ChangeGroup {
  readonly kind: ReadingChange["kind"];
  readonly metric: string;
  readonly count: number;
  /** One of them. */
  readonly example: ReadingChange;
}

/** Changes by kind and metric, the most first. */
export function groupedChanges(changes: readonly ReadingChange[]): readonly ChangeGroup[] {
  const groups = new Map<string, ChangeGroup>();
  for (const change of changes) {
    const { kind, metric } = change;
    const key = `${kind} ${metric}`;
    const group = groups.get(key);
    groups.set(key, { kind, metric, count: (group?.count ?? 0) + 1, example: group?.example ?? change });
  }
  return [...groups.values()].toSorted((a, b) => b.count - a.count);
}
