import { probeMessages } from "@/server/contracts/test-message";
import { NO_PARAMETERS, verb } from "../verb";
import type { TestMessageDeps } from "./send";

export const listTestMessages = verb(
  {
    method: "GET",
    path: "/api/v1/test-message",
    access: "view",
    bySite: true,
    summary: "The latest test messages with their ways, newest first",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: probeMessages,
    status: 200,
    problems: [],
  },
  ({ testMessages }: TestMessageDeps) =>
    async ({ sites }) =>
      testMessages.latest(sites),
);
