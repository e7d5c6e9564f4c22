import { deadLetter } from "@/server/contracts/dead-letters";
import type { DeadLetters } from "@/server/ports/dead-letters";
import { NO_PARAMETERS, verb } from "../verb";
import { letterParams } from "./id";
import { readLetter, toView } from "./view";

export const getDeadLetter = verb(
  {
    method: "GET",
    path: "/api/v1/dead-letters/{id}",
    access: "view-messages",
    bySite: true,
    audited: "seen",
    summary: "One dead letter with its message and its history",
    params: letterParams,
    query: NO_PARAMETERS,
    answer: deadLetter,
    status: 200,
    problems: ["not-found"],
  },
  ({ deadLetters }: { readonly deadLetters: Pick<DeadLetters, "find"> }) =>
    async (ctx, { params: { id } }) =>
      toView(await readLetter(ctx, deadLetters, id)),
);
