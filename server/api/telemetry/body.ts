import { gunzip } from "node:zlib";
import { IngestRefusedError } from "@/server/ingest/refused";
import type { Share } from "@/server/ingest/waiting-bytes";
import { ProblemError } from "../problem";

/** Factor by which a packed body is expected to grow while it is unpacked, before its true size is known. */
const USUAL_RATIO = 12;

/**
 * Reads a request's body, unpacked. @throws IngestRefusedError, or ProblemError, when it is larger than `maxBytes`, packed in an unknown
 * way, broken on its way, or too much for what may wait.
 */
export async function readBody(request: Request, maxBytes: number, share: Share): Promise<Buffer> {
  const encoding = (request.headers.get("content-encoding") ?? "identity").trim().toLowerCase();
  if (encoding !== "identity" && encoding !== "gzip" && encoding !== "x-gzip") {
    throw new ProblemError(
      "unsupported-encoding",
      `Content-Encoding ${JSON.stringify(encoding.slice(0, 80))}: send gzip or identity.`,
      {
        headers: { "accept-encoding": "gzip, identity" },
      },
    );
  }
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const received = await collect(request, maxBytes, share);
  if (encoding === "identity") return received;

  share.take(Math.min(maxBytes, received.byteLength * USUAL_RATIO));
  const unpacked = await unpack(received, maxBytes);
  share.release();
  share.take(unpacked.byteLength);
  return unpacked;
}

async function collect(request: Request, maxBytes: number, share: Share): Promise<Buffer> {
  if (request.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Never cancelled: that would reset the connection under the answer. The server drains what isn't read.
  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  for (;;) {
    const { done, value } = await read(reader);
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
    throw new IngestRefusedError("unreadable-body", "The connection broke before the body was complete.");
  }
}

function unpack(packed: Buffer, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gunzip(packed, { maxOutputLength: maxBytes }, (error, unpacked) => {
      if (!error) resolve(unpacked);
      else if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") reject(tooLarge(maxBytes));
      else reject(new IngestRefusedError("unreadable-body", `The body is not whole gzip: ${error.message}.`));
    });
  });
}

function tooLarge(maxBytes: number): IngestRefusedError {
  return new IngestRefusedError(
    "body-too-large",
    `The limit is ${maxBytes} bytes, unpacked. Send fewer messages at a time.`,
  );
}
