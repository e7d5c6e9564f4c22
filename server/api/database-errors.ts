import { isRetryable } from "@/server/postgres/error-classes";

/** True if the error says that PostgreSQL (or another store) can't be reached, seen through Prisma's wrapping. */
export function isStoreDown(error: unknown): boolean {
  for (let depth = 0, at = error; depth < 6 && typeof at === "object" && at !== null; depth++) {
    const { originalCode, cause, meta, code } = at as Record<string, unknown>;
    if (isRetryable(at) || (typeof code === "string" && PRISMA_DOWN.has(code))) return true;
    if (typeof originalCode === "string" && isRetryable(Object.assign(new Error(), { code: originalCode })))
      return true;
    at = cause ?? (meta as { driverAdapterError?: unknown } | undefined)?.driverAdapterError;
  }
  return false;
}

/** Prisma's codes for: can't reach, timed out, operation timed out, closed, pool exhausted. */
const PRISMA_DOWN = new Set(["P1001", "P1002", "P1008", "P1017", "P2024"]);
