import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Api } from "./runtime";
import { isProtocol, protocolMethods } from "./source-doors/receive";
import { ingestTelemetry } from "./telemetry/ingest";
import type { VerbName } from "./verbs";

const { method: METHOD, path: PATH } = ingestTelemetry.operation;
/** Methods by which senders deliver. */
const DELIVERING = new Set(["POST", "PUT", "PATCH", "GET"]);

/** The verb of an address that devices and gateways send to, with its parameters; null for any other. */
function doorOf(
  { method = "", headers }: IncomingMessage,
  path: string,
): { verb: VerbName; params: Record<string, string> } | null {
  if (path === PATH) return method === METHOD ? { verb: "ingestTelemetry", params: {} } : null;
  const [, source] = /^\/ingest(?:\/([^/]*).*)?$/.exec(path) ?? [];
  // What CloudEvents' webhooks ask before they send takes the key as well.
  const isAsking = method === "OPTIONS" && headers["webhook-request-origin"] !== undefined;
  if (!isIngest(path) || !(DELIVERING.has(method) || isAsking)) return null;
  return { verb: "deliver", params: { source: source ?? "" } };
}

function isIngest(path: string): boolean {
  return /^\/ingest(\/|$)/.test(path);
}

/**
 * Answers devices that send, as the route would: what Next does for a request costs more than all that is done with its messages.
 * @returns false when it is another request, which Next may have.
 */
export async function answerDirectly(
  api: Pick<Api, "handle" | "receive" | "notAllowed" | "notFound">,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const [path = ""] = request.url?.split("?", 1) ?? [];
  const { method = "" } = request;
  const door = doorOf(request, path);
  const isTheirs = isProtocol(method, path);
  const allowed = isIngest(path) ? [...DELIVERING] : protocolMethods(path);
  if (door === null && !isTheirs && allowed === null) return false;
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  const asked = requestOf(request, bodyOf(chunks), gone.signal);
  const answer = await answering();
  function answering(): Promise<Response> {
    if (door !== null) return api.handle(door.verb, asked, door.params);
    if (isTheirs) return api.receive(asked);
    if (allowed!.length === 0) return api.notFound(asked);
    if (method !== "OPTIONS") return api.notAllowed(asked, allowed!);
    return Promise.resolve(new Response(null, { status: 204, headers: { allow: allowed!.join(", ") } }));
  }
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
    ...{ method: request.method, headers, signal },
    ...(!/^(GET|HEAD)$/.test(request.method!) && { body, duplex: "half" }),
  } as RequestInit);
}
