import type { ReadingColumns, Shape } from "@/server/domain/message";
import type { EnrichedMessage } from "@/server/ports/commit-batch";
import type { DeviceTwins } from "@/server/ports/device-twins";
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

/** Devices remembered at most. */
const MOST_SEEN = 1_000_000;

/** What tells which values of twins are left over. */
interface LeftOverDeps {
  readonly twins: Pick<DeviceTwins, "get" | "forget">;
  /** The keys and metrics of those of these devices that the catalog has now, by the device's name. */
  readonly metricsOf: (
    devices: readonly string[],
  ) => Promise<ReadonlyMap<string, { readonly id: number; readonly metrics: ReadonlySet<string> }>>;
  /** Which of these names a job has still to take out of twins, or give on: of devices whose key is above the number by name. */
  readonly underWay: (names: readonly string[]) => Promise<ReadonlyMap<string, number>>;
}

/**
 * Makes what takes values out of the twins of a batch's devices that can't be theirs, once for each catalog: those of metrics that the device
 * hasn't, and of other names of metrics. A worker that still remembered an earlier catalog may have put them there before its batch was
 * refused and came again under other names. What a job has not come to yet is left to it: that may be the newest there is.
 */
export function createForgetLeftOver({ twins, metricsOf, underWay }: LeftOverDeps) {
  let seen = { epoch: null as number | null, devices: new Set<number>() };
  return async ({ epoch, aliases, messages }: EnrichedBatch): Promise<void> => {
    // Nothing was ever taken out of the catalog, nor given another name.
    if (epoch === null || epoch === 0) return;
    if (seen.epoch !== epoch || seen.devices.size > MOST_SEEN) seen = { epoch, devices: new Set() };
    const { devices } = seen;
    const fresh = new Map<string, number>();
    for (const { message, deviceId } of messages) if (!devices.has(deviceId)) fresh.set(message.device, deviceId);
    if (fresh.size === 0) return;
    const names = [...fresh.keys()];
    // Before what the devices have is read: that a device has a metric is noted before its first value comes to the twin.
    const found = await twins.get(names);
    // By name: this batch may remember a device that was removed, whose name is another one's by now.
    const own = await metricsOf(names);
    const left = new Map<string, string[]>();
    for (const { device, values } of found.values()) {
      const has = own.get(device)?.metrics;
      if (has === undefined) continue;
      for (const [field, { value, isState }] of values) {
        const isReading = typeof value !== "string" && !isState;
        if (aliases?.has(field) || (isReading && !has.has(field)))
          left.set(field, [...(left.get(field) ?? []), device]);
      }
    }
    const moving = left.size === 0 ? new Map<string, number>() : await underWay([...left.keys()]);
    for (const device of fresh.values()) devices.add(device);
    for (const [field, those] of left) {
      const isMoving = (device: string) => own.get(device)!.id > (moving.get(field) ?? Infinity);
      const done = those.filter((device) => !isMoving(device));
      if (done.length > 0) await twins.forget(done, field);
      // To be looked at again.
      for (const device of those.filter(isMoving)) devices.delete(fresh.get(device)!);
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
