import { formatBytes } from "@/server/domain/bytes";
import { formatDuration } from "@/server/domain/duration";
import type { EpochMs } from "@/server/domain/terms";
import { type DiskRoom, readDiskRoom } from "@/server/postgres/disk-room";
import { type Finding, pass, type Probe } from "./probe";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A disk that will be full within this time needs somebody. */
const SOON_MS = 3 * DAY;

export interface RoomProbeDeps {
  /** The folder of the embedded PostgreSQL. */
  readonly dataDir: string;
  /** DISK_FREE_MIN_BYTES. */
  readonly leastBytes: number | undefined;
  readonly now: () => EpochMs;
}

/** Whether messages are taken, as far as the disk of the embedded PostgreSQL goes, and for how long at the present rate. */
export function roomProbe({ dataDir, leastBytes, now }: RoomProbeDeps): Probe {
  const forecast = createForecast();
  return {
    name: "machine.room",
    title: "Room for messages",
    group: "This machine",
    timeoutMs: 3000,
    async run() {
      const room = await readDiskRoom(dataDir, leastBytes);
      return judgeRoom(room, forecast(now(), room), dataDir);
    },
  };
}

/** When a disk will be full. */
export interface Forecast {
  /** Milliseconds until then. */
  readonly inMs: number;
  /** Milliseconds of the past it is judged by. */
  readonly byMs: number;
}

/** Makes a forecast by what was used up since up to a day; null where nothing was, or less than an hour was seen. */
export function createForecast(): (at: EpochMs, room: DiskRoom) => Forecast | null {
  let seen: { readonly at: EpochMs; readonly free: number }[] = [];
  return (at, { free, least }) => {
    // A clock that was set back makes what was seen before worthless.
    seen = seen.filter((one) => one.at <= at && at - one.at <= DAY);
    if (seen.length === 0 || at - seen.at(-1)!.at >= MINUTE) seen.push({ at, free });
    const first = seen[0]!;
    const byMs = at - first.at;
    const used = first.free - free;
    return byMs < HOUR || used <= 0 ? null : { inMs: (Math.max(0, free - least) / used) * byMs, byMs };
  };
}

export function judgeRoom({ free, least }: DiskRoom, forecast: Forecast | null, dataDir: string): Finding {
  const fix = `Free space on the disk of ${dataDir}, or keep less: lower LOG_RETENTION_HOURS, ARCHIVE_RETENTION_DAYS or READINGS_RETENTION_DAYS and restart.`;
  if (free < least)
    return {
      status: "fail",
      summary: `Messages are not taken: ${formatBytes(free)} are free, and ${formatBytes(least)} must stay so.`,
      cause:
        "With less, PostgreSQL would soon stop in the middle of its work (DISK_FREE_MIN_BYTES). Senders are told to come again (507), and the worker waits.",
      fix: `${fix}\nBoth go on by themselves within seconds.`,
    };
  const taken = `Messages are taken until only ${formatBytes(least)} are free; ${formatBytes(free)} are.`;
  if (forecast === null || forecast.inMs > SOON_MS) return pass(taken);
  return {
    status: "warn",
    summary: `${taken} At the rate of the last ${formatDuration(forecast.byMs)} that is in ${formatDuration(forecast.inMs)}.`,
    cause: "The disk fills up; when it is full, messages are no longer taken.",
    fix,
  };
}
