import { inContext } from "./observability/logs/context";
import { readTraceparent, toTraceparent, type TraceParent } from "./observability/trace-context";
import type { Step, Tracing } from "./observability/tracing/tracing";
import type { EventLog, LogRecord } from "./ports/event-log";
import type { Deliver } from "./sources/doors/deliver";
import type { OpenSource } from "./sources/intake";
import type { Incoming } from "./sources/read";
import { contextOf, MOST_TRACED } from "./trace-batches";
import { sendStep } from "./trace-requests";

/**
 * Takes deliveries of a source as steps of their senders' traces, or of traces of their own: each that is sampled from its arrival until the log holds
 * what was made of it, at most 128 of those that come together. Never a span for one that isn't sampled; what fails or takes long is told of once, for
 * all of them.
 */
export function traceDeliveries(tracing: Tracing | null, deliver: Deliver): Deliver {
  if (tracing === null) return deliver;
  return async (source, deliveries) => {
    const began = Date.now();
    const name = `receive ${source.door.type}`;
    const begin = (parent: TraceParent | null, at: number, messages: number) =>
      tracing.begin(name, { kind: "consumer", parent, at, attributes: attributesOf(source, messages) });
    const steps: Step[] = [];
    const traced = deliveries.map((delivery): Incoming => {
      if (steps.length === MOST_TRACED) return delivery;
      const parent = senderOf(delivery);
      if (!tracing.isSampled(parent)) return delivery;
      // What lies in a log of others has the time at which it came there.
      const step = begin(parent, delivery.beside.kafka === null ? delivery.arrived : began, 1);
      steps.push(step);
      return { ...delivery, traceparent: toTraceparent(step.at) };
    });
    const end = (error?: string) => {
      if (steps.length === 0 && (error !== undefined || Date.now() - began >= tracing.slowMs))
        steps.push(begin(null, began, deliveries.length));
      for (const step of steps) step.end(error === undefined ? {} : { error });
    };
    try {
      const parents = steps.map(({ at }) => at);
      await inContext(contextOf(parents), () => deliver(source, traced));
      end();
    } catch (error) {
      end((error as Error).name);
      throw error;
    }
  };
}

/** The log, in which each traced delivery's append is a step of its trace, and its records belong to that. */
export function traceDelivered(log: EventLog, tracing: Tracing | null): EventLog {
  if (tracing === null) return log;
  return {
    ensureTopics: (topics) => log.ensureTopics(topics),
    describe: (topic, group) => log.describe(topic, group),
    consume: (subscription) => log.consume(subscription),
    close: () => log.close(),
    async append(topic, records, before) {
      const counts = new Map<string, number>();
      for (const { headers } of records)
        if (headers?.traceparent !== undefined)
          counts.set(headers.traceparent, (counts.get(headers.traceparent) ?? 0) + 1);
      if (counts.size === 0) return log.append(topic, records, before);
      const steps = new Map<string, Step>();
      for (const [parent, count] of counts)
        steps.set(parent, sendStep(tracing, topic, count, readTraceparent(parent)!));
      const sent = records.map((record): LogRecord => {
        const step = steps.get(record.headers?.traceparent ?? "");
        return step === undefined
          ? record
          : { ...record, headers: { ...record.headers, traceparent: toTraceparent(step.at) } };
      });
      try {
        await log.append(topic, sent, before);
        for (const step of steps.values()) step.end();
      } catch (error) {
        for (const step of steps.values()) step.end({ error: (error as Error).name });
        throw error;
      }
    },
  };
}

/** What a delivery's sender says of its trace: by MQTT 5's user property, or by the header of its record in Kafka. */
function senderOf({ sender, beside }: Incoming): TraceParent | null {
  return sender ?? readTraceparent(beside.kafka?.headers.traceparent);
}

function attributesOf({ name, door }: OpenSource, messages: number) {
  return {
    "messaging.system": door.type === "kafka" ? "kafka" : "mqtt",
    "messaging.batch.message_count": messages,
    "fieldwatch.source": name,
  };
}
