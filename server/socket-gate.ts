import type { IncomingMessage, Server as HttpServer } from "node:http";
import { Server as SocketServer } from "socket.io";
import type { Authenticator } from "./access/authenticate";
import { sitesOf } from "./domain/access";
import { securityHeaders } from "./front-door/security-headers";
import { credentialsOf } from "./page-gate";
import type { LiveServer, LiveSocket, Watcher } from "./realtime/live-channel";

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
      watcherOf(authenticator, request).then(
        ({ sites }) => decide(null, sites.length > 0),
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
      .then(() => watcherOf(authenticator, socket.request))
      .then(
        (watcher) => {
          socket.data = watcher;
          letIn();
        },
        () => letIn(new Error("It can't be told who this is.")),
      );
  });
  return { io, welcome };
}

/** What who shows these credentials may watch. */
async function watcherOf(authenticator: Authenticator, request: IncomingMessage): Promise<Watcher> {
  const caller = await authenticator.callerOf(credentialsOf(request));
  return { sites: sitesOf(caller, "view"), details: sitesOf(caller, "administer") === "all" };
}

/** Cuts a browser off that may not watch any more, or may watch something else: it comes back, and loads anew. */
export async function cutOff(socket: LiveSocket, authenticator: Authenticator): Promise<void> {
  // Who can't be asked about while PostgreSQL is away stays: nothing can have been taken from them.
  const before = socket.data;
  const { sites, details } = await watcherOf(authenticator, socket.request).catch(() => before);
  if (String(sites) !== String(before.sites) || details !== before.details) socket.disconnect(true);
}
