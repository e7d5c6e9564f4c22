import type { PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { HourPart } from "@/server/ports/reading-blocks";

/** Readings of one metric, ascending in time. */
export interface Column {
  readonly times: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** A device's stretch of event time, [from, to). */
interface Stretch {
  readonly device: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** How a backtest reads what is stored: functions of the room of readings, bound by whoever starts one. */
export interface History {
  /** How a transaction begins that sees one moment of what is stored. */
  readonly begin: readonly string[];
  /** The hours of series that [from, to) touches, but those whose values all lie between the limits, and those without rollups. */
  hours(
    tx: PoolClient,
    asked: readonly { device: number; metric: number; low: number; high: number }[],
    from: EpochMs,
    to: EpochMs,
  ): Promise<readonly (readonly HourPart[])[]>;
  /** The hours without rollups: single ones, and all from a time on. By device. */
  openHours(
    tx: PoolClient,
    devices: readonly number[],
    from: EpochMs,
    to: EpochMs,
  ): Promise<ReadonlyMap<number, { readonly late: readonly EpochMs[]; readonly from: EpochMs }>>;
  /** The readings of stretches, by metric. @throws ColdUnavailableError when cold storage is away and needed */
  readings(
    tx: PoolClient,
    metrics: readonly number[],
    stretches: readonly Stretch[],
  ): Promise<readonly ReadonlyMap<number, Column>[]>;
  /** The event times of the messages of stretches. */
  moments(tx: PoolClient, stretches: readonly Stretch[]): Promise<readonly ArrayLike<number>[]>;
}
