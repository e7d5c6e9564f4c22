import { DiskFullError } from "@/server/postgres/disk-room";
import { isRetryable } from "@/server/postgres/error-classes";

/** True if the error says that PostgreSQL (or another store) can't be reached, seen through Prisma's wrapping. */
export function isStoreDown(error: unknown): boolean {
  return layersOf(error).some(
    (layer) =>
      isRetryable(layer) ||
      codesOf(layer).some((code) => PRISMA_DOWN.has(code) || isRetryable(Object.assign(new Error(), { code }))),
  );
}

/** True if there is no room left on PostgreSQL's disk, whether it says so itself or we stopped before it has to. */
export function isDiskFull(error: unknown): boolean {
  return layersOf(error).some((layer) => layer instanceof DiskFullError || codesOf(layer).includes(DISK_FULL));
}

/** True if PostgreSQL refused a value that it was asked with, seen through Prisma's wrapping. */
export function isValueRefused(error: unknown): boolean {
  return layersOf(error).some((layer) => codesOf(layer).some((code) => REFUSED_VALUE.has(code)));
}

const DISK_FULL = "53100";

/** Prisma's codes for: can't reach, timed out, operation timed out, closed, pool exhausted. */
const PRISMA_DOWN = new Set(["P1001", "P1002", "P1008", "P1017", "P2024"]);

/** PostgreSQL's for: a character it can't hold, a number out of range, a moment out of range; and Prisma's for a number. */
const REFUSED_VALUE = new Set(["22021", "22003", "22008", "P2020"]);

/** An error and those it wraps, the outermost first. */
function layersOf(error: unknown): object[] {
  const layers: object[] = [];
  for (let at = error; layers.length < 6 && typeof at === "object" && at !== null;) {
    layers.push(at);
    const { cause, meta } = at as { cause?: unknown; meta?: { driverAdapterError?: unknown } };
    at = cause ?? meta?.driverAdapterError;
  }
  return layers;
}

function codesOf(layer: object): string[] {
  const { originalCode, code } = layer as { originalCode?: unknown; code?: unknown };
  return [originalCode, code].filter((one) => typeof one === "string");
}
