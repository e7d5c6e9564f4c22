import { healthAnswer, type HealthAnswer } from "@/server/contracts/health";
import { sitesOf } from "@/server/domain/access";
import { NO_PARAMETERS, verb } from "../verb";

export const getHealth = verb(
  {
    method: "GET",
    path: "/api/v1/health",
    access: "view",
    summary: "Every probe with its status, cause and fix",
    description:
      "Answers 200 whatever the status is, also while engines are down. For a load balancer ask /api/readyz. Who doesn't hold `administer` at all sites " +
      "is told every state, cause and fix without hosts, versions, files and settings: `leftOut` says so, and … stands in their place.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: healthAnswer,
    status: 200,
    problems: [],
  },
  ({ health }: { readonly health: (details: boolean) => HealthAnswer }) =>
    async ({ caller }) =>
      health(sitesOf(caller, "administer") === "all"),
);
