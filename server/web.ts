import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import path from "node:path";
import next from "next";
import { Server as SocketServer } from "socket.io";
import { type Authenticator, createAuthenticator } from "./access/authenticate";
import { watchAccess } from "./access/watch";
import { addressOf, isHttps } from "./api/address";
import { sessionCookie } from "./api/access/cookie";
import { toPipelineAnswer } from "./api/pipeline/get";
import { shareApi } from "./api/runtime";
import { answerUnservable } from "./api/unservable";
import { seenAt } from "./catalog/devices";
import { composeEngines } from "./compose";
import { composeAdmission, composeApi, composeHealth, composePipelineState } from "./compose-web";
import type { Config } from "./config/config";
import { exposureOf, readCertificate } from "./config/exposure";
import { runAsProduction } from "./config/production";
import { PAGES } from "./contracts/pages";
import { type Sites, sitesOf } from "./domain/access";
import { admitToPage, credentialsOf } from "./page-gate";
import { databaseConnection } from "./postgres/connection";
import { createPrismaClient } from "./postgres/prisma";
import { noIngestCounts, writeIngestRates } from "./ingest/ingest-rates";
import { createTally } from "./observability/tally";
import { ask } from "./delivery/ask";
import { ownAddress } from "./delivery/target";
import type { Logger } from "./observability/logger";
import type { Running } from "./observability/running";
import { type LiveChannel, type LiveServer, type LiveSocket, startLiveChannel } from "./realtime/live-channel";
import { answerRefusal, hangUp, type Refusal } from "./front-door/refusal";
import { type Certificate, OLDEST_TLS, openCertificate } from "./front-door/certificate";
import { createFrontDoor, isPage } from "./front-door/front-door";
import { answerBroken, createPerAddress, limitConnections, tooMany, watchBody } from "./front-door/connections";
import { pagePolicy, securityHeaders } from "./front-door/security-headers";

const DRAIN_MS = 5000;
/** The time the rest of a refused body may take to arrive, in milliseconds. */
const DROP_MS = 5000;

/** The time the head of a request, and the handshake before it, may take to arrive. */
const HEAD_MS = 10_000;
/** Interval of looking for a new certificate, in milliseconds. */
const CERTIFICATE_MS = 5000;

/**
 * Runs pages, REST routes and the live channel on one port. Answers also while the engines are down.
 * @returns the port it listens on, and how to stop it.
 * @throws Error with code EADDRINUSE when the port is taken.
 */
