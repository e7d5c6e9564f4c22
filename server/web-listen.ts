import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import next from "next";
import type { Authenticator } from "./access/authenticate";
import { answerDirectly } from "./api/direct";
import type { Api } from "./api/runtime";
import { answerUnservable } from "./api/unservable";
import type { Config } from "./config/config";
import { runAsProduction } from "./config/production";
import { type Certificate, OLDEST_TLS } from "./front-door/certificate";
import { answerBroken, createPerAddress, limitConnections, tooMany, watchBody } from "./front-door/connections";
import { createFrontDoor, isPage } from "./front-door/front-door";
import { answerRefusal, hangUp, type Refusal } from "./front-door/refusal";
import { pagePolicy, securityHeaders } from "./front-door/security-headers";
import { timeAnswer } from "./http-durations";
import type { MetricsGate } from "./metrics-gate";
import type { Logger } from "./observability/logger";
import { inContext, type RequestContext } from "./observability/logs/context";
import type { Counting } from "./observability/metrics/metrics";
import type { TraceParent } from "./observability/trace-context";
import type { Tracing } from "./observability/tracing/tracing";
import { admitToPage } from "./page-gate";
import type { LiveServer } from "./realtime/live-channel";
import { openLiveServer } from "./socket-gate";
import { traceRequest } from "./trace-requests";

const DRAIN_MS = 5000;
/** The time the rest of a refused body may take to arrive, in milliseconds. */
const DROP_MS = 5000;
/** The time the head of a request, and the handshake before it, may take to arrive. */
const HEAD_MS = 10_000;

/** By this header the process's own requests for pages are told: a page alone holds no data. */
export const OWN_HEADER = "x-fieldwatch-own";

interface Listening {
  readonly server: HttpServer;
  readonly io: LiveServer;
  /** Lets browsers in; to be called when somebody listens to them. */
  readonly welcome: () => void;
  readonly close: () => Promise<void>;
}

interface Wanted {
  readonly config: Config;
  readonly logger: Logger;
  readonly authenticator: Authenticator;
  /** What the process's own requests for pages carry in OWN_HEADER. */
  readonly own: string;
  readonly certificate: Certificate | null;
  readonly counting: Counting;
  readonly tracing: Tracing | null;
  /** True from when this server was told to stop: connections are not kept. */
  readonly isLeaving: () => boolean;
  /** Answers what scrapes metrics. */
  readonly scraped: MetricsGate;
  readonly api: Pick<Api, "handle" | "receive" | "notAllowed" | "notFound">;
}

