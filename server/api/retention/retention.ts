import { z } from "zod";
import { keptFor } from "@/server/async/kept-for";
import { retentionAnswer, retentionChanges, retentionPath } from "@/server/contracts/retention";
import { faultOf, GRACE_MS, type Kept, type Retention } from "@/server/domain/retention";
import type { EpochMs } from "@/server/domain/terms";
import type { Context } from "@/server/postgres/context";
import { monthOf, startOf } from "@/server/postgres/months";
import {
  daysOf,
  type KeptRule,
  readOldest,
  readRules,
  readSizes,
  removeRule,
  setRules,
} from "@/server/readings/retention";
import { readColdSize } from "@/server/readings/cold/manifest";
import { readKeptTimes, readSeriesChange } from "@/server/readings/series-rules";
import type { Pool, PoolClient } from "pg";
import { toInstant, toInstantOrNull } from "../instant";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";

export interface RetentionDeps {
  readonly retention: {
    /** READINGS_RETENTION_DAYS. */
    readonly startDays: number;
    readonly leastDays: number;
    /** What else PostgreSQL keeps. */
    readonly others: readonly {
      readonly what: "messages" | "deadLetters" | "log";
      readonly tables: readonly string[];
      readonly setting: string;
      readonly days: number;
    }[];
  };
}

const DAY = 86_400_000;
/** What lies in which tables. */
export const TABLES = {
  raw: ["sample"],
  minutes: ["rollup_minute"],
  hours: ["rollup_hour", "rollup_quarter"],
} as const;
/** What there is is looked up at most as often as this. */
const STORED_MS = 10_000;
const { $schema: _, ...CHANGES_SCHEMA } = z.toJSONSchema(retentionChanges, { io: "input" });

export const getRetention = verb(
  {
    method: "GET",
    path: "/api/v1/retention",
    access: "view",
    summary: "How long readings and their rollups are kept, how much there is, and what goes when",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: retentionAnswer,
    status: 200,
    problems: [],
  },
  (deps: RetentionDeps) => {
    const storedIn = storedReader(deps);
    return async (ctx) => answerOf(ctx, deps, await storedIn(ctx.tx));
  },
);

export const setRetention = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/retention",
    access: "administer",
    stepUp: true,
    summary: "Sets how long readings and their rollups are kept",
    description:
      "In days of event time, or null for ever; what is left out stays. Rollups are kept at least as long as what is finer than they are. It removes nothing " +
      "for ten minutes, then the job readings-retention drops the months that are older as a whole; that can't be undone.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: retentionAnswer,
    status: 200,
    problems: [...BODY_PROBLEMS],
    bodies: { "application/json": CHANGES_SCHEMA },
  },
  (deps: RetentionDeps) =>
    async (ctx, { request, note }) => {
      const { startDays, leastDays } = deps.retention;
      const asked = Object.entries(await parseJsonBody(retentionChanges, request));
      const changes = Object.fromEntries(asked.filter(([, days]) => days !== undefined)) as Partial<Retention>;
      const before = daysOf(await readRules(ctx.tx, startDays));
      const after = { ...before, ...changes };
      const fault = faultOf(after, leastDays);
      if (fault) throw invalid([fault]);
      await setRules(ctx.tx, changes);
      note({ target: Object.keys(changes).join(), detail: { before: told(before), after: told(after) } });
      return answerOf(ctx, deps, await readStored(ctx.tx, deps));
    },
);

