import type { z } from "zod";
import { type Sites, sitesOf } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import { keptByKey } from "@/server/async/kept-for";
import { deadLetterGroupsAnswer, deadLetterGroupsQuery } from "@/server/contracts/dead-letters";
import { DEAD_LETTER_REASONS } from "@/server/domain/reasons";
import type { DeadLetters } from "@/server/ports/dead-letters";
import { toInstant } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";
import { toFilter } from "./view";

const HOUR = 3_600_000;
const TREND_HOURS = 24;

interface GroupsDeps {
  readonly deadLetters: Pick<DeadLetters, "groups" | "count">;
}

type Query = z.output<typeof deadLetterGroupsQuery>;
type Answer = z.input<typeof deadLetterGroupsAnswer>;

export const listDeadLetterGroups = verb(
  {
    method: "GET",
    path: "/api/v1/dead-letters/groups",
    access: "view",
    bySite: true,
    summary: "Dead letters by reason, device and field, the largest groups first",
    params: NO_PARAMETERS,
    query: deadLetterGroupsQuery,
    answer: deadLetterGroupsAnswer,
    status: 200,
    problems: [],
  },
  ({ deadLetters }: GroupsDeps) => {
    async function answer(
      { sites, limit, status, ...filter }: Query & { sites: Sites },
      time: EpochMs,
    ): Promise<Answer> {
      const trendFrom = Math.floor(time / HOUR) * HOUR - (TREND_HOURS - 1) * HOUR;
      const [{ total, groups }, { refused: _, ...counts }] = await Promise.all([
        deadLetters.groups({ sites, ...toFilter(filter), limit, trendFrom, ...(status !== "all" && { status }) }),
        deadLetters.count({ sites }),
      ]);
      return {
        time: toInstant(time),
        counts,
        total,
        items: groups.map(({ reason, firstSeen, lastSeen, trend, ...group }) => ({
          ...group,
          reason,
          title: DEAD_LETTER_REASONS[reason].title,
          fix: DEAD_LETTER_REASONS[reason].fix,
          firstSeen: toInstant(firstSeen),
          lastSeen: toInstant(lastSeen),
          trend: Array.from({ length: TREND_HOURS }, (_, hour) => trend.get(hour) ?? 0),
        })),
      };
    }
    // With a million letters an answer takes a second: everybody who asks the same meanwhile shares it.
    const shared = keptByKey(0, answer);
    return async (ctx, { query }) => {
      const all = await shared({ ...query, sites: ctx.sites }, ctx.now);
      // At all the sites that are shown, as a group may be of several.
      const may = sitesOf(ctx.caller, "view-messages");
      const sees = may === "all" || (ctx.sites !== "all" && ctx.sites.every((site) => may.includes(site)));
      return sees ? all : { ...all, items: all.items.map((group) => ({ ...group, example: null })) };
    };
  },
);
