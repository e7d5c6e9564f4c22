import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { createSemaphore } from "@/server/async/semaphore";
import { IngestRefusedError } from "@/server/ingest/refused";
import type { Share } from "@/server/ingest/waiting-bytes";
import { ProblemError } from "../problem";

/** The factor by which a body may grow when unpacked: telemetry stays far below, a bomb grows a thousandfold. */
const MOST_RATIO = 100;
/** Small bodies may become this large whatever they were packed to, in bytes: a row of equal messages packs very well. */
const RATIO_FREE_BYTES = 1024 * 1024;
/** Bodies being unpacked at once; each keeps a thread busy that others need too. */
const UNPACKING = 2;

const CHUNK = { chunkSize: 64 * 1024 };
const UNPACK = {
  gzip: () => createGunzip(CHUNK),
  deflate: () => createInflate(CHUNK),
  br: () => createBrotliDecompress(CHUNK),
};
/** A way in which a body may be packed. */
type Packing = keyof typeof UNPACK;

/**
 * Reads a request's body, unpacked.
 * @param onPacked lets one that is packed in an unknown way, or not whole, stay as it came, and is told its encoding; left out, it is refused.
 */
export type ReadBody = (
  request: Request,
  maxBytes: number,
  share: Share,
  onPacked?: (encoding: string) => void,
) => Promise<Buffer>;

/** What says of a body that it isn't whole, or no such thing as it is called. */
class NotWholeError extends IngestRefusedError {}

/**
 * Makes the reader of bodies. It throws IngestRefusedError, or ProblemError, when a body is larger than `maxBytes`, packed in an
 * unknown way, broken on its way, or too much for what may wait.
 */
export function createReadBody(packed: readonly Packing[] = ["gzip"]): ReadBody {
  const taken = [...packed, "identity"].join(", ");
  const unpacking = createSemaphore(UNPACKING);
  return async (request, maxBytes, share, onPacked) => {
    const named = (request.headers.get("content-encoding") ?? "identity").trim().toLowerCase();
    const encoding = named === "x-gzip" ? "gzip" : named;
    const packing = packed.find((one) => one === encoding);
    const isUnknown = encoding !== "identity" && packing === undefined;
    if (isUnknown && onPacked === undefined) {
      throw new ProblemError(
        "unsupported-encoding",
        `Content-Encoding ${JSON.stringify(named.slice(0, 80))}: send one of ${taken}.`,
        { headers: { "accept-encoding": taken } },
      );
    }
    if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
    const received = await collect(request, maxBytes, share);
    share.received();
    if (isUnknown) onPacked?.(named);
    if (packing === undefined) return received;
    if (!(await unpacking.acquire(request.signal))) throw cutOff();
    try {
      return await unpack(received, packing, maxBytes, share);
    } catch (error) {
      if (onPacked === undefined || !(error instanceof NotWholeError)) throw error;
      onPacked(named);
      return received;
    } finally {
      unpacking.release();
    }
  };
}

async function collect(request: Request, maxBytes: number, share: Share): Promise<Buffer> {
  if (request.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Never cancelled: that would reset the connection under the answer. The server drains what isn't read.
  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  const { gaveWay } = share;
  const refused = new Promise<never>((_, reject) =>
    gaveWay.addEventListener("abort", () => reject(gaveWay.reason as Error), { once: true }),
  );
  refused.catch(() => {});
  for (;;) {
    const { done, value } = await Promise.race([read(reader), refused]);
    if (done) return Buffer.concat(chunks, bytes);
    bytes += value.byteLength;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    share.take(value.byteLength);
    chunks.push(value);
  }
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>) {
  try {
    return await reader.read();
  } catch {
    throw cutOff();
  }
}

/** Counts the bytes as they come out, so that no more is held than the share has. */
async function unpack(packed: Buffer, packing: Packing, maxBytes: number, share: Share): Promise<Buffer> {
  const most = Math.min(maxBytes, Math.max(RATIO_FREE_BYTES, packed.byteLength * MOST_RATIO));
  const unpacking = UNPACK[packing]();
  unpacking.end(packed);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of unpacking as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      if (bytes > most) throw bomb();
      share.take(chunk.byteLength);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof IngestRefusedError) throw error;
    const why = `it is not whole ${packing}: ${(error as Error).message}`;
    throw new NotWholeError("unreadable-body", `The body can't be unpacked: ${why}.`);
  }
  return Buffer.concat(chunks, bytes);
}

function cutOff(): IngestRefusedError {
  return new IngestRefusedError("unreadable-body", "The connection broke before the body was complete.");
}

function bomb(): IngestRefusedError {
  return new IngestRefusedError("body-too-large", `The body unpacks to more than ${MOST_RATIO} times its size.`);
}

function tooLarge(maxBytes: number): IngestRefusedError {
  return new IngestRefusedError(
    "body-too-large",
    `The limit is ${maxBytes} bytes, unpacked. Send fewer messages at a time.`,
  );
}
