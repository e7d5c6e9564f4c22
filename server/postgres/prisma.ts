import { PrismaPg } from "@prisma/adapter-pg";
import pg, { type Pool, type PoolClient } from "pg";
import { PrismaClient } from "./generated/client";

export type { PrismaClient } from "./generated/client";

/** Prisma over an existing pool: few rows, many relations, checked types. Connects at its first query; `$disconnect` leaves the pool open. */
export function createPrismaClient(pool: Pool): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg(pool) });
}

/**
 * Prisma within an open transaction of pg: what it reads and writes is part of that transaction, beside SQL of other rooms.
 * Its own transactions (nested writes) become savepoints. Good until the transaction ends.
 */
export function prismaIn(tx: PoolClient): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg(new PoolOfOne(tx)) });
}

/** Prisma's statements around a transaction of its own, and what each is inside of another. */
const AS_SAVEPOINT: Readonly<Record<string, string>> = {
  BEGIN: "SAVEPOINT prisma",
  COMMIT: "RELEASE SAVEPOINT prisma",
  ROLLBACK: "ROLLBACK TO SAVEPOINT prisma",
};

/** A pool that hands out the one client it was given. The adapter asks for a pg.Pool by class. */
class PoolOfOne extends pg.Pool {
  constructor(private readonly tx: PoolClient) {
    super({ max: 1 });
  }

  /** One statement at a time: Prisma asks several at once, which a pool would spread over its clients. */
  private last: Promise<unknown> = Promise.resolve();

  override query = ((query: pg.QueryConfig) => {
    const text = AS_SAVEPOINT[query.text] ?? query.text;
    const answer = this.last.then(() => this.tx.query({ ...query, text }));
    this.last = answer.catch(() => undefined);
    return answer;
  }) as pg.Pool["query"];

  override connect = (() => {
    const { query } = this;
    const client = { query, release: () => {}, on: () => client, removeListener: () => client };
    return Promise.resolve(client);
  }) as unknown as pg.Pool["connect"];
}
