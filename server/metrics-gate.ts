import type { IncomingMessage, ServerResponse } from "node:http";
import type { Authenticator } from "./access/authenticate";
import { sitesOf } from "./domain/access";
import { answerScrape, refuseScrape, withinNetworks } from "./observability/metrics/answer";
import type { Metrics } from "./observability/metrics/metrics";
import { credentialsOf } from "./page-gate";

/** Answers what scrapes metrics. @returns false when the request is for something else, the page Metrics among it */
export type MetricsGate = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/**
 * The gate before web's metrics: for programs that come from these networks, or show a key, or a session, of somebody who may see all sites.
 * @param networks as METRICS_NETWORKS has them
 */
export function createMetricsGate(
  metrics: Metrics,
  authenticator: Pick<Authenticator, "callerOf">,
  networks: readonly string[],
): MetricsGate {
  const isAllowed = withinNetworks(networks);
  return async (request, response) => {
    if (!isScrape(request)) return false;
    const shown = credentialsOf(request);
    if (!isAllowed(shown.address)) {
      try {
        const caller = await authenticator.callerOf(shown);
        if (caller.kind === "nobody") {
          refuseScrape(response, 401, `${caller.why ?? "No key was shown."} ${HOW}`, { "www-authenticate": "Bearer" });
          return true;
        }
        if (sitesOf(caller, "view") !== "all") {
          refuseScrape(response, 403, "Metrics are of all sites together: that takes the role viewer at all sites.");
          return true;
        }
      } catch {
        refuseScrape(
          response,
          503,
          "PostgreSQL cannot be reached, so no key can be checked. Networks of METRICS_NETWORKS need none.",
          { "retry-after": "2" },
        );
        return true;
      }
    }
    await answerScrape(metrics, request, response);
    return true;
  };
}

const HOW =
  "Send the key of a service with the role viewer at all sites as `Authorization: Bearer …`, or set METRICS_NETWORKS to where you come from.";

/** True for programs: what reads metrics asks for text and for no page, and browsers for pages. */
function isScrape({ url = "", headers: { accept = "" } }: IncomingMessage): boolean {
  return (
    /^\/metrics(\?|$)/.test(url) &&
    /application\/openmetrics-text|text\/plain/.test(accept) &&
    !/text\/html/.test(accept)
  );
}
