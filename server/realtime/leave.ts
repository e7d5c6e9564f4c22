import { setTimeout as delay } from "node:timers/promises";
import type { LiveServer, LiveSocket } from "./live-channel";

/** The parts of the time after which browsers are told to leave, and within which they then do. */
const TOLD_AFTER = 0.5;
const GONE_WITHIN = 0.3;

/**
 * Sends browsers to another server, in `withinMs` milliseconds: the first half is for what is in front to notice that this one is leaving,
 * or they would come back here; then they go one after another, so that the others aren't asked by all at once.
 */
export async function leave(
  io: Pick<LiveServer, "sockets" | "on">,
  withinMs: number,
  random: () => number = Math.random,
): Promise<void> {
  if (withinMs === 0) return;
  const tell = (socket: LiveSocket) => socket.emit("leaving", Math.round(random() * withinMs * GONE_WITHIN));
  await delay(withinMs * TOLD_AFTER);
  for (const socket of io.sockets.sockets.values()) tell(socket);
  // Who came back here all the same is told again.
  io.on("connection", tell);
  await delay(withinMs * (1 - TOLD_AFTER));
}
