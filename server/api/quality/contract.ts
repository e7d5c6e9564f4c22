import { dataContract, dataContractQuery } from "@/server/contracts/quality";
import { contractOf } from "@/server/domain/quality/contract";
import { viewContractOf } from "@/server/domain/quality/view-contract";
import { readContracted } from "@/server/quality/contract";
import { readMetricRetention } from "@/server/readings/metric-retention";
import type { MetricDeps } from "../metrics/list";
import { invalid } from "../parse";
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
      "series are of type custom, with the engine fieldwatch. Its version changes with the limits. With form=views it is of the views as they lie in PostgreSQL, with rules in SQL " +
      "that a program for contracts can test there.",
    params: NO_PARAMETERS,
    query: dataContractQuery,
    answer: dataContract,
    status: 200,
    problems: [],
  },
  ({ pool, lineage, retention }: Omit<MetricDeps, "prisma">) =>
    async ({ sites, now }, { query: { site = null, type = null, form }, headers }) => {
      if (form === "views" && type !== null)
        throw invalid([{ at: "type", message: "isn't in the views: leave it out, or ask for form=readings" }]);
      const { metrics, version } = await readContracted(pool, sites, { site, type });
      headers.set("content-disposition", `attachment; filename="${form}.odcs.json"`);
      if (form === "views") return viewContractOf({ site, metrics }, version, lineage.owner);
      const keptOf = await readMetricRetention(pool, retention.startDays, { sites, site, type }, now);
      return contractOf({ site, type, metrics }, version, lineage.owner, keptOf);
    },
);
