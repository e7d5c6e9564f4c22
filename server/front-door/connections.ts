import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { plainAddress } from "./forwarding";
import { hangUp, type Refusal } from "./refusal";
import { createSeldom } from "./seldom";

/** Places of one kind, counted by address. */
export interface PerAddress {
  /** Takes a place, freed when `socket` closes. False when there is none left. */
  take(address: string, socket: Pick<Socket, "once">): boolean;
}

export function createPerAddress(most: number): PerAddress {
  const held = new Map<string, number>();
  return {
    take(address, socket) {
      const before = held.get(address) ?? 0;
      if (before >= most) return false;
      held.set(address, before + 1);
      socket.once("close", () => {
        const left = held.get(address)! - 1;
        if (left === 0) held.delete(address);
        else held.set(address, left);
      });
      return true;
    },
  };
}

export interface ConnectionLimits {
  /** Most connections in all. */
  readonly MAX_CONNECTIONS: number;
  /** Most of one address; a trusted proxy, behind which there are many, is not counted. */
  readonly MAX_CONNECTIONS_PER_ADDRESS: number;
  readonly isTrusted: (address: string) => boolean;
  /** Called about refused connections, at a bounded rate. */
  readonly onRefused: (refusal: Refusal) => void;
  readonly now: () => number;
}

/** Holds a server to these limits. */
export function limitConnections(server: Server, limits: ConnectionLimits): void {
  const mayTell = createSeldom(limits.now);
  const perAddress = createPerAddress(limits.MAX_CONNECTIONS_PER_ADDRESS);
  server.maxConnections = limits.MAX_CONNECTIONS;
  server.on("drop", () => {
    const detail = `All ${limits.MAX_CONNECTIONS} connections are in use; more come only when some end (MAX_CONNECTIONS).`;
    if (mayTell("all")) limits.onRefused({ kind: "too-many-connections", detail });
  });
  server.on("connection", (socket) => {
    const address = plainAddress(socket.remoteAddress ?? "");
    if (limits.isTrusted(address) || perAddress.take(address, socket)) return;
    const refusal = tooMany(address, limits.MAX_CONNECTIONS_PER_ADDRESS);
    if (mayTell(address)) limits.onRefused(refusal);
    socket.destroy();
  });
}

/** Words the refusal of an address that has as many connections as it may. */
export function tooMany(address: string, most: number): Refusal {
  return {
    kind: "too-many-connections",
    detail: `${address} has ${most} connections open, as many as one address may (MAX_CONNECTIONS_PER_ADDRESS).`,
    headers: { "retry-after": "5" },
  };
}

const PATIENCE_MS = 10_000;
/** The least rate a sender must manage once the patience is used up. */
const LEAST_BYTES_A_SECOND = 256 * 1024;

/** Ends a request whose body comes too slowly: ten seconds, and one more for every 256 KiB that have come. */
export function watchBody(request: IncomingMessage, response: ServerResponse): void {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  if (length === undefined && encoding === undefined) return;
  const { socket } = request;
  const began = performance.now();
  const readBefore = socket.bytesRead;
  let timer: NodeJS.Timeout;
  const look = () => {
    if (request.complete || socket.destroyed) return;
    const earnedMs = ((socket.bytesRead - readBefore) / LEAST_BYTES_A_SECOND) * 1000;
    const left = PATIENCE_MS + earnedMs - (performance.now() - began);
    if (left > 0) timer = setTimeout(look, left);
    else if (response.headersSent) socket.destroy();
    else hangUp(socket, SLOW);
  };
  timer = setTimeout(look, PATIENCE_MS);
  request.once("close", () => clearTimeout(timer));
}

/** Answers what isn't HTTP, or whose head doesn't come, as Node does, but with our headers. */
export function answerBroken(server: Server): void {
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex & { _httpMessage?: ServerResponse }) => {
    const isAnswered = socket._httpMessage?.headersSent === true;
    // Who doesn't get as far as a handshake can't be told anything.
    const isUnheard = /^(ECONNRESET$|ERR_SSL_|ERR_TLS_)/.test(error.code ?? "");
    if (!socket.writable || isAnswered || isUnheard) socket.destroy();
    else hangUp(socket, error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? SLOW : NOT_HTTP);
  });
}

const NOT_HTTP: Refusal = {
  kind: "unreadable-address",
  detail: "That is not a request of HTTP that this server reads.",
};
const SLOW: Refusal = {
  kind: "too-slow",
  detail:
    "A head may take 10 seconds; so may a body, and one more for every 256 KiB of it. Send the same again, less at a time.",
};
