import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import { isPage } from "./front-door/front-door";
import { routeOf } from "./http-durations";
import { readTraceparent, toTraceparent, type TraceParent } from "./observability/trace-context";
import type { Step, Tracing } from "./observability/tracing/tracing";
import type { EventLog } from "./ports/event-log";

/** The step of the request that is being answered. */
const answering = new AsyncLocalStorage<TraceParent>();

/** The id of the trace that the request being answered is a step of; null: it isn't traced. */
export function traceAnswering(): string | null {
  return answering.getStore()?.traceId ?? null;
}

/** A message that is sent to be followed is traced, whatever the sampler says. */
const isFollowed = (method: string, url: string) => method === "POST" && /^\/api\/v1\/test-message(\?|$)/.test(url);

/**
 * Answers a request as a step of its sender's trace, or of one of its own; pages aren't traced. One that isn't sampled, and fails or takes long, is told
 * of afterwards.
 * @param answer is given the trace that log lines name
 */
export function traceRequest(
  tracing: Tracing | null,
  request: IncomingMessage,
  response: ServerResponse,
  answer: (trace: TraceParent | null) => void,
): void {
  const parent = readTraceparent(request.headers.traceparent);
  const { url = "", method = "" } = request;
  if (tracing === null || isPage(url)) return answer(parent);
  const began = Date.now();
  const start = performance.now();
  const route = routeOf(url);
  const name = `${method} ${route}`;
  const what = { kind: "server", parent, attributes: { "http.request.method": method, "http.route": route } } as const;
  const step = isFollowed(method, url) || tracing.isSampled(parent) ? tracing.begin(name, what) : null;
  response.once("finish", () => {
    const { statusCode: status } = response;
    const failed = status >= 500;
    const ms = performance.now() - start;
    if (step === null && !failed && ms < tracing.slowMs) return;
    const told = step ?? tracing.begin(name, { ...what, at: began });
    told.end({ attributes: { "http.response.status_code": status }, ...(failed && { error: String(status) }) });
  });
  // A sender that goes away is no answer.
  if (step !== null) response.once("close", () => void (response.writableFinished || step.end({ error: "gone" })));
  if (step === null) answer(parent);
  else answering.run(step.at, () => answer(step.at));
}

/** Begins the step in which records of a trace go into the log. */
export function sendStep(tracing: Tracing, topic: string, records: number, parent: TraceParent): Step {
  const attributes = { "messaging.destination.name": topic, "messaging.batch.message_count": records };
  return tracing.begin(`send ${topic}`, { kind: "producer", parent, attributes });
}

/** The log, in which what a traced request appends says to which trace it belongs. */
export function traceAppends(log: EventLog, tracing: Tracing | null): EventLog {
  if (tracing === null) return log;
  return {
    ensureTopics: (topics) => log.ensureTopics(topics),
    describe: (topic, group) => log.describe(topic, group),
    consume: (subscription) => log.consume(subscription),
    close: () => log.close(),
    async append(topic, records, before) {
      const parent = answering.getStore();
      if (parent === undefined) return log.append(topic, records, before);
      const step = sendStep(tracing, topic, records.length, parent);
      const traceparent = toTraceparent(step.at);
      const traced = records.map((record) => ({ ...record, headers: { ...record.headers, traceparent } }));
      try {
        await log.append(topic, traced, before);
        step.end();
      } catch (error) {
        step.end({ error: (error as Error).name });
        throw error;
      }
    },
  };
}
