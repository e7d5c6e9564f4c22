import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Api } from "./runtime";
import { ingestTelemetry } from "./telemetry/ingest";

const { method: METHOD, path: PATH } = ingestTelemetry.operation;

/**
 * Answers devices that send, as the route would: what Next does for a request costs more than all that is done with its messages.
 * @returns false when it is another request, which Next may have.
 */
export async function answerDirectly(
  api: Pick<Api, "handle">,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (request.method !== METHOD || request.url?.split("?", 1)[0] !== PATH) return false;
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  const answer = await api.handle("ingestTelemetry", requestOf(request, bodyOf(chunks), gone.signal), {});
  // What the verb didn't read is the connection's to drop, so that it can be used again.
  void chunks.return?.();
  const body = Buffer.from(await answer.arrayBuffer());
  response.writeHead(answer.status, [...answer.headers, ["content-length", String(body.length)]].flat()).end(body);
  return true;
}

/** The body as it is asked for. */
function bodyOf(chunks: AsyncIterator<Buffer>): ReadableStream<Uint8Array> {
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const { done, value } = await chunks.next();
    if (done) controller.close();
    else controller.enqueue(value);
  };
  return new ReadableStream({ pull }, { highWaterMark: 0 });
}

function requestOf(request: IncomingMessage, body: ReadableStream<Uint8Array>, signal: AbortSignal): Request {
  const { socket } = request;
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    for (const one of [value ?? []].flat()) headers.append(name, one);
  // What the front door let stand of these is believed; else the connection itself says it.
  if (!headers.has("x-forwarded-for") && socket.remoteAddress !== undefined)
    headers.set("x-forwarded-for", socket.remoteAddress);
  if (!headers.has("x-forwarded-proto"))
    headers.set("x-forwarded-proto", (socket as TLSSocket).encrypted ? "https" : "http");
  return new Request(new URL(request.url!, "http://localhost"), {
    ...{ method: METHOD, headers, body, signal },
    duplex: "half",
  } as RequestInit);
}