export async function runWeb(config: Config, logger: Logger): Promise<Running & { readonly port: number }> {
  const engines = await composeEngines(config, "web", logger);
  const undo: (() => Promise<void> | void)[] = [() => engines.close()];
  let stopped: Promise<void> | undefined;
  const stop = () =>
    (stopped ??= (async () => {
      for (let step = undo.pop(); step; step = undo.pop()) {
        await Promise.resolve(step()).catch((error: unknown) => logger.warn({ err: error }, "did not stop cleanly"));
      }
    })());
  try {
    const version = readVersion();
    const prisma = createPrismaClient(engines.pool);
    undo.push(() => prisma.$disconnect());
    const ingestTally = createTally({
      empty: noIngestCounts,
      write: (buckets) => writeIngestRates(engines.pool, buckets),
      now: Date.now,
      onError: (error) => logger.debug({ err: error }, "the route's counts could not be written"),
    });
    undo.push(() => ingestTally.stop());
    const pipelineState = composePipelineState(engines, {
      staleSeconds: config.pipeline.DEVICE_STALE_SECONDS,
      now: Date.now,
      onLogError: (error) => logger.debug({ err: error }, "the event log cannot be asked"),
    });
    const started: { live?: LiveChannel } = {};
    const certificate = certificateOf(config, logger);
    undo.push(() => certificate?.stop());
    const health = composeHealth({
      ...{ config, engines, pipelineState, version },
      liveState: () => started.live?.state(),
      encryption: () => ({ exposure: exposureOf(config), certificate: certificate?.state() ?? null }),
    });
    undo.push(() => health.stop());
    const ingestCounts = () => ingestTally.current();
    const authenticator = createAuthenticator(engines.pool, sessionCookie(config.server.PORT).names);
    const callerOf = (request: Request) =>
      authenticator.callerOf({
        cookie: request.headers.get("cookie"),
        authorization: request.headers.get("authorization"),
        address: addressOf(request),
        isHttps: isHttps(request),
      });
    const admission = composeAdmission(config, engines);
    const api = composeApi({
      ...{ config, engines, prisma, pipelineState, health, ingestCounts, version, logger, callerOf, admission },
    });
    undo.push(shareApi(api));

    const own = randomUUID();
    const { server, io, welcome, close } = await listen(config, logger, authenticator, own, certificate);
    undo.push(close);
    undo.push(
      watchAccess(databaseConnection(config), logger, (changed) => {
        if (changed === "catalog" || changed === "anything") admission.forget();
        if (changed === "catalog") return;
        authenticator.forget(changed);
        for (const socket of io.sockets.sockets.values()) void cutOff(socket, authenticator);
      }),
    );
    // A socket let in just before a change wasn't among those that were cut off then.
    io.on("connection", (socket) => void cutOff(socket, authenticator));
    const live = startLiveChannel({
      io,
      eventLog: engines.eventLog,
      seenAt: (sites, devices) => seenAt(engines.pool, sites, devices),
      pipeline: async () => toPipelineAnswer(await pipelineState()),
      health: () => health.answer(),
      onHealthChange: health.onChange,
      logger,
      now: Date.now,
    });
    started.live = live;
    welcome();
    undo.push(() => live.stop());
    await health.firstRound();
    const warming = new AbortController();
    undo.push(() => warming.abort());
    void warmUp(ownAddress(config), own, warming.signal);
    return { port: (server.address() as AddressInfo).port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The sites that who shows these credentials may watch. */
async function watchableSites(authenticator: Authenticator, request: IncomingMessage): Promise<Sites> {
  return sitesOf(await authenticator.callerOf(credentialsOf(request)), "view");
}

/** Cuts a browser off that may not watch any more, or may watch other sites: it comes back, and loads anew. */
async function cutOff(socket: LiveSocket, authenticator: Authenticator): Promise<void> {
  // Who can't be asked about while PostgreSQL is away stays: nothing can have been taken from them.
  const sites = await watchableSites(authenticator, socket.request).catch(() => socket.data.sites);
  if (String(sites) !== String(socket.data.sites)) socket.disconnect(true);
}

/** By this header the process's own requests for pages are told: a page alone holds no data. */
const OWN_HEADER = "x-fieldwatch-own";

/** Asks for each page once, so that the first visitor needn't wait for its code to be read and compiled. */
async function warmUp(address: string, own: string, signal: AbortSignal): Promise<void> {
  const headers = { [OWN_HEADER]: own };
  try {
    for (const { href } of PAGES) await ask(new URL(href, address), { headers, signal });
  } catch {
    // A page that can't be had is the first visitor's to see.
  }
}

interface Listening {
  readonly server: HttpServer;
  readonly io: LiveServer;
  /** Lets browsers in; to be called when somebody listens to them. */
  readonly welcome: () => void;
  readonly close: () => Promise<void>;
}

/** Opens the port with the front door before everything, and Next's pages and Socket.IO behind it. Next answers once it has loaded the build. */
async function listen(
  config: Config,
  logger: Logger,
  authenticator: Authenticator,
  own: string,
  certificate: Certificate | null,
): Promise<Listening> {
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
  const io: LiveServer = new SocketServer(behindDoor, {
    transports: ["websocket"],
    serveClient: false,
    perMessageDeflate: false,
    maxHttpBufferSize: 16 * 1024,
    allowRequest: (request, decide) => {
      watchableSites(authenticator, request).then(
        (sites) => decide(null, sites.length > 0),
        () => decide(null, false),
      );
    },
  });
  io.engine.on("headers", (headers: Record<string, string>, { headers: asked }: IncomingMessage) =>
    Object.assign(headers, securityHeaders(asked["x-forwarded-proto"] === "https")),
  );
  // Sockets of before a restart come back at once. Let in too early, they would ask for rooms and never be answered.
  let welcome = () => {};
  const welcomed = new Promise<void>((resolve) => (welcome = resolve));
  io.use((socket, letIn) => {
    welcomed
      .then(() => watchableSites(authenticator, socket.request))
      .then(
        (sites) => {
          socket.data.sites = sites;
          letIn();
        },
        () => letIn(new Error("It can't be told who this is.")),
      );
  });
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
    server.on("request", (request, response) => {
      const asPage = isPage(request.url ?? "");
      const { refusal, isHttps } = door.visit(request, "answer");
      for (const [name, value] of Object.entries(securityHeaders(isHttps))) response.setHeader(name, value);
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
          if (await answerUnservable(request, response)) return;
          const isOwn = request.headers[OWN_HEADER] === own;
          if (isOwn || (await admitToPage(authenticator, request, response))) await handle(request, response);
        })
        .catch(() => response.destroy());
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

/** Reads the certificate of the configuration, if it names one. */
function certificateOf({ frontDoor }: Config, logger: Logger): Certificate | null {
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = frontDoor;
  if (certFile === undefined || keyFile === undefined) return null;
  return openCertificate({
    read: () => readCertificate(certFile, keyFile),
    everyMs: CERTIFICATE_MS,
    onChange({ names, validTo, problem }) {
      if (problem === null) logger.info({ names, validTo: new Date(validTo).toISOString() }, "a certificate was read");
      else logger.warn({ why: problem }, "the new certificate can't be used; the one of before is kept");
    },
  });
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

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(path.resolve("package.json"), "utf8")) as { version: string };
  return version;
}
