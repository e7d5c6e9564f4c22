import net from "node:net";
import tls from "node:tls";
import type { ISocketFactory } from "kafkajs";

/** Kafka's number of the request by which a consumer joins its group. */
const JOIN_GROUP = 11;
const KEEP_ALIVE_MS = 60_000;

/** Opens sockets as kafkajs does by itself. */
export const connectPlainly: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket = ssl
    ? tls.connect({ host, port, ...(net.isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : net.connect({ host, port }, onConnect);
  return socket.setKeepAlive(true, KEEP_ALIVE_MS);
};

/** A request to join the group, as told to the gate. */
export interface Join {
  /** False when Kafka doesn't know this member any more: its partitions are somebody else's already. */
  readonly asMember: boolean;
}

/**
 * Makes a consumer give up its partitions in good order. To join the group again is to give up all of them, and kafkajs does
 * so the moment it hears of a rebalance, whatever is in hand; so the request waits here until `beforeJoin` resolves. Other
 * requests (heartbeats, commits) pass.
 */
export function gateJoins(connect: ISocketFactory, beforeJoin: (join: Join) => Promise<void>): ISocketFactory {
  return (args) => {
    const socket = connect(args);
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (data: unknown, ...rest: unknown[]): boolean => {
      const join = Buffer.isBuffer(data) ? readJoin(data) : null;
      if (join === null) return write(data, ...rest);
      void beforeJoin(join).then(() => socket.writable && write(data, ...rest));
      return true;
    };
    return socket;
  };
}

/**
 * Reads a request: size, key, version, correlation id, client id; then of a JoinGroup before version 6: group, session
 * timeout, rebalance timeout (from version 1 on), member id. Null if it is another one.
 */
export function readJoin(request: Buffer): Join | null {
  if (request.length < 14 || request.readInt16BE(4) !== JOIN_GROUP) return null;
  const version = request.readInt16BE(6);
  const afterText = (at: number) => at + 2 + Math.max(0, request.readInt16BE(at));
  const memberAt = afterText(afterText(12)) + (version === 0 ? 4 : 8);
  return { asMember: request.readInt16BE(memberAt) > 0 };
}
