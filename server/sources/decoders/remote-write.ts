import { uncompressSync } from "snappy";
import { type Decoder, TooManyError, UnreadableError } from "./decoder";
import { type BrokenPoint, groupPoints, type Point } from "./points";
import { many, type MessageType, one, readProtobuf } from "./protobuf";
import { seriesOf } from "./series";

const pair = (): MessageType => ({ 1: one("name", "string"), 2: one("value", "string") });
const sample = (): MessageType => ({ 1: one("value", "double"), 2: one("timestamp", "int64") });
const exemplar = (): MessageType => ({
  1: many("labels", pair),
  2: one("value", "double"),
  3: one("timestamp", "int64"),
});
/** Prometheus' WriteRequest of remote-write 1.0; metadata, which it sends by itself now and then, holds no values. */
const WRITE_REQUEST: MessageType = {
  1: many("timeseries", () => ({
    1: many("labels", pair),
    2: many("samples", sample),
    3: many("exemplars", exemplar),
    4: many("histograms", "bytes"),
  })),
};

/** The most a request may hold unpacked: Prometheus' own batches of 2,000 samples are below 1 MiB. */
const MOST_UNPACKED = 16 * 2 ** 20;

interface Series {
  readonly labels?: readonly { readonly name?: string; readonly value?: string }[];
  readonly samples?: readonly { readonly value?: number; readonly timestamp?: string }[];
  readonly exemplars?: readonly { readonly timestamp?: string }[];
  readonly histograms?: readonly unknown[];
}

/**
 * Prometheus' remote-write 1.0: snappy, then protobuf. The name is `__name__` and the values of all labels that don't name the device (`instance`,
 * `job`); NaN, by which Prometheus marks a series as stale, and exemplars are told but are no readings. Native histograms are refused.
 */
export const decodeRemoteWrite: Decoder = ({ body, beside }, mapping) => {
  // Its fields have other numbers: read as 1.0 it would hold nothing.
  if (/io\.prometheus\.write\.v2/i.test(beside.contentType ?? ""))
    throw new UnreadableError(
      "it is remote-write 2.0, and 1.0 is read here: set protobuf_message: prometheus.WriteRequest in Prometheus' remote_write",
    );
  const { timeseries = [] } = readProtobuf(unpack(body), WRITE_REQUEST) as { timeseries?: readonly Series[] };
  return groupPoints(pointsOf(timeseries, mapping?.allTags));
};

function* pointsOf(timeseries: readonly Series[], allTags?: boolean): Generator<Point | BrokenPoint> {
  const about = {};
  for (const { labels = [], samples = [], exemplars = [], histograms = [] } of timeseries) {
    const { __name__: name = "", ...tags } = Object.fromEntries(
      labels.map(({ name, value }) => [name ?? "", value ?? ""]),
    );
    const { device, series } = seriesOf(name, tags, {}, allTags);
    const same = { device, unit: null, about, path: name };
    if (histograms.length > 0)
      yield { path: name, error: "native histograms can't be read: have Prometheus scrape classic ones, with buckets" };
    for (const json of exemplars) {
      const time = json.timestamp ?? "0";
      yield { ...same, series: `${series}.exemplar`, time, value: { json }, isReading: false };
    }
    for (const { value = 0, timestamp = "0" } of samples) {
      const isReading = !Number.isNaN(value);
      const told = Number.isFinite(value) ? { number: String(value) } : { json: isReading ? value : "NaN" };
      yield { ...same, series, time: timestamp, value: told, isReading };
    }
  }
}

function unpack(body: Uint8Array): Uint8Array {
  if (unpackedLength(body) > MOST_UNPACKED)
    throw new TooManyError(`it is larger than ${MOST_UNPACKED} bytes unpacked; send fewer samples at once`);
  try {
    return uncompressSync(Buffer.from(body)) as Buffer;
  } catch {
    throw new UnreadableError("it is not packed by snappy");
  }
}

/** Reads how long the block says it is unpacked, before anything is unpacked: a varint at its beginning. */
function unpackedLength(body: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < Math.min(body.byteLength, 5); i++) {
    length += (body[i]! & 0x7f) * 2 ** (7 * i);
    if (body[i]! < 0x80) return length;
  }
  throw new UnreadableError("it is not packed by snappy");
}
