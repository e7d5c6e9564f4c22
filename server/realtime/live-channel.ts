import { randomUUID } from "node:crypto";
import type { DefaultEventsMap, Server, Socket } from "socket.io";
import {
  type ClientToServer,
  type FrameData,
  type LiveDevice,
  PULSE_MS,
  type Room,
  type ServerToClient,
  type WatchAnswer,
} from "@/server/contracts/live";
import type { Sites } from "@/server/domain/access";
import { type EpochMs, TOPICS } from "@/server/domain/terms";
import type { Logger } from "@/server/observability/logger";
import type { Consumption, EventLog } from "@/server/ports/event-log";
import { createPending, type Pending } from "./conflation";
import { readLiveHead, readLiveRecord } from "./live-records";
import { startLiveAlerts } from "./live-alerts";
import { type LiveStatusDeps, startLiveStatus } from "./live-status";
import { type Audience, audienceOf, isOfAllSites, isOfDevices, keyOf, toRoom } from "./rooms";

/** The facts of a browser that are known when it is let in. */
export interface Watcher {
  /** The sites it may watch. */
  readonly sites: Sites;
  /** True if it is told the details of health, too. */
  readonly details: boolean;
}

export type LiveServer = Server<ClientToServer, ServerToClient, DefaultEventsMap, Watcher>;
export type LiveSocket = Socket<ClientToServer, ServerToClient, DefaultEventsMap, Watcher>;