export const removeRetention = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/retention/{keeps}",
    access: "administer",
    stepUp: true,
    summary: "Lets one kind go by READINGS_RETENTION_DAYS again",
    description: "As any change, it removes nothing for ten minutes.",
    params: retentionPath,
    query: NO_PARAMETERS,
    answer: retentionAnswer,
    status: 200,
    problems: ["not-found"],
  },
  (deps: RetentionDeps) =>
    async (ctx, { params: { keeps }, note }) => {
      const { startDays, leastDays } = deps.retention;
      const before = daysOf(await readRules(ctx.tx, startDays));
      if (!(await removeRule(ctx.tx, keeps)))
        throw new ProblemError("not-found", `Nobody has set how long ${keeps} are kept.`);
      const after = daysOf(await readRules(ctx.tx, startDays));
      const fault = faultOf(after, leastDays);
      if (fault) throw invalid([{ at: "keeps", message: `would leave ${fault.at} at fault: it ${fault.message}` }]);
      note({ detail: { before: told(before), after: told(after) } });
      return answerOf(ctx, deps, await readStored(ctx.tx, deps));
    },
);

export function told(retention: Retention): Record<Kept, string> {
  const words = (days: number | null) => (days === null ? "for ever" : `${days} days`);
  return { raw: words(retention.raw), minutes: words(retention.minutes), hours: words(retention.hours) };
}

interface Stored {
  readonly oldest: Readonly<Record<Kept, EpochMs | null>>;
  readonly bytes: ReadonlyMap<string, number>;
}

export async function readStored(client: Pool | PoolClient, { retention }: RetentionDeps): Promise<Stored> {
  const oldest = await readOldest(client);
  return {
    oldest,
    bytes: await readSizes(client, [
      ...Object.values(TABLES).flat(),
      ...retention.others.flatMap(({ tables }) => tables),
    ]),
  };
}

function storedReader(deps: RetentionDeps): (pool: Pool) => Promise<Stored> {
  let from: Pool | undefined;
  const read = keptFor(STORED_MS, Date.now, () => readStored(from!, deps));
  return (pool) => {
    from = pool;
    return read();
  };
}

export async function answerOf(
  ctx: Pick<Context<Pool | PoolClient>, "tx" | "now">,
  { retention }: RetentionDeps,
  { oldest, bytes }: Stored,
): Promise<z.input<typeof retentionAnswer>> {
  const { rules, series } = await readKeptTimes(ctx.tx, retention.startDays, ctx.now);
  const changed = await readSeriesChange(ctx.tx);
  return {
    cold: await readColdSize(ctx.tx),
    rules: series.map(({ setAt, ...rule }) => ({ ...rule, setAt: toInstant(setAt) })),
    rulesApplyAt: toInstantOrNull(changed !== null && ctx.now - changed < GRACE_MS ? changed + GRACE_MS : null),
    time: toInstant(ctx.now),
    leastDays: retention.leastDays,
    items: rules.map((rule) => ({
      ...{ keeps: rule.keeps, days: rule.days },
      changedAt: toInstantOrNull(rule.isSet ? rule.changedAt : null),
      appliesAt: toInstantOrNull(appliesAt(rule, ctx.now)),
      oldest: toInstantOrNull(oldest[rule.keeps]),
      bytes: sizeOf(bytes, TABLES[rule.keeps]),
      goneBefore: toInstantOrNull(rule.goneBefore),
      nextMonth: toInstantOrNull(nextMonth(rule, oldest[rule.keeps], ctx.now)),
    })),
    others: retention.others.map(({ what, days, setting, tables }) => ({
      ...{ what, days, setting },
      bytes: sizeOf(bytes, tables),
    })),
  };
}

const sizeOf = (bytes: Stored["bytes"], tables: readonly string[]) =>
  tables.reduce((sum, table) => sum + (bytes.get(table) ?? 0), 0);

function appliesAt({ changedAt, days }: KeptRule, now: EpochMs): EpochMs | null {
  if (changedAt === null || days === null || now - changedAt >= GRACE_MS) return null;
  return changedAt + GRACE_MS;
}

/** When the month of the oldest is old as a whole: now, if it is. */
function nextMonth(rule: KeptRule, oldest: EpochMs | null, now: EpochMs): EpochMs | null {
  if (rule.days === null || oldest === null) return null;
  return Math.max(appliesAt(rule, now) ?? now, startOf(monthOf(oldest) + 1) + rule.days * DAY);
}
