import pino from "pino";
import { discoverDevices, discoverMetrics, lockDevices, noteActivity } from "@/server/catalog/catalog-writes";
import type { Sample } from "@/server/ports/commit-batch";
import { createPool } from "@/server/postgres/connection";
import { withTransaction } from "@/server/postgres/transaction";
import { createPartitions } from "@/server/readings/partitions";
import { writeSamples } from "@/server/readings/samples";
import { mergeAll } from "@/server/testing/stored-readings";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const METRICS = ["temperature", "humidity", "vibration", "pressure", "current", "motion", "door"];
/** The device with a reading a second for 30 days, and the one with a message a minute for a year. */
export const SECONDLY = "years-secondly";
export const MINUTELY = "years-minutely";
/** The others send a message a minute, for as many days as it takes. */
const FLEET = 200;
/** Samples written in one transaction. */
const BATCH = 20_000;

export interface Loader {
  /** The end of what the two are loaded with: the hour in which the bench began. */
  readonly to: number;
  /** Writes until the database holds about this many readings, and merges their hours. */
  loadUpTo(readings: number): Promise<{ readings: number; perSecond: number }>;
  end(): Promise<void>;
}

/**
 * Loads the past of some devices, a day after the other.
 * @param most readings at the end: as many days before now the fleet begins.
 */
export async function createLoader(connectionString: string, most: number): Promise<Loader> {
  const pool = createPool(connectionString, { role: "bench", logger: pino({ level: "warn" }), size: 3 });
  const partitions = createPartitions(pool);
  const names = [SECONDLY, MINUTELY, ...Array.from({ length: FLEET }, (_, i) => `years-${String(i).padStart(3, "0")}`)];
  const devices = new Map(
    (
      await discoverDevices(
        pool,
        names.map((name) => ({ name, isSenders: false, site: "bench", type: "press" })),
        1e6,
      )
    ).map(({ id, name }) => [name, id]),
  );
  const kinds = METRICS.map((name, i) => ({ name, kind: i < 5 ? ("number" as const) : ("boolean" as const) }));
  const ids = new Map((await discoverMetrics(pool, kinds, 1e6)).map(({ id, name }) => [name, id]));
  const metrics = METRICS.map((name) => ids.get(name)!);
  const to = Math.floor(Date.now() / HOUR) * HOUR;
  let stored = 0;
  let day = Math.ceil(most / (FLEET * METRICS.length * (DAY / MINUTE)));

  /** Writes a stretch of one device, its hours whole. */
  async function write(name: string, from: number, end: number, everyMs: number, count: number): Promise<void> {
    const deviceId = devices.get(name)!;
    const step = Math.max(HOUR, Math.floor((BATCH * everyMs) / HOUR) * HOUR);
    for (let begin = from; begin < end; begin += step) {
      const samples: Sample[] = [];
      const stop = Math.min(end, begin + step);
      for (let time = begin; time < stop; time += everyMs)
        samples.push({ deviceId, time, metrics: metrics.slice(0, count), values: valuesAt(deviceId, time, count) });
      await partitions.ensure([begin, stop - 1]);
      await withTransaction(pool, async (tx) => {
        await writeSamples(tx, samples, await lockDevices(tx, [deviceId]));
        await noteActivity(tx, [
          { id: deviceId, messages: samples.length, lastSeen: to, lastEventTime: stop - everyMs },
        ]);
      });
      stored += samples.length * count;
    }
  }

  return {
    to,
    async loadUpTo(readings) {
      const [began, before] = [performance.now(), stored];
      if (stored === 0) {
        await write(SECONDLY, to - 30 * DAY, to, 1000, 1);
        await write(MINUTELY, to - 365 * DAY, to, MINUTE, 3);
      }
      for (; stored < readings && day > 0; day--)
        for (const name of names.slice(2))
          await write(name, to - day * DAY, to - (day - 1) * DAY, MINUTE, METRICS.length);
      await mergeAll(pool);
      const perSecond = (stored - before) / ((performance.now() - began) / 1000);
      await pool.query("VACUUM ANALYZE");
      return { readings: stored, perSecond };
    },
    end: () => pool.end(),
  };
}

/** A day's wave and some noise that is the same each time; flags for the last two. */
function valuesAt(device: number, time: number, count: number): number[] {
  const wave = Math.sin((time / DAY) * 2 * Math.PI);
  return Array.from({ length: count }, (_, i) => {
    const noise = (Math.sin(time / 1000 + device * 12.9898 + i) * 43_758.5453) % 1;
    return i < 5 ? Math.round((20 * (i + 1) + 6 * wave + noise) * 1000) / 1000 : Number(noise > 0);
  });
}
