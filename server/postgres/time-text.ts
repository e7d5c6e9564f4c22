import type { EpochMs } from "@/server/domain/terms";

/** The end of the year 9999: PostgreSQL doesn't read what toISOString() makes of later times. */
const READABLE_BEFORE = Date.UTC(10_000, 0);

/** Writes a time as PostgreSQL reads it in parameters and arrays. After the year 9999, where no reading is, it is infinity. */
export function timeText(time: EpochMs): string {
  return time < READABLE_BEFORE ? new Date(time).toISOString() : "infinity";
}
