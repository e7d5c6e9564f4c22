import { keptFor } from "@/server/async/kept-for";
import { type CostAnswer, costAnswer } from "@/server/contracts/cost";
import {
  bytesIn,
  estimate,
  LEVER_HORIZON,
  leversOf,
  type Machine,
  type Measured,
  neededFor,
  perDay,
  perMessage,
  STORES,
  type Store,
  totalOf,
} from "@/server/domain/cost";
import { KEPT } from "@/server/domain/retention";
import type { Pool } from "pg";
import { toInstant } from "../instant";
import { readEmptyBytes, readFreeBytes } from "@/server/readings/retention";
import { answerOf, readStored, type RetentionDeps, TABLES } from "../retention/retention";
import { NO_PARAMETERS, verb } from "../verb";
import { readPrices } from "./prices";

export interface CostDeps extends RetentionDeps {
  readonly cost: {
    /** PRICES_FILE. */
    readonly pricesFile: string | undefined;
    /** COLD_AFTER_DAYS; null: there is no cold storage. */
    readonly coldAfterDays: number | null;
    /** The machine web runs on, and what is in use of it: processors on average of 15 minutes, and bytes. */
    readonly machine: () => {
      readonly vcpus: number;
      readonly load: number;
      readonly memory: number;
      readonly used: number;
    };
  };
}

const GIB = 1024 ** 3;
/** What there is is measured at most as often as this. */
const MEASURED_MS = 10_000;
const ELSEWHERE = ["messages", "deadLetters", "log"] as const;

export const getCost = verb(
  {
    method: "GET",
    path: "/api/v1/cost",
    access: "view",
    summary: "What is stored takes, what it will take in a month and in a year, and what that costs",
    description:
      "Bytes are measured on this installation and go on with as many messages as came in the last 24 hours, each kept as long as now. Prices are from a file that you replace " +
      "(docs/cost.md); they hold for a machine like the one web runs on, and don't include traffic, backups or engines beside PostgreSQL.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: costAnswer,
    status: 200,
    problems: [],
  },
  (deps: CostDeps) => {
    let from: { pool: Pool; now: number } | undefined;
    const measure = keptFor(MEASURED_MS, Date.now, () => measureIn(from!, deps));
    return async (ctx): Promise<CostAnswer> => {
      from = { pool: ctx.tx, now: ctx.now };
      return { time: toInstant(ctx.now), ...(await answer(await measure(), deps)) };
    };
  },
);

async function measureIn({ pool, now }: { pool: Pool; now: number }, deps: CostDeps): Promise<Measured> {
  const retention = await answerOf({ tx: pool, now }, deps, await readStored(pool, deps));
  const free = await readFree(pool, deps);
  const { rows } = await pool.query<{ messages: number; readings: number; recent: number; since: number | null }>(
    `SELECT coalesce(sum(messages), 0)::float8 AS messages, coalesce(sum(readings), 0)::float8 AS readings,
       (SELECT coalesce(sum(messages), 0)::float8 FROM pipeline_rate WHERE bucket > now() - interval '1 day') AS recent,
       (SELECT extract(epoch FROM now() - min(first_seen))::float8 * 1000 FROM device) AS since
     FROM pipeline_position`,
  );
  const { messages, readings, recent, since } = rows[0]!;
  const kept = new Map<Store, { bytes: number; days: number | null }>([
    ...retention.items.map(({ keeps, bytes, days }) => [keeps, { bytes, days }] as const),
    ...retention.others.map(({ what, bytes, days }) => [what, { bytes, days }] as const),
  ]);
  if (deps.cost.coldAfterDays !== null || retention.cold.bytes > 0)
    kept.set("cold", { bytes: retention.cold.bytes, days: kept.get("raw")?.days ?? null });
  return {
    bytes: Object.fromEntries([...kept].map(([store, { bytes }]) => [store, bytes])),
    free,
    empty: await readEmpty(pool, deps),
    ...{ messages, readings, messagesPerDay: perDay(recent, since) },
    plan: {
      days: Object.fromEntries([...kept].map(([store, { days }]) => [store, days])),
      coldAfterDays: deps.cost.coldAfterDays,
    },
  };
}

/** What is free in the stores whose rows are merged. */
async function readFree(pool: Pool, { retention }: CostDeps): Promise<Measured["free"]> {
  const messages = retention.others.find(({ what }) => what === "messages")?.tables ?? [];
  const free = await readFreeBytes(pool, ["sample", ...messages]);
  return {
    raw: free.get("sample") ?? 0,
    messages: messages.reduce((sum, table) => sum + (free.get(table) ?? 0), 0),
  };
}

/** What is no message's in each store: what its tables take empty. */
async function readEmpty(pool: Pool, { retention }: CostDeps): Promise<Measured["empty"]> {
  const tables: readonly (readonly [Store, readonly string[]])[] = [
    ...KEPT.map((keeps) => [keeps, TABLES[keeps]] as const),
    ...retention.others.map((other) => [other.what, other.tables] as const),
  ];
  const bytes = await readEmptyBytes(
    pool,
    tables.flatMap(([, names]) => names),
  );
  return Object.fromEntries(
    tables.map(([store, names]) => [store, names.reduce((sum, name) => sum + (bytes.get(name) ?? 0), 0)]),
  );
}

async function answer(measured: Measured, { cost }: CostDeps): Promise<Omit<CostAnswer, "time">> {
  const { messages, readings, messagesPerDay, bytes, free, empty, plan } = measured;
  const known = (amount: number) => (messagesPerDay === null ? null : amount);
  const now = bytesIn(measured, 0);
  const [month, year] = [bytesIn(measured, 30), bytesIn(measured, LEVER_HORIZON)];
  const { vcpus, load, memory, used } = cost.machine();
  const machine: Machine = { vcpus, memoryGiB: memory / GIB };
  const needed = neededFor(load, used / GIB);
  const prices = await readPrices(cost.pricesFile);
  const providers = prices.file?.providers ?? [];
  return {
    ...{ messages, messagesPerDay, readingsPerMessage: messages > 0 ? readings / messages : null },
    stores: STORES.filter((store) => store in bytes).map((store) => ({
      store,
      bytes: bytes[store] ?? 0,
      free: free[store] ?? 0,
      empty: empty[store] ?? 0,
      perMessage: perMessage(measured, store),
      days: plan.days[store] ?? null,
      in30Days: perMessage(measured, store) === null ? null : known(month.get(store) ?? 0),
      in365Days: perMessage(measured, store) === null ? null : known(year.get(store) ?? 0),
    })),
    elsewhere: ELSEWHERE.filter((store) => !(store in bytes)),
    total: { bytes: totalOf(now), in30Days: known(totalOf(month)), in365Days: known(totalOf(year)) },
    machine: { ...machine, load, neededVcpus: needed.vcpus, neededMemoryGiB: needed.memoryGiB },
    prices: prices.file && {
      date: prices.file.date,
      source: prices.file.source,
      currency: prices.file.currency,
      isOwn: prices.isOwn,
    },
    trouble: prices.trouble,
    estimates: providers.map((one) => {
      const then = estimate(year, machine, one);
      return {
        ...{ provider: one.provider, now: estimate(now, machine, one).total, in365Days: known(then.total) },
        ...{ machine: then.machine, disk: known(then.disk), objects: known(then.objects) },
      };
    }),
    levers: leversOf(measured, { machine, needed }, providers).map(({ saved, ...lever }) => ({
      ...lever,
      saved: [...saved],
    })),
  };
}
