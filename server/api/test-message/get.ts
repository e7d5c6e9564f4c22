import { z } from "zod";
import { probeMessage } from "@/server/contracts/test-message";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb } from "../verb";
import type { TestMessageDeps } from "./send";

export const getTestMessage = verb(
  {
    method: "GET",
    path: "/api/v1/test-message/{id}",
    access: "view",
    bySite: true,
    summary: "The way of a test message so far",
    description:
      "Each station with how long it took; where the message hangs, the cause and fix of the probe that explains it. The last 100 are kept.",
    params: z.object({ id: z.uuid() }),
    query: NO_PARAMETERS,
    answer: probeMessage,
    status: 200,
    problems: ["not-found"],
  },
  ({ testMessages }: TestMessageDeps) =>
    async ({ sites }, { params: { id } }) => {
      const followed = await testMessages.find(sites, id);
      if (followed === null) throw new ProblemError("not-found", "No test message has this id; the last 100 are kept.");
      return followed;
    },
);
