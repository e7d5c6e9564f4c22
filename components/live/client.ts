import type { ClientToServer, Frame, FrameData, Room, ServerToClient, WatchAnswer } from "@/server/contracts/live";
import { browserNow } from "../ui/server-time";
import { follow, type Followed } from "./sequence";

/** The part of a socket that is used here; Socket.IO's client socket fits. */
export interface LiveSocket {
  readonly connected: boolean;
  /** True while it is there, or tries to be by itself. */
  readonly active: boolean;
  on(event: "connect" | "connect_error", listener: () => void): unknown;
  on(event: "disconnect", listener: (reason: string) => void): unknown;
  on(event: "pulse", listener: ServerToClient["pulse"]): unknown;
  on(event: "leaving", listener: ServerToClient["leaving"]): unknown;
  on(event: "frame", listener: ServerToClient["frame"]): unknown;
  emit(event: "watch", ...args: Parameters<ClientToServer["watch"]>): unknown;
  emit(event: "unwatch", ...args: Parameters<ClientToServer["unwatch"]>): unknown;
  connect(): unknown;
  disconnect(): unknown;
}

interface RoomListener {
  /** A frame with a later number than any before. */
  onFrame: (data: FrameData) => void;
  /** Frames were missed: load the snapshot again. */
  onMissed: () => void;
}

/** The state of the channel. `since`: when it took this phase; `heardAt`: when the latest frame or pulse came (epoch ms by the browser's clock). */
export interface Connection {
  readonly phase: "connecting" | "connected" | "reconnecting";
  readonly since: number;
  readonly heardAt: number | null;
  /** The reason why the server lets no socket of this page in, in its own words; null when it does, or when nothing is known. */
  readonly refusal: string | null;
}

export interface LiveClient {
  /** Watches a room until the returned function is called; a room joined twice is joined once. */
  watch(room: Room, listener: RoomListener): () => void;
  /**
   * Loads a room's snapshot and brings it up to date with the frames that came while it was loading, so that none is
   * lost between the two. Waits a moment for the room to be joined; without a connection it loads all the same.
   */
  snapshot<T>(room: Room, load: () => Promise<T>, apply: (state: T, data: FrameData) => T): Promise<T>;
  connection(): Connection;
  onConnection(listener: () => void): () => void;
  /** Opens the channel; until then, and on the server, there is none. */
  start(): void;
  stop(): void;
}

interface WatchedRoom {
  readonly listeners: Set<RoomListener>;
  /** Snapshots being loaded right now, each with the frames that came since. */
  readonly loading: Set<FrameData[]>;
  followed: Followed | null;
  joined: boolean;
  /** A snapshot was loaded before joining: frames in between were missed. */
  loadedUnjoined: boolean;
  readonly waiting: Set<() => void>;
}

/** The time a snapshot waits for its room to be joined, in milliseconds. */
const JOIN_PATIENCE_MS = 150;
/** The time after which a connection that was refused by the server is tried again, in milliseconds. */
const AGAIN_MS = 1000;

