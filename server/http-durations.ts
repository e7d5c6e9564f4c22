import type { IncomingMessage, ServerResponse } from "node:http";
import { isPage, isSourceDoor } from "./front-door/front-door";
import type { Logger } from "./observability/logger";
import { inContext, type LogContext } from "./observability/logs/context";
import type { Counting } from "./observability/metrics/metrics";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Counts a request, once it is answered in full, with the time that took; a debug line tells of it, too. */
export function timeAnswer(
  { counting, logger }: { readonly counting: Counting; readonly logger: Logger },
  request: IncomingMessage,
  response: ServerResponse,
  context: LogContext,
): void {
  const began = performance.now();
  const { url = "", method = "" } = request;
  response.once("finish", () => {
    const labels = {
      http_request_method: METHODS.has(method) ? method : "_OTHER",
      http_response_status_code: response.statusCode,
      http_route: routeOf(url),
    };
    const seconds = (performance.now() - began) / 1000;
    counting.observe("http_server_request_duration_seconds", labels, seconds, { traceId: context.trace_id });
    if (!logger.isLevelEnabled("debug")) return;
    const { http_request_method: verb, http_response_status_code: status, http_route: route } = labels;
    // Neither path nor query: keys and names of devices may stand there.
    inContext(context, () =>
      logger.debug({ method: verb, route, status, ms: Math.round(seconds * 1e6) / 1e3 }, "request answered"),
    );
  });
}

/** The kind of an address: one name for each would be hundreds of series. */
export function routeOf(url: string): "telemetry" | "doors" | "pages" | "api" {
  if (/^\/api\/v1\/telemetry(\?|$)/.test(url)) return "telemetry";
  if (isSourceDoor(url)) return "doors";
  return isPage(url) ? "pages" : "api";
}
