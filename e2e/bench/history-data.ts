import type pg from "pg";
import pino from "pino";
import { discoverDevices, discoverMetrics, noteActivity } from "@/server/catalog/catalog-writes";
import { createPool } from "@/server/postgres/connection";
import { createPartitions } from "@/server/readings/partitions";
import type { Sample } from "@/server/ports/commit-batch";
import { writeSamples } from "@/server/readings/samples";
import { withTransaction } from "@/server/postgres/transaction";
import { mergeAll } from "@/server/testing/stored-readings";

export const METRICS = ["temperature", "humidity", "vibration"] as const;

const BATCH_MS = 5 * 3_600_000;

/**
 * Fills in a reading a second of each metric for a device that is not there yet, up to `to`, through the code the
 * worker writes with. @returns rows written: one a second.
 */
export async function loadHistory(connectionString: string, device: string, days: number, to: number): Promise<number> {
  const pool: pg.Pool = createPool(connectionString, { role: "bench", logger: pino({ level: "warn" }), size: 2 });
  try {
    const [added] = await discoverDevices(
      pool,
      [{ name: device, isSenders: false, site: "bench", type: "press" }],
      1e6,
    );
    const found = await discoverMetrics(
      pool,
      [
        { name: "temperature", kind: "number" },
        { name: "humidity", kind: "number" },
        { name: "vibration", kind: "number" },
      ],
      1e6,
    );
    const ids = METRICS.map((name) => found.find((metric) => metric.name === name)!.id);
    const end = Math.floor(to / 1000) * 1000;
    // Batches begin with an hour, so that each hour is one block.
    const begin = Math.floor((end - days * 86_400_000) / 3_600_000) * 3_600_000;
    const partitions = createPartitions(pool);
    // Nothing of this device is stored: no row has to be looked for.
    const histories = new Map([[added!.id, { latest: null, rolledUntil: null }]]);
    let rows = 0;
    for (let from = begin; from < end; from += BATCH_MS) {
      const samples: Sample[] = [];
      for (let time = from; time < Math.min(end, from + BATCH_MS); time += 1000) {
        samples.push({ deviceId: added!.id, time, metrics: ids, values: valuesAt(time) });
      }
      await partitions.ensure([from, samples.at(-1)!.time]);
      await withTransaction(pool, async (client) => {
        await writeSamples(client, samples, histories);
      });
      rows += samples.length;
    }
    const last = { id: added!.id, messages: rows, lastSeen: end - 1000, lastEventTime: end - 1000 };
    await withTransaction(pool, (client) => noteActivity(client, [last]));
    await mergeAll(pool);
    await pool.query("ANALYZE");
    return rows;
  } finally {
    await pool.end();
  }
}

/** A day's wave, a faster one, and some noise that is the same each time. */
function valuesAt(time: number): number[] {
  const seconds = time / 1000;
  const noise = (Math.sin(seconds * 12.9898) * 43_758.5453) % 1;
  const day = Math.sin((seconds / 86_400) * 2 * Math.PI);
  return [20 + 6 * day + noise, 50 - 15 * day + 4 * noise, Math.abs(2 + Math.sin(seconds / 400) + 3 * noise ** 9)].map(
    (value) => Math.round(value * 1000) / 1000,
  );
}