/** One typed live client a tab. `open` makes the socket when it starts; `askRefusal` asks why one was not let in, told how often in a row by now. */
export function createLiveClient(
  open: () => LiveSocket,
  now: () => number = browserNow,
  askRefusal: (tries: number) => Promise<string | null> = async () => null,
): LiveClient {
  let socket: LiveSocket | null = null;
  /** Opened beside `socket` when its server is about to stop, and not there yet; it takes over once it is, or when `socket` breaks before. */
  let next: LiveSocket | null = null;
  const rooms = new Map<Room, WatchedRoom>();
  const connectionListeners = new Set<() => void>();
  /** Rooms asked for, without an answer yet. */
  const unanswered = new Set<Room>();
  let connection: Connection = { phase: "connecting", since: now(), heardAt: null, refusal: null };

  const setConnection = (change: Partial<Connection>) => {
    connection = { ...connection, ...change };
    connectionListeners.forEach((notify) => notify());
  };

  const roomOf = (name: Room): WatchedRoom => {
    let room = rooms.get(name);
    if (!room) {
      room = {
        listeners: new Set(),
        loading: new Set(),
        followed: null,
        joined: false,
        loadedUnjoined: false,
        waiting: new Set(),
      };
      rooms.set(name, room);
    }
    return room;
  };

  /** Connected is what sends frames: not before every watched room has been joined. */
  const sayConnected = () => {
    if (socket?.connected && unanswered.size === 0 && connection.phase !== "connected")
      setConnection({ phase: "connected", since: now(), refusal: null });
  };

  const join = (name: Room) => {
    unanswered.add(name);
    socket?.emit("watch", name, (answer: WatchAnswer) => {
      unanswered.delete(name);
      const room = rooms.get(name);
      if (!room || room.listeners.size === 0 || !answer.ok) return sayConnected();
      const rejoined = room.followed !== null || room.loadedUnjoined;
      room.followed = { life: answer.life, seq: answer.seq };
      room.joined = true;
      room.loadedUnjoined = false;
      room.waiting.forEach((go) => go());
      room.waiting.clear();
      sayConnected();
      if (rejoined) room.listeners.forEach((listener) => listener.onMissed());
    });
  };

  const forgetIfUnused = (name: Room, room: WatchedRoom) => {
    if (room.listeners.size === 0 && room.loading.size === 0) rooms.delete(name);
  };

  /** No frames come from here on. */
  const setApart = () => {
    for (const room of rooms.values()) room.joined = false;
    if (connection.phase !== "reconnecting") setConnection({ phase: "reconnecting", since: now() });
  };

  /** Puts the next socket in the place of the one before. @returns that one */
  const takeOver = () => {
    const before = socket;
    [socket, next] = [next, null];
    setApart();
    return before;
  };

  const attach = (opened: LiveSocket) => {
    let tries = 0;
    const isOurs = () => opened === socket;
    opened.on("connect", () => {
      tries = 0;
      if (opened === next) takeOver()?.disconnect();
      unanswered.clear();
      for (const [name, room] of rooms) if (room.listeners.size > 0) join(name);
      sayConnected();
    });
    opened.on("disconnect", (reason) => {
      if (!isOurs()) return;
      // What was to take over has to be waited for now, and this one must not come back.
      if (next !== null) return void takeOver()?.disconnect();
      setApart();
      // Socket.IO tries again by itself unless the server said goodbye, as it does when it stops or sheds a slow browser.
      if (reason === "io server disconnect") opened.connect();
    });
    opened.on("connect_error", () => {
      // Socket.IO doesn't try again where the server took the connection and then couldn't tell whose it is.
      if (!opened.active)
        setTimeout(() => {
          if (isOurs() || opened === next) opened.connect();
        }, AGAIN_MS);
      if (!isOurs()) return;
      // Browsers don't tell pages why a socket was refused: a request that is let in or not by the same rule does.
      void askRefusal(++tries).then((refusal) => {
        if (!opened.connected && refusal !== connection.refusal) setConnection({ refusal });
      });
      setApart();
    });
    opened.on("leaving", (inMs) => {
      setTimeout(() => {
        if (isOurs() && next === null) attach((next = open()));
      }, inMs);
    });
    opened.on("pulse", () => {
      if (isOurs()) setConnection({ heardAt: now() });
    });
    opened.on("frame", (frame: Frame) => {
      if (!isOurs()) return;
      const room = rooms.get(frame.room);
      setConnection({ heardAt: now() });
      // Frames of a room that was just left, and watched again, are those of before.
      if (!room?.joined) return;
      const step = follow(room.followed, frame);
      room.followed = step.followed;
      if (!step.news) return;
      room.loading.forEach((frames) => frames.push(frame.data));
      room.listeners.forEach((listener) => listener.onFrame(frame.data));
      if (step.missed) room.listeners.forEach((listener) => listener.onMissed());
    });
  };

  return {
    watch(name, listener) {
      const room = roomOf(name);
      room.listeners.add(listener);
      if (room.listeners.size === 1 && socket?.connected) join(name);
      return () => {
        if (!room.listeners.delete(listener) || room.listeners.size > 0) return;
        if (socket?.connected) socket.emit("unwatch", name);
        unanswered.delete(name);
        sayConnected();
        room.joined = false;
        room.followed = null;
        room.loadedUnjoined = false;
        forgetIfUnused(name, room);
      };
    },
    async snapshot(name, load, apply) {
      const room = roomOf(name);
      if (!room.joined) {
        await new Promise<void>((go) => {
          const done = () => {
            clearTimeout(timer);
            room.waiting.delete(done);
            go();
          };
          const timer = setTimeout(done, JOIN_PATIENCE_MS);
          room.waiting.add(done);
        });
      }
      if (!room.joined) room.loadedUnjoined = true;
      const frames: FrameData[] = [];
      room.loading.add(frames);
      try {
        const state = await load();
        return frames.reduce(apply, state);
      } finally {
        room.loading.delete(frames);
        forgetIfUnused(name, room);
      }
    },
    connection: () => connection,
    onConnection(listener) {
      connectionListeners.add(listener);
      return () => connectionListeners.delete(listener);
    },
    start() {
      socket = open();
      attach(socket);
    },
    stop() {
      const both = [socket, next];
      socket = next = null;
      for (const one of both) one?.disconnect();
    },
  };
}