/** Opens the port with the front door before everything, and Next's pages and Socket.IO behind it. Next answers once it has loaded the build. */
export async function listen(wanted: Wanted): Promise<Listening> {
  const { config, logger, authenticator, own, certificate, counting, tracing, isLeaving, scraped, api } = wanted;
  runAsProduction();
  const server = openServer(certificate);
  const onRefused = ({ kind, detail, fix }: Refusal) => logger.warn({ kind, fix }, detail);
  const place = { ...config.server, ...config.frontDoor };
  const door = createFrontDoor({ place, onRefused, now: Date.now });
  limitConnections(server, { ...place, isTrusted: door.isTrusted, onRefused, now: Date.now });
  answerBroken(server);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(config.server.PORT, config.server.HOST, resolve);
  });
  const { port } = server.address() as AddressInfo;
  // Neither is given the real server: what wants a socket passes the front door, and then goes to Socket.IO alone.
  const behindDoor = createServer();
  const pages = next({
    dev: false,
    dir: process.cwd(),
    httpServer: createServer(),
    hostname: config.server.HOST,
    port,
    quiet: true,
  });
  const { io, welcome } = openLiveServer(behindDoor, authenticator);
  const close = async () => {
    io.disconnectSockets(true);
    const drained = new Promise<void>((resolve) => void server.close(() => resolve()));
    server.closeIdleConnections();
    const force = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    await io.close();
    await drained;
    clearTimeout(force);
    await pages.close();
  };
  try {
    const handle = pages.getRequestHandler();
    const prepared = pages.prepare();
    const answer = (request: IncomingMessage, response: ServerResponse, context: RequestContext) => {
      const asPage = isPage(request.url ?? "");
      timeAnswer({ counting, logger }, request, response, context);
      response.setHeader("x-request-id", context.request_id);
      const { refusal, isHttps } = door.visit(request, "answer");
      for (const [name, value] of Object.entries(securityHeaders(isHttps))) response.setHeader(name, value);
      if (isLeaving()) response.setHeader("connection", "close");
      response.once("finish", () => dropRest(request));
      if (refusal) return answerRefusal(response, refusal, asPage);
      if (asPage) {
        // Next reads the nonce from the request's header, and puts it on its scripts.
        const policy = pagePolicy();
        request.headers["content-security-policy"] = policy;
        response.setHeader("content-security-policy", policy);
      }
      watchBody(request, response);
      nameContentType(response);
      void prepared
        .then(async () => {
          if (await answerUnservable(request, response, isPage)) return;
          if (await scraped(request, response)) return;
          if (await answerDirectly(api, request, response)) return;
          const isOwn = request.headers[OWN_HEADER] === own;
          if (isOwn || (await admitToPage(authenticator, request, response))) await handle(request, response);
        })
        .catch(() => response.destroy());
    };
    server.on("request", (request, response) => {
      traceRequest(tracing, request, response, (trace) => {
        const context = contextOf(request, trace);
        inContext(context, () => answer(request, response, context));
      });
    });
    const socketsOf = createPerAddress(place.MAX_CONNECTIONS_PER_ADDRESS);
    server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      socket.on("error", () => socket.destroy());
      const { refusal, isHttps, address } = door.visit(request, "socket");
      if (refusal) return hangUp(socket, refusal, isHttps);
      if (!request.url?.startsWith("/socket.io/")) return hangUp(socket, NO_SOCKET, isHttps);
      if (!socketsOf.take(address, socket))
        return hangUp(socket, tooMany(address, place.MAX_CONNECTIONS_PER_ADDRESS), isHttps);
      behindDoor.emit("upgrade", request, socket, head);
    });
    server.on("connect", (_, socket) => hangUp(socket, NO_TUNNEL));
    await prepared;
    return { server, io, welcome, close };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

/** What lines about a request have in common; its id is the sender's, if it is one that can't be mistaken for anything else. */
function contextOf({ headers }: IncomingMessage, trace: TraceParent | null): RequestContext {
  const { "x-request-id": said = "" } = headers;
  return {
    request_id: /^[\w.-]{1,64}$/.test(String(said)) ? String(said) : randomUUID(),
    ...(trace && { trace_id: trace.traceId, span_id: trace.spanId }),
  };
}

function openServer(certificate: Certificate | null): HttpServer {
  const times = { keepAliveTimeout: 65_000, headersTimeout: HEAD_MS, connectionsCheckingInterval: 1000 };
  if (certificate === null) return createServer(times);
  const server = createHttpsServer({
    ...times,
    ...certificate.pair,
    minVersion: OLDEST_TLS,
    handshakeTimeout: HEAD_MS,
  });
  certificate.keepCurrent(server);
  return server;
}

const NO_SOCKET: Refusal = { kind: "unreadable-address", detail: "Sockets are taken at /socket.io/ alone." };
const NO_TUNNEL: Refusal = {
  kind: "method-not-allowed",
  detail: "CONNECT is not taken here.",
  headers: { allow: "GET" },
};

/**
 * Next compresses what says by its content type that it is worth it, and reads that as one text; its route handlers set it
 * as a list of one, so that answers of the API would never be compressed.
 */
function nameContentType(response: ServerResponse): void {
  const setHeader = response.setHeader.bind(response);
  response.setHeader = (name, value) =>
    setHeader(name, name.toLowerCase() === "content-type" && Array.isArray(value) ? value.join(", ") : value);
}

/** Reads on what is left of a body that was answered before its end, so that the connection can be used again. */
function dropRest(request: IncomingMessage): void {
  if (request.complete) return;
  request.unpipe();
  request.resume();
  const enough = setTimeout(() => request.destroy(), DROP_MS);
  request.once("close", () => clearTimeout(enough));
}
