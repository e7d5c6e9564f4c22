import { formatBytes } from "@/server/domain/bytes";
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { availableParallelism, freemem, loadavg, totalmem } from "node:os";
import path from "node:path";
import { getHeapStatistics } from "node:v8";
import { command } from "@/server/domain/fix";
import { type Finding, pass, type Probe } from "./probe";

const group = "This machine";
const MIB = 1024 * 1024;

/** The machine this process runs on: processors and bytes of memory, and what is in use of them, by whatever runs there (load: on average of 15 minutes). */
export function measureMachine() {
  const memory = totalmem();
  return { vcpus: availableParallelism(), load: loadavg()[2]!, memory, used: memory - freemem() };
}

/** Room on the disk of the data folder, and memory. */
export function machineProbes(dataDir: string): readonly Probe[] {
  return [
    {
      name: "machine.disk",
      title: "Room on the disk",
      group,
      timeoutMs: 3000,
      async run() {
        const { free, total } = await readDisk(dataDir);
        return judgeDisk(free, total, {
          of: dataDir,
          whenFull: "messages can no longer be taken",
          fix: "Free space on it, or keep less: lower LOG_RETENTION_HOURS, ARCHIVE_RETENTION_DAYS or READINGS_RETENTION_DAYS and restart.",
        });
      },
    },
    {
      name: "machine.memory",
      title: "Memory",
      group,
      timeoutMs: 1000,
      run: async () => {
        const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
        return judgeMemory({ free: freemem(), total: totalmem(), used, limit, rss: process.memoryUsage.rss() });
      },
    },
  ];
}

/** Bytes of the disk that a folder is on, or will be. */
export async function readDisk(dataDir: string): Promise<{ readonly free: number; readonly total: number }> {
  const { bavail, blocks, bsize } = await statfs(nearest(dataDir));
  return { free: bavail * bsize, total: blocks * bsize };
}

/** Words about a disk: what it holds, what happens when it is full, and what to do. */
export interface DiskWords {
  readonly of: string;
  readonly whenFull: string;
  readonly fix: string;
}

/** All in bytes. */
export function judgeDisk(free: number, total: number, { of, whenFull, fix }: DiskWords): Finding {
  const share = total === 0 ? 1 : free / total;
  const words = `${formatBytes(free)} free of ${formatBytes(total)} (${(share * 100).toFixed(1)} %).`;
  if (share >= 0.1) return pass(words);
  return {
    status: share < 0.02 ? "fail" : "warn",
    summary: words,
    cause: `The disk of ${of} is nearly full; when it is full, ${whenFull}.`,
    fix,
  };
}

/** All in bytes; `used` and `limit` are of this process's heap. */
export function judgeMemory(memory: {
  free: number;
  total: number;
  used: number;
  limit: number;
  rss: number;
}): Finding {
  const { free, total, used, limit, rss } = memory;
  const words = `The web process uses ${formatBytes(rss)}; ${formatBytes(free)} of ${formatBytes(total)} are free.`;
  if (used > limit * 0.85) {
    const fix = `Give it more heap: ${command`NODE_OPTIONS=--max-old-space-size=${Math.round((limit * 2) / MIB)} npm start`}`;
    return {
      status: used > limit * 0.95 ? "fail" : "warn",
      summary: words,
      cause: `Its heap is ${Math.round((used / limit) * 100)} % full.`,
      fix,
    };
  }
  if (free >= total * 0.03) return pass(words);
  const cause = "The machine is short of memory; processes may be ended.";
  return {
    status: "warn",
    summary: words,
    cause,
    fix: "Stop what else runs here, or lower DATABASE_POOL_SIZE and WORKER_BATCH_BYTES.",
  };
}

/** The folder, or the nearest one above it that exists. */
function nearest(folder: string): string {
  for (let at = folder; ; at = path.dirname(at)) if (existsSync(at) || at === path.dirname(at)) return at;
}
