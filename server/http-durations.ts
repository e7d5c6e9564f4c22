import type { IncomingMessage, ServerResponse } from "node:http";
import { isPage, isSourceDoor } from "./front-door/front-door";
import type { Counting } from "./observability/metrics/metrics";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
/** As https://www.w3.org/TR/trace-context/ has it. */
const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/;
const NO_TRACE = "0".repeat(32);

/** Counts a request, once it is answered in full, with the time that took. */
export function timeAnswer(counting: Counting, request: IncomingMessage, response: ServerResponse): void {
  const began = performance.now();
  const { url = "", method = "", headers } = request;
  response.once("finish", () => {
    const [, traceId] = TRACEPARENT.exec(String(headers.traceparent)) ?? [];
    const labels = {
      http_request_method: METHODS.has(method) ? method : "_OTHER",
      http_response_status_code: response.statusCode,
      http_route: routeOf(url),
    };
    const seconds = (performance.now() - began) / 1000;
    counting.observe(
      "http_server_request_duration_seconds",
      labels,
      seconds,
      traceId === NO_TRACE ? undefined : traceId,
    );
  });
}

/** The kind of an address: one name for each would be hundreds of series. */
function routeOf(url: string): "telemetry" | "doors" | "pages" | "api" {
  if (/^\/api\/v1\/telemetry(\?|$)/.test(url)) return "telemetry";
  if (isSourceDoor(url)) return "doors";
  return isPage(url) ? "pages" : "api";
}
