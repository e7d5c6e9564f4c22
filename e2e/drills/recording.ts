import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseEventTime } from "@/server/domain/time";
import { ROOT } from "../product";

/** A recording, and what the pipeline has to say once it went through: worked out from the file alone. */
export interface Recording {
  readonly file: string;
  readonly messages: number;
  /** Readings in the file, its own repeats included. */
  readonly fields: number;
  /** Distinct (device, metric, event time). */
  readonly readings: number;
  /** Readings a message has, when all have the same number. */
  readonly perMessage: number | null;
  readonly devices: number;
  /** Latest value by device and metric; of equal event times the first. */
  readonly twins: ReadonlyMap<string, ReadonlyMap<string, { value: number | boolean; time: number }>>;
}

/** Arguments of `replay` for such a recording. */
export const MAPPING = ["--device", "device", "--time", "ts", "--readings", "data"] as const;

/** Reads an NDJSON recording with `device`, `ts` and `data`. */
export function readRecording(file: string): Recording {
  const found = path.resolve(ROOT, file);
  if (!existsSync(found)) throw new Error(`There is no recording ${found}.`);
  const lines = readFileSync(found, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const seen = new Set<string>();
  const counts = new Set<number>();
  const twins = new Map<string, Map<string, { value: number | boolean; time: number }>>();
  let fields = 0;
  for (const line of lines) {
    const { device, ts, data } = JSON.parse(line) as {
      device: string;
      ts: unknown;
      data: Record<string, number | boolean>;
    };
    const time = parseEventTime(ts);
    if (time === null) throw new Error(`Not a time: ${line.slice(0, 200)}`);
    const twin = twins.get(device) ?? new Map<string, { value: number | boolean; time: number }>();
    twins.set(device, twin);
    const entries = Object.entries(data).filter(([, value]) => typeof value !== "string" && value !== null);
    counts.add(entries.length);
    for (const [metric, value] of entries) {
      fields++;
      seen.add(`${device}\n${metric}\n${time}`);
      if (time > (twin.get(metric)?.time ?? -1)) twin.set(metric, { value, time });
    }
  }
  return {
    file: found,
    messages: lines.length,
    fields,
    readings: seen.size,
    perMessage: counts.size === 1 ? [...counts][0]! : null,
    devices: twins.size,
    twins,
  };
}
