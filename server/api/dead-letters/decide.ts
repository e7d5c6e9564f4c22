import { z } from "zod";
import { deadLetter } from "@/server/contracts/dead-letters";
import type { DeadLetters } from "@/server/ports/dead-letters";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb } from "../verb";
import { letterParams } from "./id";
import { readLetter, toView } from "./view";

/** An empty body. It must be JSON all the same, as pages of other origins can't send that. */
export const emptyBody = z.object({});
export const EMPTY_BODY = { "application/json": { type: "object" } } as const;

interface Decision {
  readonly name: "discard" | "restore";
  readonly summary: string;
  readonly from: "open" | "discarded";
  readonly to: "open" | "discarded";
  readonly kind: "discarded" | "restored";
  readonly detail: string;
}

function decide({ name, summary, from, to, kind, detail }: Decision) {
  return verb(
    {
      method: "POST",
      path: `/api/v1/dead-letters/{id}/${name}`,
      access: "operate",
      bySite: true,
      audited: "changed",
      summary,
      params: letterParams,
      query: NO_PARAMETERS,
      answer: deadLetter,
      status: 200,
      problems: ["not-found", "wrong-status", ...BODY_PROBLEMS],
      bodies: EMPTY_BODY,
    },
    ({ deadLetters }: { readonly deadLetters: Pick<DeadLetters, "find" | "change"> }) =>
      async (ctx, { params: { id }, request, attempt }) => {
        await parseJsonBody(emptyBody, request);
        await attempt({ detail: { before: { status: from }, after: { status: to } } });
        const letter = await readLetter(ctx, deadLetters, id);
        const event = { time: ctx.now, kind, detail, edited: false };
        const changed = await deadLetters.change([{ id: letter.id, from: [from], resends: letter.resends, to, event }]);
        const after = await readLetter(ctx, deadLetters, id);
        if (changed.size > 0) return toView(after);
        throw new ProblemError(
          "wrong-status",
          `Only one that is ${from} can be ${kind}; this one is ${after.status}.`,
          {
            members: { current: after.status },
          },
        );
      },
  );
}

export const discardDeadLetter = decide({
  name: "discard",
  summary: "Gives an open dead letter up; it is kept until its retention ends",
  from: "open",
  to: "discarded",
  kind: "discarded",
  detail: "Given up",
});

export const restoreDeadLetter = decide({
  name: "restore",
  summary: "Opens a discarded dead letter again",
  from: "discarded",
  to: "open",
  kind: "restored",
  detail: "Taken back",
});
