import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Api } from "./runtime";
import { PROTOCOLS } from "./source-doors/receive";
import { ingestTelemetry } from "./telemetry/ingest";

type DirectApi = Pick<Api, "handle" | "receive" | "notAllowed" | "notFound">;
type Answer = (api: DirectApi, request: Request, params: Record<string, string>) => Promise<Response>;

/** Addresses that devices and gateways send to, and what answers there by method. */
interface Address {
  /** Its named groups are the answer's parameters. */
  readonly path: RegExp;
  readonly answers: Readonly<Record<string, Answer>>;
  /** True where Next has the other methods. */
  readonly isShared?: true;
  /** True where CloudEvents' webhooks ask before they send, which takes the key as well. */
  readonly isAsked?: true;
}

const deliver: Answer = (api, request, { source = "" }) => api.handle("deliver", request, { source });
const receive: Answer = (api, request) => api.receive(request);

/** The first that fits holds. */
const ADDRESSES: readonly Address[] = [
  {
    path: exactly(ingestTelemetry.operation.path),
    answers: { [ingestTelemetry.operation.method]: (api, request) => api.handle("ingestTelemetry", request, {}) },
    isShared: true,
  },
  {
    path: /^\/ingest(?:\/(?<source>[^/]*).*)?$/,
    answers: { POST: deliver, PUT: deliver, PATCH: deliver, GET: deliver },
    isAsked: true,
  },
  ...[...new Set(PROTOCOLS.map(({ path }) => path))].map((path) => ({
    path: exactly(path),
    answers: Object.fromEntries(PROTOCOLS.filter((one) => one.path === path).map(({ method }) => [method, receive])),
  })),
  // What speaks OTLP asks for traces and logs beside metrics.
  { path: /^\/v1\//, answers: {} },
];

function exactly(path: string): RegExp {
  return new RegExp(`^${path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
}

/**
 * Answers devices that send, as the route would: what Next does for a request costs more than all that is done with its messages.
 * @returns false when it is another request, which Next may have.
 */
export async function answerDirectly(
  api: DirectApi,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const [path = ""] = request.url?.split("?", 1) ?? [];
  const address = ADDRESSES.find((one) => one.path.test(path));
  const answering = address === undefined ? null : answerOf(address, request);
  if (address === undefined || answering === null) return false;
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  const asked = requestOf(request, bodyOf(chunks), gone.signal);
  const answer = await answering(api, asked, { ...address.path.exec(path)?.groups });
  // What the verb didn't read is the connection's to drop, so that it can be used again.
  void chunks.return?.();
  const body = Buffer.from(await answer.arrayBuffer());
  response.writeHead(answer.status, [...answer.headers, ["content-length", String(body.length)]].flat()).end(body);
  return true;
}

/** What answers a request to an address; null for Next. */
function answerOf({ answers, isShared, isAsked }: Address, { method = "", headers }: IncomingMessage): Answer | null {
  if (Object.hasOwn(answers, method)) return answers[method]!;
  if (isShared) return null;
  const allowed = Object.keys(answers);
  if (allowed.length === 0) return (api, request) => api.notFound(request);
  if (method !== "OPTIONS") return (api, request) => api.notAllowed(request, allowed);
  if (isAsked && headers["webhook-request-origin"] !== undefined) return deliver;
  return async () => new Response(null, { status: 204, headers: { allow: allowed.join(", ") } });
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
