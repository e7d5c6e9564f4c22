import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import pg from "pg";
import { createPostgresMessageArchive } from "@/server/adapters/postgres/message-archive";
import { migrate } from "@/server/postgres/migrate";
import type { ArchivedMessage, MessageArchive } from "@/server/ports/message-archive";
import { treeOf } from "../processes";
import { seeded } from "../waiting";
import { cpuSeconds } from "./cpu";
import { machine, markdownTable, median } from "./report";
import { scratchPostgres } from "./scratch-postgres";

const PARTITIONS = 6;
const DAY = 24 * 3_600_000;
/** Three weeks of days to look through, up to now. */
const START = (Math.floor(Date.now() / DAY) - 21) * DAY;

/**
 * Measures the message archive in PostgreSQL: bytes, processor time and pages of messages, when much comes (batches of 5,000) and when
 * little does (a message every two minutes from each of 50 devices, each a batch of its own, for a day).
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      messages: { type: "string", default: "300000" },
      devices: { type: "string", default: "50" },
      // A recording of messages, one a line, instead of made ones.
      file: { type: "string" },
      // Leaves out the quiet day.
      busy: { type: "boolean", default: false },
    },
  });
  const bodies = values.file === undefined ? made : recorded(values.file);
  const busy = await measureBusy(bodies, Number(values.messages), Number(values.devices));
  const rows = busy.map(([title, value]) => [title, value, ""]);
  if (!values.busy) for (const [title, value] of await measureQuiet(bodies)) rows.push([title, "", value]);
  console.log(`${machine()}\n\n${markdownTable(["archive in PostgreSQL", "busy", "quiet"], rows)}`);
  return 0;
}

type Figures = [title: string, value: string][];
/** The text of a device's `n`-th message. */
type Bodies = (device: string, n: number, time: number) => string;

async function measureBusy(bodies: Bodies, messages: number, devices: number): Promise<Figures> {
  const postgres = await scratchPostgres();
  try {
    await migrate(postgres.connectionString);
    const archive = createPostgresMessageArchive(postgres.pool, 36_500);
    const cpu = await cpuOf(postgres.pool);
    const figures: Figures = [];
    const stream = streamOf(bodies, devices, (21 * DAY) / messages);
    let [store, size] = [ZERO, 0];
    for (let left = messages; left > 0; left -= 5000) {
      const batch = stream(Math.min(left, 5000));
      size += batch.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
      store = added(store, await cpu(() => archive.store(batch)));
    }
    const merge = await cpu(() => drained(archive, START + 22 * DAY));
    figures.push(
      ["messages, devices", `${messages}, ${devices}`],
      ["bytes of a message", (size / messages).toFixed(0)],
    );
    figures.push(["store(): own CPU per million", seconds(store.own, messages)]);
    figures.push(["store(): PostgreSQL's CPU per million", seconds(store.server, messages)]);
    figures.push(["merging: own CPU per million", seconds(merge.own, messages)]);
    figures.push(["merging: PostgreSQL's CPU per million", seconds(merge.server, messages)]);
    figures.push(...(await sizes(postgres.pool, messages)));
    figures.push(["page of 50 of a usual device", await pageTime(archive, nameOf(1))]);
    figures.push(["page of 50 of a rare device", await pageTime(archive, RARE)]);
    figures.push(["page of a device without messages", await pageTime(archive, "*")]);
    return figures;
  } finally {
    await postgres.stop();
  }
}

async function measureQuiet(bodies: Bodies): Promise<Figures> {
  const postgres = await scratchPostgres();
  // What is on disk is the same, and there are many small ones.
  const pool = new pg.Pool({
    connectionString: postgres.connectionString,
    options: "-c timezone=UTC -c synchronous_commit=off",
  });
  try {
    await migrate(postgres.connectionString);
    const archive = createPostgresMessageArchive(pool, 36_500);
    const devices = 50;
    const stream = streamOf(bodies, devices, 120_000 / devices);
    let merged = START;
    let count = 0;
    for (; count < DAY / (120_000 / devices); count++) {
      const batch = stream(1);
      await archive.store(batch);
      const { ingestTime } = batch[0]!;
      if (ingestTime - merged < 120_000) continue;
      await drained(archive, (merged = ingestTime));
    }
    await drained(archive, START + 2 * DAY);
    return [
      ["messages, devices", `${count}, ${devices}`],
      ...(await sizes(pool, count)),
      ["page of 50 of a usual device", await pageTime(archive, nameOf(1))],
    ];
  } finally {
    await pool.end();
    await postgres.stop();
  }
}

const RARE = "rare-1";

function nameOf(i: number): string {
  return `press-${String(i).padStart(5, "0")}`;
}

