import { PrismaPg } from "@prisma/adapter-pg";
import type { Pool } from "pg";
import { PrismaClient } from "./generated/client";

export type { PrismaClient } from "./generated/client";

/** Prisma over an existing pool, for the catalog. Connects at its first query; `$disconnect` leaves the pool open. */
export function createPrismaClient(pool: Pool): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg(pool) });
}
