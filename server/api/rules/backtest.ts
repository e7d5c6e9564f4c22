import { z } from "zod";
import { foundDevice, mightHaveFired } from "@/server/alerting/backtest/found";
import type { History } from "@/server/alerting/backtest/history";
import { backtestDevices, type TriableRule, untriableReason } from "@/server/alerting/backtest/run";
import { findDevice } from "@/server/catalog/devices";
import { metricsOfKeys } from "@/server/catalog/metrics";
import { backtestAnswer, backtestBody } from "@/server/contracts/backtests";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import { countMessages } from "@/server/notifications/would-tell";
import type { PrismaClient } from "@/server/postgres/prisma";
import { noDevice } from "../devices/id";
import { rangeAsked } from "../devices/range";
import { toInstant, toInstantOrNull } from "../instant";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { invalid } from "../parse";
import { NO_PARAMETERS, verb } from "../verb";

const DAY_MS = 86_400_000;
const MOST_DAYS = 31;
const MOST_EPISODES = 500;
const { $schema: _, ...BODY_SCHEMA } = z.toJSONSchema(backtestBody, { io: "input" });

export interface BacktestDeps {
  readonly prisma: PrismaClient;
  readonly history: History;
  readonly staleSeconds: number;
}

export const backtestRule = verb(
  {
    method: "POST",
    path: "/api/v1/rule-backtest",
    access: "view",
    bySite: true,
    summary: "Tells what a rule would have done with one device",
    description:
      "The rule is run over what is stored by the machine that judges live, as if it had been made at the beginning of the range: up to 31 days. " +
      "Silence is judged by event times, as times of ingest aren't kept with readings. Rules of other kinds than condition and silence can't be tried.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: backtestAnswer,
    status: 200,
    problems: ["not-found", "cold-storage-unavailable", ...BODY_PROBLEMS],
    bodies: { "application/json": BODY_SCHEMA },
  },
  ({ prisma, history, staleSeconds }: BacktestDeps) =>
    async (ctx, { request }) => {
      const body = await parseJsonBody(backtestBody, request);
      const spec = triable(body.spec);
      const { from, to } = backtestRange(body, ctx.now, MOST_DAYS);
      const device = await findDevice(prisma, body.device, ctx.sites);
      if (device === null) throw noDevice(body.device);
      const backtest = { spec, from, to, staleMs: staleSeconds * 10_000 };
      const [outcome] = await backtestDevices(ctx.tx, history, [device.key], backtest, ctx.signal);
      const series = outcome?.series ?? [];
      const keepMs = spec.kind === "condition" ? spec.keepMs : 0;
      const told = outcome
        ? await countMessages(ctx.tx, mightHaveFired(outcome, "", keepMs))
        : { messages: 0, untold: 0 };
      const sums = (outcome && foundDevice(outcome, to)) ?? { episodes: 0, firingMs: 0, longestMs: 0 };
      const found = series
        .flatMap(({ metric, episodes }) =>
          episodes.map(({ condition: _, metric: of, ...episode }) => ({ ...episode, metric, of })),
        )
        .sort((a, b) => a.startedAt - b.startedAt)
        .slice(0, MOST_EPISODES);
      // Of several metrics, the values are of the one whose condition stands for the alert.
      const several = new Set(found.flatMap(({ metric, of }) => (metric === null && of ? [of] : [])));
      const names = new Map((await metricsOfKeys(prisma, [...several])).map(({ key, name }) => [key, name]));
      const items = found.map(({ of, metric, ...episode }) => ({
        ...episode,
        metric: metric ?? names.get(of!) ?? null,
      }));
      return {
        ...{ device: device.name, selected: outcome !== undefined, from: toInstant(from), to: toInstant(to) },
        ...{ series: series.length, share: series.length === 0 ? 0 : sums.firingMs / (series.length * (to - from)) },
        ...{ episodes: sums.episodes, firingMs: sums.firingMs, longestMs: sums.longestMs, ...told },
        unknownHours: series.reduce((sum, one) => sum + one.unknownHours, 0),
        items: items.map(({ startedAt, firedAt, endedAt, worstAt, noDataSince, ...episode }) => ({
          ...episode,
          ...{ startedAt: toInstant(startedAt), firedAt: toInstant(firedAt), endedAt: toInstantOrNull(endedAt) },
          ...{ worstAt: toInstantOrNull(worstAt), noDataSince: toInstantOrNull(noDataSince) },
        })),
      };
    },
);

/** @throws ProblemError for a rule that can't be run over what is stored. */
export function triable(spec: RuleSpec): TriableRule {
  const reason = untriableReason(spec);
  if (reason !== null) throw invalid([{ at: "spec.kind", message: reason }]);
  return spec as TriableRule;
}

/** The range asked for: seven days to now where nothing is said. @throws ProblemError */
export function backtestRange(
  body: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: number,
  mostDays: number,
): { from: number; to: number } {
  const to = Math.min(now, rangeAsked({ to: body.to }, now).to);
  const from = body.from === undefined ? to - 7 * DAY_MS : rangeAsked({ from: body.from, to: body.to }, now).from;
  if (from >= to) throw invalid([{ at: "from", message: "must be before `to`, and in the past" }]);
  if (to - from > mostDays * DAY_MS)
    throw invalid([{ at: "from", message: `must be at most ${mostDays} days before \`to\`` }]);
  return { from, to };
}
