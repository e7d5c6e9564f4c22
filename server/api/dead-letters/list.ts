import { z } from "zod";
import { text } from "@/server/contracts/common";
import { deadLettersAnswer, deadLettersQuery } from "@/server/contracts/dead-letters";
import type { DeadLetters } from "@/server/ports/dead-letters";
import { momentPlace, openCursor, sealCursor } from "../cursor";
import { NO_PARAMETERS, verb } from "../verb";
import { toFilter, toView } from "./view";

const ORDER = "dead-letters";
const place = z.object({ ingestTime: momentPlace, id: text(2048) });

export const listDeadLetters = verb(
  {
    method: "GET",
    path: "/api/v1/dead-letters",
    access: "view-messages",
    bySite: true,
    audited: "seen",
    summary: "Messages and fields that could not become a reading, newest first",
    params: NO_PARAMETERS,
    query: deadLettersQuery,
    answer: deadLettersAnswer,
    status: 200,
    problems: [],
  },
  ({ deadLetters }: { readonly deadLetters: Pick<DeadLetters, "find"> }) =>
    async ({ sites }, { query: { limit, cursor, status, ...filter } }) => {
      const after = openCursor(ORDER, place, cursor);
      const found = await deadLetters.find({
        sites,
        ...toFilter(filter),
        limit: limit + 1,
        ...(status !== "all" && { status }),
        ...(after !== null && { after }),
      });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        items: page.map(toView),
        next:
          found.length > page.length && last ? sealCursor(ORDER, { ingestTime: last.ingestTime, id: last.id }) : null,
      };
    },
);
