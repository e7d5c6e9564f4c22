import { z } from "zod";
import { type RejectedItem, telemetryAnswer, type TelemetryAnswer } from "@/server/contracts/telemetry";
import type { RouteCounts } from "@/server/pipeline/route-rates";
import { CANONICAL_MAPPING, type DecodeBounds, type MessageMapping } from "@/server/domain/message";
import { TOPICS } from "@/server/domain/terms";
import { type EventLog, type LogRecord, LogUnavailableError } from "@/server/ports/event-log";
import { problemKind, ProblemError } from "../problem";
import { type Call, NO_PARAMETERS, verb } from "../verb";
import { createWaitingBytes, readBody, type Share } from "./body";
import { type Item, type ItemOptions, jsonItems, ndjsonItems } from "./items";
import { MESSAGE_SCHEMA } from "./message-schema";

export interface IngestDeps {
  readonly eventLog: Pick<EventLog, "append">;
  readonly limits: {
    readonly maxBodyBytes: number;
    readonly maxMessages: number;
    readonly maxWaitingBytes: number;
    /** How long the log may take before the sender is told to try again. */
    readonly appendTimeoutMs: number;
  };
  /** Where to count what happens now. */
  readonly routeCounts: () => RouteCounts;
  /** Bounds of event times, as of now. */
  readonly bounds: () => DecodeBounds;
}

const NDJSON = { type: "string", description: "One message a line; blank lines are skipped" };

const READERS: Readonly<Record<string, (body: Buffer, options: ItemOptions) => Iterable<Item>>> = {
  "application/json": jsonItems,
  "application/x-ndjson": ndjsonItems,
  "application/ndjson": ndjsonItems,
  "application/jsonl": ndjsonItems,
};

const path = (what: string) =>
  z.string().min(1).max(256).optional().describe(`Where foreign messages keep ${what}, as a dot-separated path`);

const ingestQuery = z.object({
  device: path("the device"),
  time: path("the event time"),
  readings: path("the readings"),
});

export const ingestTelemetry = verb(
  {
    method: "POST",
    path: "/api/v1/telemetry",
    summary: "Takes messages into the event log",
    description:
      "Answers 202 only after the log holds the accepted messages durably. Rejected items are named by index and reason; the others are taken " +
      "all the same. After any 429 or 5xx, or no answer, send the whole request again: repeats are recognised by device, metric and event time.",
    params: NO_PARAMETERS,
    query: ingestQuery,
    answer: telemetryAnswer,
    status: 202,
    problems: [
      "empty-request",
      "unreadable-body",
      "body-too-large",
      "too-many-messages",
      "unsupported-media-type",
      "unsupported-encoding",
      "nothing-accepted",
      "too-busy",
      "log-unavailable",
    ],
    bodies: {
      "application/json": { oneOf: [MESSAGE_SCHEMA, { type: "array", items: MESSAGE_SCHEMA, minItems: 1 }] },
      "application/x-ndjson": NDJSON,
      "application/ndjson": NDJSON,
      "application/jsonl": NDJSON,
    },
  },
  ({ eventLog, limits, bounds, routeCounts }: IngestDeps) => {
    const waiting = createWaitingBytes(limits.maxWaitingBytes);

    /** Appends and lets go of the share when the log has answered, however long after the sender was told. */
    async function append(records: LogRecord[], share: Share): Promise<void> {
      const appended = eventLog.append(TOPICS.telemetry, records).finally(() => waiting.release(share));
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new LogUnavailableError("the log did not answer in time")),
          limits.appendTimeoutMs,
        );
      });
      try {
        await Promise.race([appended, late]);
      } finally {
        clearTimeout(timer);
      }
    }

    function countRejected(rejected: readonly RejectedItem[]): void {
      for (const { reason } of rejected) increase(routeCounts().rejected, reason);
    }

    async function take({ request, query }: Call<typeof NO_PARAMETERS, typeof ingestQuery>): Promise<TelemetryAnswer> {
      const readItems = readerFor(request);
      const share: Share = { bytes: 0 };
      const records: LogRecord[] = [];
      const rejected: RejectedItem[] = [];
      try {
        const body = await readBody(request, limits.maxBodyBytes, waiting, share);
        let index = 0;
        for (const { bytes, outcome } of readItems(body, {
          mapping: mappingOf(query),
          bounds: bounds(),
          maxMessages: limits.maxMessages,
        })) {
          if (outcome.ok) records.push({ key: outcome.message.device, value: bytes });
          else rejected.push({ index, reason: outcome.reason, detail: outcome.detail });
          index++;
        }
        if (index === 0) throw new ProblemError("empty-request", "Send at least one message.");
        if (records.length === 0) {
          countRejected(rejected);
          throw nothingAccepted(rejected);
        }
      } catch (error) {
        waiting.release(share);
        throw error;
      }
      await append(records, share);
      // Only now: a request that failed comes again, and its rejected messages with it.
      countRejected(rejected);
      routeCounts().accepted += records.length;
      return { accepted: records.length, rejected };
    }

    return async (_ctx, call) => {
      try {
        return await take(call);
      } catch (error) {
        increase(routeCounts().requests, problemKind(error));
        throw error;
      }
    };
  },
);

function increase(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function readerFor(request: Request): (body: Buffer, options: ItemOptions) => Iterable<Item> {
  const type = (request.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  const reader = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  if (reader) return reader;
  const found = type === "" ? "There is no Content-Type" : `Content-Type ${JSON.stringify(type.slice(0, 80))}`;
  throw new ProblemError("unsupported-media-type", `${found}: send one of ${Object.keys(READERS).join(", ")}.`, {
    headers: { "accept-post": Object.keys(READERS).join(", ") },
  });
}

function mappingOf(query: { [K in keyof MessageMapping]?: string | undefined }): MessageMapping | null {
  const { device, time, readings } = CANONICAL_MAPPING;
  const mapping = { device: query.device ?? device, time: query.time ?? time, readings: query.readings ?? readings };
  const isCanonical = mapping.device === device && mapping.time === time && mapping.readings === readings;
  return isCanonical ? null : mapping;
}

function nothingAccepted(rejected: readonly RejectedItem[]): ProblemError {
  const first = rejected[0]!;
  return new ProblemError(
    "nothing-accepted",
    `All ${rejected.length} rejected; the first: ${first.reason}: ${first.detail}.`,
    { members: { rejected } },
  );
}
