/** The driver's own class of connections, which its index doesn't export. */
declare module "mongodb/lib/cmap/connection.js" {
  import type { Socket } from "node:net";

  export class Connection {
    constructor(socket: Socket, options: unknown);
  }
}
