import { uncompressSync } from "snappy";
import { type Decoder, TooManyError, UnreadableError } from "./decoder";
import { groupPoints, type Point } from "./points";
import { many, type MessageType, one, readProtobuf } from "./protobuf";
import { seriesOf } from "./series";

const pair = (): MessageType => ({ 1: one("name", "string"), 2: one("value", "string") });
const sample = (): MessageType => ({ 1: one("value", "double"), 2: one("timestamp", "int64") });
/** Prometheus' WriteRequest of remote-write 1.0; exemplars, native histograms and metadata are skipped. */
const WRITE_REQUEST: MessageType = {
  1: many("timeseries", () => ({ 1: many("labels", pair), 2: many("samples", sample) })),
};

/** The most a request may hold unpacked: Prometheus' own batches of 2,000 samples are below 1 MiB. */
const MOST_UNPACKED = 16 * 2 ** 20;

interface Series {
  readonly labels?: readonly { readonly name?: string; readonly value?: string }[];
  readonly samples?: readonly { readonly value?: number; readonly timestamp?: string }[];
}

/**
 * Prometheus' remote-write 1.0: snappy, then protobuf. The name is `__name__` and the values of all labels that don't name the device (`instance`,
 * `job`); NaN, by which Prometheus marks a series as stale, is told but is no reading.
 */
export const decodeRemoteWrite: Decoder = ({ body }) => {
  const { timeseries = [] } = readProtobuf(unpack(body), WRITE_REQUEST) as { timeseries?: readonly Series[] };
  return groupPoints(pointsOf(timeseries));
};

function* pointsOf(timeseries: readonly Series[]): Generator<Point> {
  const about = {};
  for (const { labels = [], samples = [] } of timeseries) {
    const { __name__: name = "", ...tags } = Object.fromEntries(
      labels.map(({ name, value }) => [name ?? "", value ?? ""]),
    );
    const { device, series } = seriesOf(name, tags);
    for (const { value = 0, timestamp = "0" } of samples) {
      const isReading = !Number.isNaN(value);
      const told = Number.isFinite(value) ? { number: String(value) } : { json: isReading ? value : "NaN" };
      yield { device, series, time: timestamp, unit: null, value: told, isReading, about, path: name };
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
