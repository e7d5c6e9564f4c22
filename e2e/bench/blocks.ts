import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import type { Pool } from "pg";
import { discoverDevices, discoverMetrics, lockDevices, noteActivity } from "@/server/catalog/catalog-writes";
import type { Sample } from "@/server/ports/commit-batch";
import { migrate } from "@/server/postgres/migrate";
import { withTransaction } from "@/server/postgres/transaction";
import { createPartitions } from "@/server/readings/partitions";
import { KEYED_ACCESS } from "@/server/postgres/keyed-access";
import { writeSamples } from "@/server/readings/samples";
import { mergeAll } from "@/server/testing/stored-readings";
import { treeOf } from "../processes";
import { cpuSeconds } from "./cpu";
import { machine, markdownTable } from "./report";
import { scratchPostgres } from "./scratch-postgres";

const MINUTE = 60_000;
const START = Date.UTC(2026, 9, 1);

interface Message {
  readonly device: string;
  readonly time: number;
  readonly readings: readonly (readonly [metric: string, value: number])[];
}

/**
 * Writes messages as the commit does, merges their hours, and tells the bytes on disk and the processor time of both steps, by message. Two shapes:
 * a recorded file as it is, again and again one after the other, and 50 devices of which each sends the file's readings every two minutes.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      file: { type: "string", default: "e2e/fixtures/environment.ndjson" },
      messages: { type: "string", default: "100000" },
      batch: { type: "string", default: "1000" },
    },
  });
  const recorded = await read(values.file);
  const count = Number(values.messages);
  const shapes = {
    recorded: Array.from({ length: count }, (_, i) => {
      const first = recorded[0]!.time;
      const length = recorded.at(-1)!.time - first + 1000;
      const message = recorded[i % recorded.length]!;
      return { ...message, time: START + message.time - first + Math.floor(i / recorded.length) * length };
    }),
    "one in two minutes": Array.from({ length: count }, (_, i) => {
      const message = recorded[i % recorded.length]!;
      return {
        ...message,
        device: `device-${i % 50}`,
        time: START + Math.floor(i / 50) * 2 * MINUTE + (i % 50) * 2400,
      };
    }),
  };
  const rows: string[][] = [];
  for (const [shape, messages] of Object.entries(shapes)) {
    const measured = await measure(messages, Number(values.batch));
    for (const [what, value] of Object.entries(measured)) rows.push([shape, what, value.toFixed(1)]);
  }
  console.log(`${machine()}\n${count} messages in batches of ${values.batch}\n`);
  console.log(markdownTable(["messages", "", "each"], rows));
  return 0;
}

async function read(file: string): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const line of createInterface(createReadStream(file))) {
    if (line.trim() === "") continue;
    const { device, ts, data } = JSON.parse(line) as {
      device: string;
      ts: number;
      data: Record<string, number | boolean>;
    };
    const readings = Object.entries(data).map(([metric, value]) => [metric, Number(value)] as const);
    messages.push({ device, time: Math.floor(ts * 1000), readings });
  }
  return messages.sort((a, b) => a.time - b.time);
}

async function measure(messages: readonly Message[], size: number): Promise<Record<string, number>> {
  const postgres = await scratchPostgres();
  try {
    await migrate(postgres.connectionString);
    const { pool } = postgres;
    const samples = await samplesOf(pool, messages);
    await createPartitions(pool).ensure(samples.map(({ time }) => time));
    await pool.query("CHECKPOINT");
    const from = await walPosition(pool);
    const write = await withCpu(async () => {
      for (let at = 0; at < samples.length; at += size) await writeBatch(pool, samples.slice(at, at + size));
    });
    const written = await walPosition(pool);
    const before = await bytes(pool);
    const merge = await withCpu(() => mergeAll(pool));
    const wal = await walPosition(pool);
    for (const table of ["sample", "rollup_minute", "rollup_hour"]) await pool.query(`VACUUM FULL ${table}`);
    const after = await bytes(pool);
    const { rows } = await pool.query<{ n: string }>("SELECT count(*) AS n FROM stored_reading");
    const sent = samples.reduce((sum, { metrics }) => sum + metrics.length, 0);
    if (Number(rows[0]!.n) !== sent) console.log(`${rows[0]!.n} of ${sent} readings are stored: the others came twice`);
    const each = (total: number) => total / messages.length;
    return {
      "bytes before merging": each(before.sample),
      "bytes of readings": each(after.sample),
      "bytes of minute rollups": each(after.minutes),
      "bytes of hour rollups": each(after.hours),
      "bytes of write-ahead log, writing": each(written - from),
      "bytes of write-ahead log, merging": each(wal - written),
      "µs of the worker, writing": each(write.worker * 1e6),
      "µs of PostgreSQL, writing": each(write.postgres * 1e6),
      "µs of the worker, merging": each(merge.worker * 1e6),
      "µs of PostgreSQL, merging": each(merge.postgres * 1e6),
    };
  } finally {
    await postgres.stop();
  }
}

async function samplesOf(pool: Pool, messages: readonly Message[]): Promise<Sample[]> {
  const names = [...new Set(messages.map(({ device }) => device))];
  const metrics = [...new Set(messages.flatMap(({ readings }) => readings.map(([metric]) => metric)))];
  const devices = await discoverDevices(
    pool,
    names.map((name) => ({ name, isSenders: false, site: null, type: null })),
    1e6,
  );
  const found = await discoverMetrics(
    pool,
    metrics.map((name) => ({ name, kind: "number" as const })),
    1e6,
  );
  const deviceIds = new Map(devices.map(({ name, id }) => [name, id]));
  const metricIds = new Map(found.map(({ name, id }) => [name, id]));
  return messages.map(({ device, time, readings }) => {
    const own = readings.map(([metric, value]) => [metricIds.get(metric)!, value] as const).sort(([a], [b]) => a - b);
    return {
      deviceId: deviceIds.get(device)!,
      time,
      metrics: own.map(([id]) => id),
      values: own.map(([, value]) => value),
    };
  });
}

async function writeBatch(pool: Pool, samples: readonly Sample[]): Promise<void> {
  const latest = new Map<number, number>();
  const counts = new Map<number, number>();
  for (const { deviceId, time } of samples) {
    latest.set(deviceId, Math.max(time, latest.get(deviceId) ?? 0));
    counts.set(deviceId, (counts.get(deviceId) ?? 0) + 1);
  }
  await withTransaction(
    pool,
    async (tx) => {
      await writeSamples(tx, samples, await lockDevices(tx, [...latest.keys()]));
      const activity = [...latest].map(([id, lastEventTime]) => {
        return { id, messages: counts.get(id)!, lastSeen: START, lastEventTime };
      });
      await noteActivity(tx, activity);
    },
    KEYED_ACCESS,
  );
}

/** Processor time, in seconds, that this process and its PostgreSQL take for some work. */
async function withCpu(work: () => Promise<void>): Promise<{ worker: number; postgres: number }> {
  const now = () => {
    const others = treeOf(process.pid).filter(({ pid }) => pid !== process.pid);
    const { user, system } = process.cpuUsage();
    return {
      worker: (user + system) / 1e6,
      postgres: others.reduce((sum, { pid }) => sum + cpuSeconds(pid, { ended: false }), 0),
    };
  };
  const before = now();
  await work();
  const after = now();
  return { worker: after.worker - before.worker, postgres: after.postgres - before.postgres };
}

async function walPosition(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ at: string }>("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS at");
  return Number(rows[0]!.at);
}

/** Bytes of the tables with their partitions, indexes and what is kept out of line. */
async function bytes(pool: Pool): Promise<{ sample: number; minutes: number; hours: number }> {
  const of = async (table: string) => {
    const { rows } = await pool.query<{ size: string }>(
      `SELECT pg_total_relation_size($1::regclass) + coalesce(sum(pg_total_relation_size(relid)), 0) AS size FROM pg_partition_tree($1::regclass) WHERE isleaf AND level > 0`,
      [table],
    );
    return Number(rows[0]!.size);
  };
  return { sample: await of("sample"), minutes: await of("rollup_minute"), hours: await of("rollup_hour") };
}
