import { z } from "zod";
import { NO_PARAMETERS, verb } from "../verb";

export const getLive = verb(
  {
    method: "GET",
    path: "/api/livez",
    access: "public",
    summary: "200 while this process answers at all",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: z.object({ status: z.literal("live") }),
    status: 200,
    problems: [],
  },
  () => async () => ({ status: "live" as const }),
);
