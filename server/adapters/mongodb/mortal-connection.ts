import type { Socket } from "node:net";
import { Connection } from "mongodb/lib/cmap/connection.js";

/**
 * A connection of the driver whose commands fail when it ends, whatever they wait for. The driver's own waits for ever if the server
 * was killed a moment before a command: the ended socket takes nothing, and the driver waits for it to drain.
 */
export class MortalConnection extends Connection {
  constructor(socket: Socket, options: unknown) {
    super(socket, options);
    // Woken up, the driver looks whether the connection has ended.
    socket.once("close", () => socket.emit("drain"));
    // One that has ended is not waited for; its "close" may have been already.
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (...args: unknown[]) => socket.destroyed || write(...args);
  }
}
