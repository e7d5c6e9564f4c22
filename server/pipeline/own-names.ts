import type { ReadingColumns, Shape } from "@/server/domain/message";
import type { EnrichedMessage } from "@/server/ports/commit-batch";
import type { EnrichedBatch } from "./batch";

/**
 * Gives the readings and texts of messages the names that their metrics have, where they were sent under others. What is sent under two names of
 * one metric is its reading once: the first in the message; those after it are kept apart, to be judged as repeats or conflicts.
 */
export function createOwnNames(aliases: ReadonlyMap<string, string>): (message: EnrichedMessage) => EnrichedMessage {
  const nameOf = (name: string) => aliases.get(name) ?? name;
  const named = <T>(pairs: readonly (readonly [string, T])[]) =>
    pairs.map(([name, value]) => [nameOf(name), value] as const);
  /** What becomes of each shape, once for all messages that share it; null: it stays. */
  const known = new Map<Shape, Renamed | null>();
  return (enriched) => {
    let to = known.get(enriched.shape);
    if (to === undefined) known.set(enriched.shape, (to = renamed(enriched.shape, nameOf)));
    const { message } = enriched;
    if (to === null && enriched.texts.length === 0 && message.state === undefined) return enriched;
    const texts = enriched.texts.length === 0 ? enriched.texts : named(enriched.texts);
    const state = message.state && named(message.state);
    const own = { ...enriched, texts, message: state ? { ...message, state } : message };
    if (to === null) return own;
    const { shape, kept, again } = to;
    if (again.length === 0) return { ...own, shape };
    return { ...own, ...pick(enriched, kept), shape, again: pick(enriched, again) };
  };
}

/** The other names of each metric that has any. */
export function byOwnName(aliases: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> {
  const others = new Map<string, string[]>();
  for (const [alias, name] of aliases) {
    const of = others.get(name);
    if (of) of.push(alias);
    else others.set(name, [alias]);
  }
  return others;
}

/** Pairs of devices and metrics remembered at most. */
const MOST_SEEN = 1_000_000;

/** Tells which names a job has still to give on, of devices whose key is above the number by name. */
export type UnderWay = (names: readonly string[]) => Promise<ReadonlyMap<string, number>>;

/**
 * Makes what takes the other names of metrics out of the twins of a batch's devices, once for each catalog: a worker that still remembered an
 * earlier one may have put them there before its batch was refused and came again. What the job of a rename has not come to yet is left to
 * it: that is no repeat, and may be the newest there is.
 */
export function createForgetOtherNames(
  forget: (devices: readonly string[], field: string) => Promise<void>,
  underWay: UnderWay,
) {
  let seen = { epoch: null as number | null, pairs: new Set<string>() };
  return async ({ epoch, messages, otherNames }: EnrichedBatch): Promise<void> => {
    if (otherNames === undefined) return;
    if (seen.epoch !== epoch || seen.pairs.size > MOST_SEEN) seen = { epoch, pairs: new Set() };
    const { pairs } = seen;
    const fresh = new Map<string, Map<string, number>>();
    const known = new Map<Shape, readonly string[]>();
    for (const { shape, message, deviceId } of messages) {
      let names = known.get(shape);
      if (names === undefined) known.set(shape, (names = shape.names.filter((name) => otherNames.has(name))));
      for (const name of names)
        if (!pairs.has(`${message.device} ${name}`))
          fresh.set(name, (fresh.get(name) ?? new Map<string, number>()).set(message.device, deviceId));
    }
    if (fresh.size === 0) return;
    const moving = await underWay([...fresh.keys()].flatMap((name) => otherNames.get(name)!));
    for (const [name, devices] of fresh) {
      const others = otherNames.get(name)!;
      const isMoving = (key: number, other: string) => key > (moving.get(other) ?? Infinity);
      for (const other of others) {
        const done = [...devices].filter(([, key]) => !isMoving(key, other)).map(([device]) => device);
        if (done.length > 0) await forget(done, other);
      }
      for (const [device, key] of devices)
        if (!others.some((other) => isMoving(key, other))) pairs.add(`${device} ${name}`);
    }
  };
}

interface Renamed {
  readonly shape: Shape;
  /** Places of the readings that stay, and of those that are others of the same metric. */
  readonly kept: readonly number[];
  readonly again: readonly number[];
}

function renamed(shape: Shape, nameOf: (name: string) => string): Renamed | null {
  const names = shape.names.map(nameOf);
  if (names.every((name, i) => name === shape.names[i])) return null;
  const places = names.map((_, i) => i);
  const kept = places.filter((i) => names.indexOf(names[i]!) === i);
  const again = places.filter((i) => !kept.includes(i));
  return { shape: { names: kept.map((i) => names[i]!), kinds: kept.map((i) => shape.kinds[i]!) }, kept, again };
}

function pick(
  { metrics, values }: Pick<EnrichedMessage, "metrics"> & Pick<ReadingColumns, "values">,
  places: readonly number[],
): { metrics: readonly number[]; values: readonly number[] } {
  return { metrics: places.map((i) => metrics[i]!), values: places.map((i) => values[i]!) };
}
