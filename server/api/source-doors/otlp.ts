import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { plain, type Protocol, refusalsOf } from "./protocol";

const PROTOBUF = "application/x-protobuf";

/** OTLP/HTTP answers in the encoding it was asked in. */
const isJson = (request: Request) => /json/i.test(request.headers.get("content-type") ?? "");

/** google.rpc.Code, for those that have one of HTTP's meaning. */
const CODES: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 413: 8, 429: 8, 503: 14 };
const INVALID_ARGUMENT = 3;
const INTERNAL = 13;

/** Metrics of OpenTelemetry: 200, telling in `partialSuccess` what wasn't taken; 400 if that is all of it. */
export const OTLP: Protocol = {
  ...{ method: "POST", path: "/v1/metrics", decode: "otlp", takes: true },
  summary: "Takes metrics of OpenTelemetry (OTLP)",
  good: { status: 200, description: "Taken, but for what partialSuccess tells" },
  bodies: { "application/x-protobuf": "ExportMetricsServiceRequest", "application/json": "The same as JSON" },
  answer(request, taken) {
    const errorMessage = taken === null ? null : refusalsOf(taken);
    if (errorMessage === null || taken === null)
      return isJson(request) ? plain(200, "{}", "application/json") : plain(200, new Uint8Array(), PROTOBUF);
    if (taken.accepted === 0) return status(request, 400, INVALID_ARGUMENT, errorMessage);
    const rejectedDataPoints = String(taken.refusals);
    if (isJson(request))
      return plain(200, JSON.stringify({ partialSuccess: { rejectedDataPoints, errorMessage } }), "application/json");
    const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).fork();
    writer
      .tag(1, WireType.Varint)
      .int64(rejectedDataPoints)
      .tag(2, WireType.LengthDelimited)
      .string(errorMessage)
      .join();
    return plain(200, writer.finish() as BodyInit, PROTOBUF);
  },
  trouble: (request, { status: of, detail, retryAfter }) =>
    status(request, of, CODES[of] ?? INTERNAL, detail, retryAfter),
};

function status(
  request: Request,
  of: number,
  code: number,
  message: string,
  retryAfter: string | null = null,
): Response {
  if (isJson(request)) return plain(of, JSON.stringify({ code, message }), "application/json", retryAfter);
  const writer = new BinaryWriter()
    .tag(1, WireType.Varint)
    .int32(code)
    .tag(2, WireType.LengthDelimited)
    .string(message);
  return plain(of, writer.finish() as BodyInit, PROTOBUF, retryAfter);
}

/** Prometheus' remote-write 1.0: 204, or 400 for what it needn't send again. */
export const REMOTE_WRITE: Protocol = {
  ...{ method: "POST", path: "/api/v1/prom/write", decode: "remote-write", unpacks: "snappy", takes: true },
  summary: "Takes Prometheus' remote-write 1.0",
  good: { status: 204, description: "All samples are in the event log" },
  bodies: { "application/x-protobuf": "WriteRequest, packed by snappy" },
  answer(_request, taken) {
    const refused = taken === null ? null : refusalsOf(taken);
    return refused === null ? plain(204, null, null) : plain(400, refused, "text/plain; charset=utf-8");
  },
  // Prometheus drops what is answered 429 (retry_on_http_429 is false), and sends again what is answered 503.
  trouble: (_request, { status: of, detail, retryAfter }) =>
    plain(of === 429 ? 503 : of, detail, "text/plain; charset=utf-8", retryAfter),
};
