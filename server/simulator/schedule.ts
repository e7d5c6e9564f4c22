import type { EpochMs } from "@/server/domain/terms";
import type { Fleet, SimulatedDevice } from "./fleet";

export interface Schedule {
  /** Calls `report` for every tick that came due since the last call, in order of time. */
  runUntil(now: EpochMs, report: (device: SimulatedDevice, tick: number) => void): void;
  /** Time when the next tick is due. */
  nextAt(): EpochMs;
}

/** A computer that slept, or whose clock was set, goes on from now instead of making up hours at once. */
const LONGEST_GAP_MS = 60_000;

/** Walks the fleet's ticks in order of time, starting after `start`: one cursor, whatever the number of devices. */
export function createSchedule(fleet: Fleet, intervalMs: number, start: EpochMs): Schedule {
  const order = [...fleet.devices].sort((a, b) => a.phaseMs - b.phaseMs);
  let tick = 0;
  let place = 0;
  const nextAt = () => tick * intervalMs + (order[place]?.phaseMs ?? Infinity);

  function seek(after: EpochMs): void {
    tick = Math.floor(after / intervalMs);
    place = order.findIndex((device) => tick * intervalMs + device.phaseMs > after);
    if (place === -1) [tick, place] = [tick + 1, 0];
  }

  seek(start);
  return {
    nextAt,
    runUntil(now, report) {
      if (order.length === 0) return;
      const gap = now - nextAt();
      if (gap > LONGEST_GAP_MS || gap < -LONGEST_GAP_MS - intervalMs) seek(now);
      while (nextAt() <= now) {
        report(order[place] as SimulatedDevice, tick);
        place += 1;
        if (place === order.length) [tick, place] = [tick + 1, 0];
      }
    },
  };
}
