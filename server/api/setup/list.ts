import { setupAnswer, type SetupAnswer } from "@/server/contracts/setup";
import { NO_PARAMETERS, verb } from "../verb";

export interface SetupDeps {
  /** The recorded starts; reading them needs no engine. */
  readonly setup: () => Promise<SetupAnswer>;
}

export const listSetup = verb(
  {
    method: "GET",
    path: "/api/v1/setup",
    access: "administer",
    summary: "Every recorded start, newest first",
    description:
      "Each `npm start` with its steps, how long they took, and for a failure the cause and fix that were told. Kept in the data folder, the last 50, " +
      "and answered also while engines are down. Roles that are started alone (web, worker, simulator) are not recorded.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: setupAnswer,
    status: 200,
    problems: [],
  },
  ({ setup }: SetupDeps) =>
    async () =>
      setup(),
);