/** Messages as a log gives them: of one partition a batch, in turn. */
function streamOf(bodies: Bodies, devices: number, everyMs: number): (count: number) => ArchivedMessage[] {
  const random = seeded(7);
  const offsets = Array.from({ length: PARTITIONS }, () => 0);
  let [total, turn] = [0, 0];
  return (count) => {
    const partition = turn++ % PARTITIONS;
    return Array.from({ length: count }, () => {
      const ingestTime = Math.floor(START + total * everyMs);
      // Of its partition, any device at any time; the rare one every 20,000 messages.
      const own = Math.ceil(devices / PARTITIONS);
      const device = ++total % 20_000 === 0 ? RARE : nameOf(partition + PARTITIONS * Math.floor(random() * own));
      const eventTime = ingestTime - Math.floor(random() * 900);
      return {
        position: { log: "0123456789abcdef0123456789abcdef/iot.telemetry/0", partition, offset: offsets[partition]!++ },
        ...{ device, eventTime, ingestTime, processedTime: ingestTime + 40 },
        body: bodies(device, total, eventTime),
      };
    });
  };
}

const noise = seeded(11);
const levels = new Map<string, number>();

/** As the recorded sensors tell: three gases by one converter of 10 bits, with all digits of a double; humidity and temperature by tenths. */
const made: Bodies = (device, n, time) => {
  const level = Math.max(1, Math.min(1023, (levels.get(device) ?? 400) + Math.round(noise() * 6 - 3)));
  levels.set(device, level);
  const ratio = level / (1024 - level);
  const readings = {
    co: 0.005 * ratio ** 0.65,
    humidity: Math.fround(50 + Math.round(noise() * 80) / 10),
    light: n % 900 < 450,
    lpg: 0.0076 * ratio ** 0.45,
    motion: noise() < 0.01,
    smoke: 0.02 * ratio ** 0.47,
    temp: Math.fround(20 + Math.round(noise() * 30) / 10),
  };
  return JSON.stringify({ device, time, readings });
};

function recorded(file: string): Bodies {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const data = lines.map((line) => (JSON.parse(line) as { data: unknown }).data);
  return (device, n, time) => JSON.stringify({ device, time, readings: data[n % data.length] });
}

async function drained(archive: Pick<MessageArchive, "merge">, now: number): Promise<void> {
  for await (const step of archive.merge(now)) void step;
}

async function sizes(pool: pg.Pool, messages: number): Promise<Figures> {
  await pool.query("VACUUM archive_fresh");
  const { rows } = await pool.query<{ blocks: number; kept: string; indexes: string; fresh: string; messages: number }>(
    `SELECT (SELECT count(*)::int FROM archive_block) AS blocks, (SELECT sum(messages)::int FROM archive_block) AS messages,
       sum(pg_total_relation_size(inhrelid)) AS kept, sum(pg_indexes_size(inhrelid)) AS indexes, pg_total_relation_size('archive_fresh') AS fresh
     FROM pg_inherits WHERE inhparent = 'archive_block'::regclass`,
  );
  const { blocks, kept, indexes, fresh, messages: found } = rows[0]!;
  if (found !== messages) throw new Error(`${found} of ${messages} messages are in blocks that stay`);
  return [
    ["blocks", String(blocks)],
    ["bytes a message, all in", (Number(kept) / messages).toFixed(1)],
    ["of it indexes", (Number(indexes) / messages).toFixed(1)],
    ["table of fresh blocks, MB", (Number(fresh) / 2 ** 20).toFixed(1)],
  ];
}

async function pageTime(archive: Pick<MessageArchive, "find">, device: string): Promise<string> {
  const times: number[] = [];
  for (let i = 0; i < 21; i++) {
    const began = performance.now();
    await archive.find({ device, limit: 51 });
    times.push(performance.now() - began);
  }
  return `${median(times).toFixed(1)} ms`;
}

interface Cpu {
  readonly own: number;
  readonly server: number;
}

const ZERO: Cpu = { own: 0, server: 0 };

function added(a: Cpu, b: Cpu): Cpu {
  return { own: a.own + b.own, server: a.server + b.server };
}

function seconds(cpu: number, messages: number): string {
  return `${((cpu / messages) * 1e6).toFixed(2)} s`;
}

/** Tells the processor time, in seconds, that work takes here and in PostgreSQL. */
async function cpuOf(pool: pg.Pool): Promise<(work: () => Promise<unknown>) => Promise<Cpu>> {
  const { rows } = await pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  const stat = readFileSync(`/proc/${rows[0]!.pid}/stat`, "utf8");
  const postmaster = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  const server = () => treeOf(postmaster).reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
  return async (work) => {
    const serverBefore = server();
    const ownBefore = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(ownBefore);
    return { own: (user + system) / 1e6, server: server() - serverBefore };
  };
}
