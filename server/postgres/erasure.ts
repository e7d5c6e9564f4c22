import type { Pool } from "pg";

/** The device that is erased. */
export interface ErasureSubject {
  /** The erasure's number. */
  readonly erasure: number;
  /** The device's id as it was. */
  readonly key: number;
  readonly name: string;
  /** Files of cold storage that had rows of it. */
  readonly coldFiles: readonly number[];
  /** When this round of erasing began, by PostgreSQL's clock: what a device that still sends has sent since is dropped, and not looked for. */
  readonly began: Date;
}

/** The store of a device's readings, which the removal of the device takes out before its erasure goes over the stores. */
export const READINGS_STORE = "Readings, rollups and marks";
/** The store of its latest values, which are gone with its row. */
export const TWINS_STORE = "Latest values";

/** A store where something of a device may be. Who calls: the job of erasures, in the order of its table (server/compose-erasure.ts). */
export interface ErasureStore {
  /** For people: "Message archive". */
  readonly name: string;
  /** Takes out of it all that is of the device. Harmless when repeated, and when killed in it. @returns how many rows, messages or files. */
  erase(pool: Pool, subject: ErasureSubject): Promise<number>;
  /** Looks all of it through. @returns how many are still there. */
  count(pool: Pool, subject: ErasureSubject): Promise<number>;
  /** Where another job takes it out: how many are gone when `left` are still there. Left out: what {@link erase} told counts. */
  gone?(subject: ErasureSubject, left: number): number;
}
