import type { EpochMs } from "@/server/domain/terms";

/**
 * Each device's latest known state. Adapters: postgres (embedded default) and mongodb; each passes
 * server/testing/device-twins.contract.ts. The worker calls `merge`, the device routes `get`, their lists `latest`, removals `forget`.
 */
export interface DeviceTwins {
  /**
   * Brings in newer values. Per device and field the value with the later event time stays; at equal event times the
   * one already there stays; a value of unknown age (`isState`) never takes the place of one with an event time, and always gives way to one;
   * of more than TWIN_LIMITS.fields fields those with the latest event times stay (at equal
   * times the lesser names). So updates may come twice, late, or in any order. A failure is an outage: nothing may be committed.
   */
  merge(updates: readonly TwinUpdate[]): Promise<void>;
  /** Removes a field from the twins of these devices, with null the twins themselves; what isn't there is no matter. */
  forget(devices: readonly string[], field: string | null): Promise<void>;
  /** The twins of these devices; those unknown are left out. */
  get(devices: readonly string[]): Promise<ReadonlyMap<string, Twin>>;
  /** The latest value of a field in every twin that has it, booleans as 0 and 1; texts are left out. Lists of devices are sorted by it. */
  latest(field: string): Promise<ReadonlyMap<string, number>>;
}

/** Newer values of one device; at most one update a device in a call. */
export interface TwinUpdate {
  readonly device: string;
  readonly values: ReadonlyMap<string, TwinValue>;
}

export interface TwinValue {
  readonly value: number | boolean | string;
  /** Of a value of unknown age, when it arrived. */
  readonly eventTime: EpochMs;
  readonly isState?: true;
}

export interface Twin {
  readonly device: string;
  /** Latest event time of all values; those of unknown age have none, and 0 is none. */
  readonly eventTime: EpochMs;
  readonly values: ReadonlyMap<string, TwinValue>;
}
