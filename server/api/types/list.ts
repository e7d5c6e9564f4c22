import type { Pool } from "pg";
import { readTypes } from "@/server/catalog/types";
import { deviceTypes } from "@/server/contracts/types";
import { NO_PARAMETERS, verb } from "../verb";

interface Deps {
  readonly pool: Pool;
  readonly staleSeconds: number;
}

export const listTypes = verb(
  {
    method: "GET",
    path: "/api/v1/types",
    access: "view",
    bySite: true,
    summary: "The types that devices have, and at which age their devices are stale",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: deviceTypes,
    status: 200,
    problems: [],
  },
  ({ pool, staleSeconds }: Deps) =>
    async ({ sites }) => ({ items: await readTypes(pool, sites), usualSeconds: staleSeconds }),
);
