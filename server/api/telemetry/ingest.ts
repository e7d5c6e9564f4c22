import { z } from "zod";
import { text } from "@/server/contracts/common";
import { type RejectedItem, telemetryAnswer } from "@/server/contracts/telemetry";
import { RUN_PATTERN, runHeaders } from "@/server/domain/replay-run";
import type { DecodeBounds } from "@/server/domain/decode-message";
import { CANONICAL_MAPPING, type MessageMapping } from "@/server/domain/message-mapping";
import { type DeliveryRefusal, OWN_SOURCE } from "@/server/domain/source";
import type { Accept } from "@/server/ingest/accept";
import { judgePayloads } from "@/server/ingest/judge-payload";
import type { IngestCounts } from "@/server/ingest/ingest-rates";
import { jsonPayloads, ndjsonPayloads, type Payloads } from "@/server/ingest/payloads";
import { IngestRefusedError } from "@/server/ingest/refused";
import type { Pace } from "@/server/ingest/pace";
import type { Senders } from "@/server/ingest/sender";
import type { WaitingBytes } from "@/server/ingest/waiting-bytes";
import type { Counted, DoorCounting } from "@/server/sources/counts";
import { problemKind, ProblemError } from "../problem";
import { NO_PARAMETERS, verb } from "../verb";
import { refusedRequest } from "../sources/counted";
import { createReadBody } from "./body";
import { MESSAGE_SCHEMA } from "./message-schema";

export interface IngestDeps {
  readonly accept: Accept;
  readonly senders: Senders;
  readonly waiting: WaitingBytes;
  readonly pace: Pace;
  readonly doorCounting: Pick<DoorCounting, "add">;
  /** The largest body, unpacked. */
  readonly maxBodyBytes: number;
  /** Returns the present counts, to which refused requests are added. */
  readonly ingestCounts: () => Pick<IngestCounts, "requests">;
}

const NDJSON = { type: "string", description: "One message a line; blank lines are skipped" };

const READERS: Readonly<Record<string, (body: Buffer) => Payloads>> = {
  "application/json": jsonPayloads,
  "application/x-ndjson": ndjsonPayloads,
  "application/ndjson": ndjsonPayloads,
  "application/jsonl": ndjsonPayloads,
};

const path = (what: string) =>
  text(256).min(1).optional().describe(`Where foreign messages keep ${what}, as a dot-separated path`);

const ingestQuery = z.object({
  device: path("the device"),
  time: path("the event time"),
  readings: path("the readings"),
  run: z.string().regex(RUN_PATTERN).optional().describe("Id of a replay, counted apart: GET /api/v1/replays/{run}"),
});

export const ingestTelemetry = verb(
  {
    method: "POST",
    path: "/api/v1/telemetry",
    access: "send",
    bySite: true,
    summary: "Takes messages into the event log",
    description:
      "Answers 202 only after the log holds the accepted messages durably. The first 100 rejected items are named by index and reason, further ones counted; the others are taken " +
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
      "too-fast",
      "too-many-new",
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
  ({ accept, senders, waiting, pace, doorCounting, maxBodyBytes, ingestCounts }: IngestDeps) => {
    const readBody = createReadBody();
    return async ({ caller, sites, now }, { request, query }) => {
      const sender = senders.of(caller, sites);
      const held = waiting.share(sender.use);
      const take = (bytes: number) => {
        pace.spend(sender.use, { bytes });
        held.take(bytes);
      };
      const share = { ...held, take };
      let bytes = 0;
      const refused: DeliveryRefusal[] = [];
      const rejected = ({ index, reason, detail }: RejectedItem) =>
        void refused.push({ path: `[${index}]`, reason, detail });
      const counted = (accepted: number): Counted => {
        return { at: now, bytes, accepted, isIgnored: false, isKept: false, ignoredBy: new Map(), refused };
      };
      try {
        if (sender.isLimited) pace.check(sender.use);
        const payloadsOf = readerFor(request);
        const mapping = mappingOf(query);
        const body = await readBody(request, maxBodyBytes, share);
        bytes = body.byteLength;
        const payloads = payloadsOf(body);
        const headers = query.run === undefined ? null : runHeaders(query.run);
        const judge = (bounds: DecodeBounds) => judgePayloads(payloads, mapping, bounds);
        const answer = await accept(judge, { sender, headers, rejected }, share);
        doorCounting.add(OWN_SOURCE, counted(answer.accepted));
        return answer;
      } catch (error) {
        const { requests } = ingestCounts();
        const kind = problemKind(error);
        requests.set(kind, (requests.get(kind) ?? 0) + 1);
        // Of a request with too many messages not all were judged; one that the log didn't take comes again.
        const isJudged = error instanceof IngestRefusedError && refused.length > 0 && kind !== "too-many-messages";
        const lost = isJudged ? counted(0) : refusedRequest(now, bytes, error);
        if (lost !== null) doorCounting.add(OWN_SOURCE, lost);
        throw error;
      } finally {
        share.release();
      }
    };
  },
);

function readerFor(request: Request): (body: Buffer) => Payloads {
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
