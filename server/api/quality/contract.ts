import type { Pool } from "pg";
import { dataContract, dataContractQuery } from "@/server/contracts/quality";
import { contractOf } from "@/server/domain/quality/contract";
import { readContracted } from "@/server/quality/contract";
import { NO_PARAMETERS, verb } from "../verb";

export const getQualityContract = verb(
  {
    method: "GET",
    path: "/api/v1/quality/contract",
    access: "view",
    bySite: true,
    summary: "What the checks expect of readings, as a data contract by the Open Data Contract Standard 3.1",
    description:
      "JSON, which is YAML as well. Of all devices, or those of a site or a type. What the standard's library has words for is said in them; the checks of time " +
      "series are of type custom, with the engine fieldwatch. Its version changes with the limits.",
    params: NO_PARAMETERS,
    query: dataContractQuery,
    answer: dataContract,
    status: 200,
    problems: [],
  },
  ({ pool }: { readonly pool: Pool }) =>
    async ({ sites }, { query: { site = null, type = null }, headers }) => {
      const { metrics, version } = await readContracted(pool, sites, { site, type });
      headers.set("content-disposition", 'attachment; filename="readings.odcs.json"');
      return contractOf({ site, type, metrics }, version);
    },
);
