import { z } from "zod";
import { NO_PARAMETERS, verb } from "../verb";

export const getReady = verb(
  {
    method: "GET",
    path: "/api/readyz",
    access: "public",
    summary: "200 while messages can be taken: the event log answers and has its topic",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: z.object({ status: z.literal("ready") }),
    status: 200,
    problems: ["log-unavailable"],
  },
  // @throws LogUnavailableError while the log takes no messages.
  ({ logReady }: { readonly logReady: () => Promise<void> }) =>
    async () => {
      await logReady();
      return { status: "ready" as const };
    },
);