export interface LiveChannelDeps extends Omit<LiveStatusDeps, "send"> {
  readonly io: LiveServer;
  readonly eventLog: Pick<EventLog, "consume">;
  /** Those of these devices that are at one of these sites now. */
  readonly seenAt: (sites: readonly number[], devices: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Tells the workers that browsers watch devices: without it they make no frames. It counts for longer than {@link WATCHED_MS}. */
  readonly noteWatched: () => Promise<void>;
  /** Told of each frame that is sent, to however many. */
  readonly onFrame: (kind: FrameData["kind"]) => void;
  readonly logger: Logger;
  readonly now: () => EpochMs;
}

export interface LiveChannel {
  readonly state: () => { listening: boolean; lastError: string | null; lastFrame: EpochMs | null; browsers: number };
  /** Alerts have changed. @param site the id of their site, 0 for those of none, "any" when it isn't known */
  alertsChanged(site: number | "any"): void;
  stop(): Promise<void>;
}

/** A room's frames are at least this far apart: 5 a second. The first after a rest doesn't wait. */
const FRAME_MS = 200;
/** The time between two words to the workers that somebody watches. */
const WATCHED_MS = 10_000;
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

const NO_ROOM: WatchAnswer = { ok: false, error: "There is no such room." };

/** Sends frames to the browsers that watch: what workers committed, the pipeline's state, and the health. */
export function startLiveChannel(deps: LiveChannelDeps): LiveChannel {
  const { io, eventLog, seenAt, noteWatched, onFrame, logger, now } = deps;
  /** The audiences there are, by key: which life of theirs this is, and the number of its latest frame. */
  const lives = new Map<string, { readonly life: string; seq: number }>();
  /** The audiences of rooms of devices. */
  const audiences = new Map<Room, Map<string, Audience>>();
  const pending = new Map<string, Pending>();
  /** Audiences for whom it is being asked what they may see. */
  const asking = new Set<string>();
  /** Number of each worker's latest record. */
  const heard = new Map<string, number>();
  let consumption: Consumption | null = null;
  let lastError: { readonly text: string; readonly at: EpochMs } | null = null;
  let lastFrame: EpochMs | null = null;
  let stopped = false;

  function lifeOf(key: string): { readonly life: string; seq: number } {
    let here = lives.get(key);
    if (here === undefined) lives.set(key, (here = { life: randomUUID(), seq: 0 }));
    return here;
  }

  function send(key: string, room: Room, data: FrameData): void {
    const here = lifeOf(key);
    here.seq++;
    onFrame(data.kind);
    io.to(key)
      .compress(false)
      .emit("frame", { room, ...here, at: now(), data });
  }

  /** True if there is such a room to who sees these sites. What is of all sites together, overview and health, takes all of them. */
  async function isOpen(room: Room, sites: readonly number[]): Promise<boolean> {
    if (isOfAllSites(room)) return false;
    return !room.startsWith("device:") || (await seenAt(sites, [room.slice("device:".length)])).size > 0;
  }

  io.on("connection", (socket) => {
    const { sites, details } = socket.data;
    const wanted = new Set<Room>();
    socket.on("watch", (name, answer) => {
      if (typeof answer !== "function") return;
      const room = toRoom(name);
      if (room === null) return answer(NO_ROOM);
      if (!wanted.has(room) && wanted.size >= ROOMS_A_BROWSER)
        return answer({ ok: false, error: `Watch at most ${ROOMS_A_BROWSER} rooms.` });
      wanted.add(room);
      const audience = { room, sites, details };
      const join = () => {
        const key = keyOf(audience);
        if (isOfDevices(room)) {
          audiences.set(room, (audiences.get(room) ?? new Map<string, Audience>()).set(key, audience));
          tellWatched();
        }
        void socket.join(key);
        answer({ ok: true, ...lifeOf(key) });
      };
      if (sites === "all") return join();
      isOpen(room, sites).then(
        (open) => {
          // It may have changed its mind, or be gone.
          if (!socket.connected || !wanted.has(room)) return;
          if (open) return join();
          wanted.delete(room);
          answer(NO_ROOM);
        },
        // It comes back, and asks again.
        () => socket.disconnect(true),
      );
    });
    socket.on("unwatch", (name) => {
      const room = toRoom(name);
      if (room === null) return;
      wanted.delete(room);
      void socket.leave(keyOf({ room, sites, details }));
    });
  });
  // Nobody would hear the frames of an empty room: the next to join begins another life of it.
  io.sockets.adapter.on("delete-room", (key: string) => {
    const audience = audienceOf(key);
    if (audience === null) return;
    const its = audiences.get(audience.room);
    if (its?.delete(key) && its.size === 0) audiences.delete(audience.room);
    pending.delete(key);
    lives.delete(key);
  });

  let watchedAt = -Infinity;
  function tellWatched(): void {
    if (audiences.size === 0 || performance.now() - watchedAt < WATCHED_MS) return;
    watchedAt = performance.now();
    // While PostgreSQL is away nothing is committed either.
    noteWatched().catch(() => (watchedAt = -Infinity));
  }

  /** A record is missing: one that could not be sent, or came while this wasn't listening yet. */
  function noticeMissing(value: Uint8Array): void {
    const head = readLiveHead(value);
    if (head === null) return;
    const missing = head.seq > (heard.get(head.worker) ?? 0) + 1;
    if (heard.size >= MOST_WORKERS) heard.clear();
    heard.set(head.worker, head.seq);
    if (missing) tellMissing();
  }

  /** Has all who watch devices load them again. */
  function tellMissing(): void {
    for (const [room, its] of audiences)
      for (const key of its.keys()) {
        // Leaves out a number, so that browsers load what they don't have.
        lifeOf(key).seq++;
        send(key, room, { kind: "devices", devices: [] });
      }
  }

  function take(value: Uint8Array): void {
    noticeMissing(value);
    if (audiences.size === 0) return;
    for (const device of readLiveRecord(value)) {
      for (const key of audiences.get("devices")?.keys() ?? []) pendingOf(key, LIST_POINTS).add(device);
      for (const key of audiences.get(`device:${device.id}`)?.keys() ?? []) pendingOf(key, DEVICE_POINTS).add(device);
    }
  }

  function pendingOf(key: string, points: number): Pending {
    let found = pending.get(key);
    if (found === undefined) pending.set(key, (found = createPending(points)));
    armDevices();
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
        // Who joined before may have loaded before, too: of what was committed in between nobody here has heard.
        tellMissing();
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

  let devicesSentAt = -Infinity;
  let devicesTimer: NodeJS.Timeout | undefined;
  function armDevices(): void {
    if (!stopped) devicesTimer ??= setTimeout(sendDevices, Math.max(0, devicesSentAt + FRAME_MS - performance.now()));
  }

  function sendDevices(): void {
    devicesTimer = undefined;
    devicesSentAt = performance.now();
    for (const [key, waiting] of pending) {
      const audience = audienceOf(key);
      if (audience === null) continue;
      if (asking.has(key)) {
        armDevices();
        continue;
      }
      const devices = waiting.take(DEVICES_A_FRAME);
      if (devices.length === 0) continue;
      if (devices.length === DEVICES_A_FRAME) armDevices();
      if (audience.sites === "all") send(key, audience.room, { kind: "devices", devices });
      else void sendSeen(key, audience.room, audience.sites, waiting, devices);
    }
  }

  /** Sends those that are at the sites at this moment: a device that was moved away is heard no more. */
  async function sendSeen(
    key: string,
    room: Room,
    sites: readonly number[],
    waiting: Pending,
    taken: readonly LiveDevice[],
  ): Promise<void> {
    asking.add(key);
    try {
      const seen = await seenAt(
        sites,
        taken.map(({ id }) => id),
      );
      const devices = taken.filter(({ id }) => seen.has(id));
      if (devices.length > 0 && !stopped && lives.has(key)) send(key, room, { kind: "devices", devices });
    } catch {
      // PostgreSQL is away, which health tells: they wait until it is known again who may see them.
      for (const device of taken) waiting.add(device);
      armDevices();
    } finally {
      asking.delete(key);
    }
  }

  function cutOffSlow(): void {
    for (const socket of io.sockets.sockets.values()) {
      if ((socket.conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length > BACKLOG) socket.disconnect(true);
    }
  }

  const status = startLiveStatus({ ...deps, send });
  const alerts = startLiveAlerts({ io, send });
  const pulse = setInterval(() => io.emit("pulse"), PULSE_MS);
  const slow = setInterval(() => {
    cutOffSlow();
    tellWatched();
  }, FRAME_MS);
  void listen();

  return {
    state: () => ({
      listening: consumption !== null,
      // The log tells of an outage once, and not of its end; where nothing is sent, no frame tells of it either.
      lastError: lastError !== null && now() - lastError.at < ERROR_SHOWN_MS ? lastError.text : null,
      lastFrame,
      browsers: io.sockets.sockets.size,
    }),
    alertsChanged: (site) => alerts.changed(site),
    async stop() {
      stopped = true;
      clearInterval(slow);
      clearInterval(pulse);
      clearTimeout(devicesTimer);
      status.stop();
      alerts.stop();
      await consumption?.stop(1000);
    },
  };
}
