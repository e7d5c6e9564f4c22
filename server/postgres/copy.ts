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

/** A time as PostgreSQL reads it, in COPY lines and array texts alike. */
export function isoOf(time: EpochMs): string {
  return new Date(time).toISOString();
}

/** The numbers of a PostgreSQL array as its text shows them: {1,2.5}. */
export function parseNumbers(text: string): number[] {
  return text === "{}" ? [] : text.slice(1, -1).split(",").map(Number);
}
