import { randomUUID } from "node:crypto";
import type { Server } from "socket.io";
import type { HealthAnswer } from "@/server/contracts/health";
import type { ClientToServer, FrameData, Room, ServerToClient } from "@/server/contracts/live";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { type EpochMs, TOPICS } from "@/server/domain/terms";
import type { Logger } from "@/server/observability/logger";
import type { Consumption, EventLog } from "@/server/ports/event-log";
import { createPending, type Pending } from "./conflation";
import { readLiveHead, readLiveRecord } from "./live-records";
import { toRoom } from "./rooms";

export type LiveServer = Server<ClientToServer, ServerToClient>;

export interface LiveChannelDeps {
  readonly io: LiveServer;
  readonly eventLog: Pick<EventLog, "consume">;
  readonly pipeline: () => Promise<PipelineAnswer>;
  readonly health: () => HealthAnswer;
  readonly onHealthChange: (listener: () => void) => () => void;
  readonly logger: Logger;
  readonly now: () => EpochMs;
}

export interface LiveChannel {
  readonly state: () => { listening: boolean; lastError: string | null; lastFrame: EpochMs | null; browsers: number };
  stop(): Promise<void>;
}

/** A room's frames are at least this far apart: 5 a second. */
const TICK_MS = 200;
const OVERVIEW_MS = 1000;
const HEALTH_MS = 5000;
const RETRY_MS = 2000;
const ERROR_SHOWN_MS = 30_000;
/** Points of a metric in one frame: of one device everything that fits a chart, of all devices the newest. */
const DEVICE_POINTS = 500;
const LIST_POINTS = 1;
const DEVICES_A_FRAME = 2000;
const ROOMS_A_BROWSER = 256;
/** Workers whose numbers are followed; each has a new name at every start. */
const MOST_WORKERS = 1000;
/** Packets waiting for one browser before it is cut off; it comes back and loads a snapshot. */
const BACKLOG = 100;

