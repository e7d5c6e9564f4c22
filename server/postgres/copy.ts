import type { PoolClient } from "pg";
import { from } from "pg-copy-streams";
import type { EpochMs } from "@/server/domain/terms";
import { driverError } from "./client";

/**
 * Writes rows by COPY, by far the cheapest way in.
 * @param target table and columns, e.g. "sample (device_id, time)".
 * @param rows lines of COPY's text format (columns parted by tabs, each line ended by a newline), already escaped.
 * @returns rows written. A key that is there already fails the whole transaction (23505).
 */
export async function copyRows(client: PoolClient, target: string, rows: string): Promise<number> {
  const stream = client.query(from(`COPY ${target} FROM STDIN`));
  await new Promise<void>((resolve, reject) => {
    stream.once("error", (error) => reject(driverError(error) as Error));
    stream.once("finish", resolve);
    stream.end(Buffer.from(rows));
  });
  return stream.rowCount;
}

const MINUTE_MS = 60_000;

/** The minute of the last time written, as its text up to the seconds: rows come by time, so most share theirs with the row before. */
let minute = { start: NaN, text: "" };

/** Writes a time as PostgreSQL reads it, in COPY lines and array texts alike. */
export function isoOf(time: EpochMs): string {
  const start = time - (time % MINUTE_MS);
  if (start !== minute.start) minute = { start, text: new Date(start).toISOString().slice(0, -"00.000Z".length) };
  const within = String(100_000 + time - start);
  return `${minute.text}${within.slice(1, 3)}.${within.slice(3)}Z`;
}

/** The numbers of a PostgreSQL array as its text shows them: {1,2.5}. */
export function parseNumbers(text: string): number[] {
  return text === "{}" ? [] : text.slice(1, -1).split(",").map(Number);
}
