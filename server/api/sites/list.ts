import { readSites } from "@/server/catalog/sites";
import { sitesAnswer } from "@/server/contracts/sites";
import { NO_PARAMETERS, verb } from "../verb";

export const listSites = verb(
  {
    method: "GET",
    path: "/api/v1/sites",
    access: "view",
    bySite: true,
    summary: "The sites there are, with the names they had before",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: sitesAnswer,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx, sites }) => ({ items: await readSites(tx, sites) }),
);