/** Sends frames to the browsers that watch: what workers committed, the pipeline's state, and the health. */
export function startLiveChannel(deps: LiveChannelDeps): LiveChannel {
  const { io, eventLog, pipeline, health, onHealthChange, logger, now } = deps;
  /** The rooms that anyone watches: which life of theirs this is, and the number of its latest frame. */
  const lives = new Map<Room, { readonly life: string; seq: number }>();
  const pending = new Map<Room, Pending>();
  /** Number of each worker's latest record. */
  const heard = new Map<string, number>();
  const { rooms } = io.sockets.adapter;
  let consumption: Consumption | null = null;
  let lastError: { readonly text: string; readonly at: EpochMs } | null = null;
  let lastFrame: EpochMs | null = null;
  let stopped = false;

  function lifeOf(room: Room): { readonly life: string; seq: number } {
    let here = lives.get(room);
    if (here === undefined) lives.set(room, (here = { life: randomUUID(), seq: 0 }));
    return here;
  }

  function send(room: Room, data: FrameData): void {
    const here = lifeOf(room);
    here.seq++;
    io.to(room)
      .compress(false)
      .emit("frame", { room, ...here, at: now(), data });
  }

  io.on("connection", (socket) => {
    socket.on("watch", (name, answer) => {
      if (typeof answer !== "function") return;
      const room = toRoom(name);
      if (room === null) return answer({ ok: false, error: "There is no such room." });
      if (socket.rooms.size > ROOMS_A_BROWSER)
        return answer({ ok: false, error: `Watch at most ${ROOMS_A_BROWSER} rooms.` });
      void socket.join(room);
      answer({ ok: true, ...lifeOf(room) });
    });
    socket.on("unwatch", (name) => {
      const room = toRoom(name);
      if (room !== null) void socket.leave(room);
    });
  });
  // Nobody would hear the frames of an empty room: the next to join begins another life of it.
  io.sockets.adapter.on("delete-room", (name: string) => {
    const room = toRoom(name);
    if (room === null) return;
    pending.delete(room);
    lives.delete(room);
  });

  /** A record is missing: one that could not be sent, or came while this wasn't listening yet. */
  function noticeMissing(value: Uint8Array): void {
    const head = readLiveHead(value);
    if (head === null) return;
    const missing = head.seq > (heard.get(head.worker) ?? 0) + 1;
    if (heard.size >= MOST_WORKERS) heard.clear();
    heard.set(head.worker, head.seq);
    if (!missing) return;
    for (const name of rooms.keys()) {
      const room = toRoom(name);
      if (room !== "devices" && !room?.startsWith("device:")) continue;
      // Leaves out a number, so that browsers load what they don't have.
      lifeOf(room).seq++;
      send(room, { kind: "devices", devices: [] });
    }
  }

  function take(value: Uint8Array): void {
    noticeMissing(value);
    const list = rooms.has("devices");
    if (!list && ![...rooms.keys()].some((room) => room.startsWith("device:"))) return;
    for (const device of readLiveRecord(value)) {
      if (list) pendingOf("devices").add(device);
      const own: Room = `device:${device.id}`;
      if (rooms.has(own)) pendingOf(own).add(device);
    }
  }

  function pendingOf(room: Room): Pending {
    let found = pending.get(room);
    if (found === undefined)
      pending.set(room, (found = createPending(room === "devices" ? LIST_POINTS : DEVICE_POINTS)));
    return found;
  }

  async function listen(): Promise<void> {
    while (!stopped) {
      try {
        consumption = await eventLog.consume({
          topic: TOPICS.live,
          group: null,
          async onBatch({ records }) {
            lastError = null;
            lastFrame = now();
            for (const { value } of records) take(value);
          },
          maxRecords: 1000,
          maxBytes: 4 * 1024 * 1024,
          concurrency: 1,
          onError: failed,
        });
        lastError = null;
        if (stopped) await consumption.stop(0);
        return;
      } catch (error) {
        failed(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
  }

  function failed(error: unknown): void {
    if (lastError === null) logger.warn({ err: error }, "live frames cannot be read; trying again");
    lastError = { text: error instanceof Error ? error.message || error.name : String(error), at: now() };
  }

  function sendDevices(): void {
    for (const [room, waiting] of pending) {
      const devices = waiting.take(DEVICES_A_FRAME);
      if (devices.length > 0) send(room, { kind: "devices", devices });
    }
  }

  let overviewUnderWay = false;
  async function sendOverview(): Promise<void> {
    if (overviewUnderWay || !rooms.has("overview")) return;
    overviewUnderWay = true;
    try {
      const answer = await pipeline();
      const { status, verdict, parts } = health();
      if (!stopped) send("overview", { kind: "overview", pipeline: answer, verdict: { status, verdict, parts } });
    } catch {
      // The stores are down: the probes say so, and the page's own clock shows that frames stopped.
    } finally {
      overviewUnderWay = false;
    }
  }

  let healthChanged = false;
  let healthSent = -Infinity;
  function sendHealth(): void {
    if (!rooms.has("health")) return;
    if (!healthChanged && performance.now() - healthSent < HEALTH_MS) return;
    healthChanged = false;
    healthSent = performance.now();
    send("health", { kind: "health", health: health() });
  }

  function cutOffSlow(): void {
    for (const socket of io.sockets.sockets.values()) {
      if ((socket.conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length > BACKLOG) socket.disconnect(true);
    }
  }

  const unsubscribe = onHealthChange(() => (healthChanged = true));
  const timers = [
    setInterval(() => {
      sendDevices();
      sendHealth();
      cutOffSlow();
    }, TICK_MS),
    setInterval(() => void sendOverview(), OVERVIEW_MS),
  ];
  void listen();

  return {
    state: () => ({
      listening: consumption !== null,
      // The log tells of an outage once, and not of its end; where nothing is sent, no frame tells of it either.
      lastError: lastError !== null && now() - lastError.at < ERROR_SHOWN_MS ? lastError.text : null,
      lastFrame,
      browsers: io.sockets.sockets.size,
    }),
    async stop() {
      stopped = true;
      for (const timer of timers) clearInterval(timer);
      unsubscribe();
      await consumption?.stop(1000);
    },
  };
}
