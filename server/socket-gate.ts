import type { IncomingMessage, Server as HttpServer } from "node:http";
import { Server as SocketServer } from "socket.io";
import type { Authenticator } from "./access/authenticate";
import { type Sites, sitesOf } from "./domain/access";
import { securityHeaders } from "./front-door/security-headers";
import { credentialsOf } from "./page-gate";
import type { LiveServer, LiveSocket } from "./realtime/live-channel";

/**
 * Takes the sockets that `server` is given, of who may watch some site.
 * @returns them, and what lets browsers in; to be called when somebody listens to them.
 */
export function openLiveServer(
  server: HttpServer,
  authenticator: Authenticator,
): { readonly io: LiveServer; readonly welcome: () => void } {
  const io: LiveServer = new SocketServer(server, {
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
  return { io, welcome };
}

/** The sites that who shows these credentials may watch. */
async function watchableSites(authenticator: Authenticator, request: IncomingMessage): Promise<Sites> {
  return sitesOf(await authenticator.callerOf(credentialsOf(request)), "view");
}

/** Cuts a browser off that may not watch any more, or may watch other sites: it comes back, and loads anew. */
export async function cutOff(socket: LiveSocket, authenticator: Authenticator): Promise<void> {
  // Who can't be asked about while PostgreSQL is away stays: nothing can have been taken from them.
  const sites = await watchableSites(authenticator, socket.request).catch(() => socket.data.sites);
  if (String(sites) !== String(socket.data.sites)) socket.disconnect(true);
}
