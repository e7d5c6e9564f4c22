import { healthAnswer, type HealthAnswer } from "@/server/contracts/health";
import { NO_PARAMETERS, verb } from "../verb";

export const getHealth = verb(
  {
    method: "GET",
    path: "/api/v1/health",
    access: "view",
    summary: "Every probe with its status, cause and fix",
    description:
      "Answers 200 whatever the status is, also while engines are down. For a load balancer ask /api/readyz.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: healthAnswer,
    status: 200,
    problems: [],
  },
  ({ health }: { readonly health: () => HealthAnswer }) =>
    async () =>
      health(),
);
