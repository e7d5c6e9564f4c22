import { z } from "zod";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb } from "../verb";

export const getReady = verb(
  {
    method: "GET",
    path: "/api/readyz",
    access: "public",
    summary:
      "200 while messages can be taken: the event log answers and has its topic, and this server is not about to stop",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: z.object({ status: z.literal("ready") }),
    status: 200,
    problems: ["log-unavailable", "starting-or-stopping"],
  },
  // @throws LogUnavailableError while the log takes no messages.
  ({ logReady, isLeaving }: { readonly logReady: () => Promise<void>; readonly isLeaving: () => boolean }) =>
    async () => {
      if (isLeaving())
        throw new ProblemError("starting-or-stopping", "It still answers, and stops soon: send to another one.");
      await logReady();
      return { status: "ready" as const };
    },
);
