import type { EpochMs } from "@/server/domain/terms";
import { DEVICE_TYPES, type DeviceTraits, type DeviceTypeName, type Readings } from "./device-types";
import { type Fault, type FaultKind, faultsOfSlot, MALFORMED, SLOT_MS, touches } from "./faults";
import { chance } from "./randomness";
import { SITES } from "./sites";

export interface FleetOptions {
  readonly seed: number;
  readonly devices: number;
  /** Time between two messages of a device. */
  readonly intervalMs: number;
  /** Faults an average device has in an hour. */
  readonly faultsPerHour: number;
}

export interface SimulatedDevice extends DeviceTraits {
  readonly name: string;
  readonly type: DeviceTypeName;
  /** Moment in the interval when it reports: spread evenly over the fleet. */
  readonly phaseMs: number;
}

export interface Fleet {
  readonly devices: readonly SimulatedDevice[];
  /** Returns when a device's tick is due. */
  dueAt(device: SimulatedDevice, tick: number): EpochMs;
  /**
   * The messages that go out at a tick, as JSON texts in order: usually one, none while it has no connection, many
   * when it reconnects. Pure: depends on nothing but the options, the device and the tick.
   */
  messagesAt(device: SimulatedDevice, tick: number): string[];
}

/** A device keeps no more than this many messages while it has no connection. */
const BACKLOG_LIMIT = 600;

const TYPE_CYCLE = (Object.keys(DEVICE_TYPES) as DeviceTypeName[]).flatMap((type) =>
  new Array<DeviceTypeName>(DEVICE_TYPES[type].share).fill(type),
);

/** A reproducible fleet: growing it keeps the devices that were there. */
export function createFleet(options: FleetOptions): Fleet {
  const { seed, intervalMs, faultsPerHour } = options;
  const devices = Array.from({ length: options.devices }, (_, index) => describeDevice(seed, index, intervalMs));
  const dueAt = (device: SimulatedDevice, tick: number) => tick * intervalMs + device.phaseMs;

  /** Faults that touch a tick, by kind; of two of a kind the later one counts. */
  function faultsAt(device: SimulatedDevice, tick: number): ReadonlyMap<FaultKind, Fault> {
    const found = new Map<FaultKind, Fault>();
    if (faultsPerHour === 0) return found;
    const at = dueAt(device, tick);
    // Back to the slot a lasting fault can have begun in, or the one of the previous tick, whichever is earlier.
    for (let slot = Math.floor((at - Math.max(SLOT_MS, intervalMs)) / SLOT_MS); slot <= at / SLOT_MS; slot++) {
      for (const fault of faultsOfSlot(seed, device.index, slot, faultsPerHour)) {
        if (touches(fault, at - intervalMs, at)) found.set(fault.kind, fault);
      }
    }
    return found;
  }

  const offline = (faults: ReadonlyMap<FaultKind, Fault>) => faults.has("dropout");

  /** An even tick that lets the next one overtake it. */
  function overtaken(device: SimulatedDevice, tick: number, faults: ReadonlyMap<FaultKind, Fault>): boolean {
    return tick % 2 === 0 && faults.has("outOfOrder") && !offline(faults) && !offline(faultsAt(device, tick + 1));
  }

  function message(device: SimulatedDevice, tick: number, faults: ReadonlyMap<FaultKind, Fault>): string[] {
    const at = dueAt(device, tick);
    const good = {
      device: device.name,
      time: new Date(at + skew(faults.get("clockSkew"))).toISOString(),
      site: device.site.name,
      type: device.type as string,
      readings: distorted(device, at, faults),
    };
    const malformed = faults.get("malformed");
    const text = malformed ? pick(MALFORMED, malformed.draw)(good) : JSON.stringify(good);
    return faults.has("repeat") ? [text, text] : [text];
  }

  return {
    devices,
    dueAt,
    messagesAt(device, tick) {
      const faults = faultsAt(device, tick);
      if (offline(faults)) return [];
      const messages: string[] = [];
      if (faultsPerHour > 0) {
        const held: string[][] = [];
        let earlier = tick - 1;
        let earlierFaults = faultsAt(device, earlier);
        if (overtaken(device, earlier, earlierFaults))
          return [...message(device, tick, faults), ...message(device, earlier, earlierFaults)];
        while (offline(earlierFaults) && held.length < BACKLOG_LIMIT) {
          held.unshift(message(device, earlier, earlierFaults));
          earlierFaults = faultsAt(device, --earlier);
        }
        messages.push(...held.flat());
        if (overtaken(device, tick, faults)) return messages;
      }
      messages.push(...message(device, tick, faults));
      return messages;
    },
  };
}

function describeDevice(seed: number, index: number, intervalMs: number): SimulatedDevice {
  const type = TYPE_CYCLE[index % TYPE_CYCLE.length] as DeviceTypeName;
  const site = pick(SITES, ((index + Math.floor(index / TYPE_CYCLE.length)) % SITES.length) / SITES.length);
  const name = `${type}-${String(index + 1).padStart(3, "0")}`;
  // Multiples of the golden ratio stay evenly spread for any number of devices.
  return { seed, index, site, name, type, phaseMs: Math.floor(((index * 0.618033988749895) % 1) * intervalMs) };
}

/** The device's readings with its sensor's fault, if it has one now. */
function distorted(device: SimulatedDevice, at: EpochMs, faults: ReadonlyMap<FaultKind, Fault>): Readings {
  const type = DEVICE_TYPES[device.type];
  const readings: Readings = type.readings(device, at);
  for (const kind of ["drift", "stuck", "spike"] as const) {
    const fault = faults.get(kind);
    if (!fault) continue;
    const metric = pick<string>(type.sensed, chance(device.seed, device.index, fault.start));
    const value = readings[metric];
    if (typeof value !== "number") continue;
    const size = Math.max(1, Math.abs(value));
    const sign = fault.draw < 0.5 ? -1 : 1;
    const progress = fault.end === fault.start ? 1 : (at - fault.start) / (fault.end - fault.start);
    if (kind === "stuck") readings[metric] = type.readings(device, fault.start)[metric as never] as number;
    else if (kind === "drift") readings[metric] = hundredths(value + sign * size * (0.1 + 0.3 * fault.draw) * progress);
    else readings[metric] = hundredths(value + sign * size * (2 + 6 * fault.draw));
  }
  return readings;
}

/** Returns the error of a clock, from half an hour behind to a quarter of an hour ahead. */
function skew(fault: Fault | undefined): number {
  return fault ? Math.round((fault.draw * 45 - 30) * 60_000) : 0;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

function pick<T>(from: readonly T[], draw: number): T {
  return from[Math.floor(draw * from.length)] as T;
}
