import type { DeviceCheck, SeriesCheck, SlowCheck } from "@/server/domain/quality/checks";
import { chance } from "@/server/simulator/randomness";
import { DEVICE_TYPES } from "@/server/simulator/device-types";
import { type Fault, faultsOfSlot, SLOT_MS } from "@/server/simulator/faults";
import type { FleetOptions, SimulatedDevice } from "@/server/simulator/fleet";

export type AnyCheck = SeriesCheck | DeviceCheck | SlowCheck;

/** Something that is wrong, and which check should tell of it. */
export interface Truth {
  /** Device and metric; * for all of the device's. */
  readonly place: string;
  readonly check: AnyCheck;
  readonly from: number;
  readonly to: number;
  /** Whether it is long or strong enough that it has to be found; what is flagged of another is right all the same. */
  readonly counts: boolean;
}

/** The clock may be off by as much before anyone has to see it, in milliseconds. */
const CLOCK_MS = 12_000;

/** The simulator's own faults of a device from `from` to `to`, as what the checks should find. */
export function truthOf(device: SimulatedDevice, options: FleetOptions, from: number, to: number): Truth[] {
  const { seed, intervalMs } = options;
  const { sensed, readings } = DEVICE_TYPES[device.type];
  return faultsOf(device, options, from, to).flatMap((fault): Truth[] => {
    const metric = sensed[Math.floor(chance(seed, device.index, fault.start) * sensed.length)]!;
    const lasts = fault.end - fault.start;
    const of = (check: AnyCheck, name: string, counts: boolean): Truth[] => [
      {
        place: `${device.index} ${name}`,
        check,
        from: fault.start,
        to: Math.max(fault.end, fault.start + 5 * intervalMs),
        counts,
      },
    ];
    const moves = (least: number) => {
      const values = ticksOf(fault, device, intervalMs).map(
        (at) => (readings(device, at) as Record<string, number>)[metric]!,
      );
      const stuck = (readings(device, fault.start) as Record<string, number>)[metric]!;
      return values.filter((value) => value !== stuck).length >= least;
    };
    switch (fault.kind) {
      case "spike":
        return of("spike", metric, true);
      // A sensor of what doesn't move is as if it were right.
      case "stuck":
        return of("stuck", metric, lasts >= 120_000 && moves(5));
      case "drift":
        return of("drift", metric, true);
      case "clockSkew":
        return of("clock", "*", Math.abs(Math.round((fault.draw * 45 - 30) * 60_000)) >= CLOCK_MS);
      case "dropout":
        return of("reception", "*", lasts >= 3 * intervalMs);
      default:
        return [];
    }
  });
}

function faultsOf(
  device: SimulatedDevice,
  { seed, faultsPerHour }: FleetOptions,
  from: number,
  to: number,
): readonly Fault[] {
  const faults: Fault[] = [];
  for (let slot = Math.floor(from / SLOT_MS); slot * SLOT_MS < to; slot++)
    faults.push(...faultsOfSlot(seed, device.index, slot, faultsPerHour));
  return faults;
}

function ticksOf(fault: Fault, device: SimulatedDevice, intervalMs: number): number[] {
  const ticks: number[] = [];
  for (
    let tick = Math.ceil((fault.start - device.phaseMs) / intervalMs);
    tick * intervalMs + device.phaseMs < fault.end;
    tick++
  )
    ticks.push(tick * intervalMs + device.phaseMs);
  return ticks;
}
