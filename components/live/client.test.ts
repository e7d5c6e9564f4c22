import { describe, expect, it, vi } from "vitest";
import type { Frame, FrameData, Room, WatchAnswer } from "@/server/contracts/live";
import { createLiveClient, type LiveSocket } from "./client";

/** A socket driven by the test: it answers what the test tells it to, when it tells it to. */
function scripted() {
  const listeners = new Map<string, (argument: never) => void>();
  const watching: { room: Room; answer: (state: WatchAnswer) => void }[] = [];
  const unwatched: Room[] = [];
  let reconnects = 0;
  const socket = {
    connected: false,
    on: (event: string, listener: (argument: never) => void) => listeners.set(event, listener),
    emit: (event: string, room: Room, answer: (state: WatchAnswer) => void) =>
      event === "watch" ? watching.push({ room, answer }) : unwatched.push(room),
    connect: () => void reconnects++,
    disconnect: () => {
      socket.connected = false;
      fire("disconnect", "io client disconnect");
    },
  };
  const fire = (event: string, argument?: unknown) => listeners.get(event)?.(argument as never);
  return {
    socket: socket as unknown as LiveSocket,
    watching,
    unwatched,
    open() {
      socket.connected = true;
      fire("connect");
    },
    connect(life: string, seq: number) {
      this.open();
      this.answer(life, seq);
    },
    answer(life: string, seq: number) {
      for (const { answer } of watching.splice(0)) answer({ ok: true, life, seq });
    },
    reconnects: () => reconnects,
    drop(reason = "transport close") {
      socket.connected = false;
      fire("disconnect", reason);
    },
    leave: (inMs: number) => fire("leaving", inMs),
    frame(seq: number, life = "s", room: Room = "devices") {
      fire("frame", { room, life, seq, at: 0, data: data(seq) } satisfies Frame);
    },
  };
}

const data = (seq: number): FrameData => ({
  kind: "devices",
  devices: [{ id: String(seq), lastSeen: 0, messages: 0, points: {}, texts: {}, more: false }],
});
const number = (frame: FrameData) => (frame.kind === "devices" ? Number(frame.devices[0]?.id) : -1);

function listen() {
  const seen: number[] = [];
  let missed = 0;
  return {
    seen,
    missed: () => missed,
    listener: { onFrame: (frame: FrameData) => void seen.push(number(frame)), onMissed: () => void missed++ },
  };
}

describe("the live client", () => {
  it("connects again when the server said goodbye, which Socket.IO doesn't do by itself", () => {
    const server = scripted();
    const client = createLiveClient(() => server.socket);
    client.start();
    server.connect("s", 0);
    server.drop();
    expect(server.reconnects()).toBe(0);
    server.drop("io server disconnect");
    expect(server.reconnects()).toBe(1);
    expect(client.connection().phase).toBe("reconnecting");
  });

  it("goes to another server when it is told that this one leaves, at the moment it is told", () => {
    vi.useFakeTimers();
    try {
      const server = scripted();
      const client = createLiveClient(() => server.socket);
      client.start();
      server.connect("s", 0);
      server.leave(300);
      vi.advanceTimersByTime(299);
      expect([server.reconnects(), client.connection().phase]).toEqual([0, "connected"]);
      vi.advanceTimersByTime(1);
      expect([server.reconnects(), client.connection().phase]).toEqual([1, "reconnecting"]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("joins a room once for many watchers and leaves it with the last", () => {
    const server = scripted();
    const client = createLiveClient(() => server.socket);
    client.start();
    server.connect("s", 0);
    const one = client.watch("devices", listen().listener);
    const two = client.watch("devices", listen().listener);
    expect(server.watching).toHaveLength(1);
    one();
    one();
    expect(server.unwatched).toEqual([]);
    two();
    expect(server.unwatched).toEqual(["devices"]);
  });

  it("hands on frames in order, each once, and asks for a reload after a gap, going on with what came", () => {
    const server = scripted();
    const client = createLiveClient(() => server.socket);
    client.start();
    const ear = listen();
    client.watch("devices", ear.listener);
    server.connect("s", 3);
    for (const seq of [4, 5, 5, 4, 6]) server.frame(seq);
    expect(ear.seen).toEqual([4, 5, 6]);
    expect(ear.missed()).toBe(0);
    server.frame(8);
    server.frame(9);
    expect(ear.seen).toEqual([4, 5, 6, 8, 9]);
    expect(ear.missed()).toBe(1);
  });

  it("asks for a reload after a reconnect and after a restart of the server", () => {
    const server = scripted();
    const client = createLiveClient(() => server.socket);
    client.start();
    const ear = listen();
    client.watch("devices", ear.listener);
    server.connect("s", 3);
    server.drop();
    expect(client.connection().phase).toBe("reconnecting");
    server.connect("t", 0);
    expect(client.connection().phase).toBe("connected");
    expect(ear.missed()).toBe(1);
    server.frame(1, "t");
    server.frame(1, "u");
    expect(ear.seen).toEqual([1, 1]);
    expect(ear.missed()).toBe(2);
  });

  it("follows a room's next life from its own numbers, however far the one before had come", () => {
    const server = scripted();
    const client = createLiveClient(() => server.socket);
    client.start();
    const ear = listen();
    client.watch("device:d", ear.listener);
    server.connect("first", 0);
    for (let seq = 1; seq <= 500; seq++) server.frame(seq, "first", "device:d");
    // Two blips in a row, the second before the first join was answered.
    server.drop();
    server.connect("second", 0);
    server.drop();
    server.connect("third", 0);
    expect(ear.missed()).toBe(2);
    server.frame(1, "third", "device:d");
    expect(ear.seen.slice(-1)).toEqual([1]);
    expect(ear.missed()).toBe(2);
  });

  it("goes on in the same life when somebody else kept the room, and loads what came meanwhile", () => {
    const server = scripted();
    const client = createLiveClient(() => server.socket);
    client.start();
    const ear = listen();
    client.watch("device:d", ear.listener);
    server.connect("first", 7);
    server.drop();
    server.connect("first", 9);
    server.frame(10, "first", "device:d");
    expect([ear.seen, ear.missed()]).toEqual([[10], 1]);
  });

  it("says connected only when every watched room has been joined", () => {
    const server = scripted();
    const client = createLiveClient(() => server.socket);
    client.start();
    client.watch("devices", listen().listener);
    const leave = client.watch("health", listen().listener);
    server.open();
    expect(client.connection().phase).toBe("connecting");
    server.watching.shift()?.answer({ ok: true, life: "l", seq: 0 });
    expect(client.connection().phase).toBe("connecting");
    leave();
    expect(client.connection().phase).toBe("connected");
  });

  it("takes no frame of a room between leaving it and joining it again", () => {
    const server = scripted();
    const client = createLiveClient(() => server.socket);
    client.start();
    const before = client.watch("devices", listen().listener);
    server.connect("l", 5);
    before();
    const ear = listen();
    client.watch("devices", ear.listener);
    server.frame(6, "l");
    server.answer("m", 0);
    server.frame(1, "m");
    expect([ear.seen, ear.missed()]).toEqual([[1], 0]);
  });

  it("folds frames that came during loading into the snapshot", async () => {
    const server = scripted();
    const client = createLiveClient(() => server.socket);
    client.start();
    client.watch("devices", listen().listener);
    server.connect("s", 0);
    let deliver = (_: number[]) => {};
    const loading = client.snapshot<number[]>(
      "devices",
      () => new Promise((resolve) => (deliver = resolve)),
      (state, frame) => [...state, number(frame)],
    );
    server.frame(1);
    server.frame(2);
    deliver([0]);
    expect(await loading).toEqual([0, 1, 2]);
  });

  it("loads without a connection, and again once the room is joined", async () => {
    const server = scripted();
    const client = createLiveClient(() => server.socket);
    client.start();
    const ear = listen();
    client.watch("devices", ear.listener);
    expect(
      await client.snapshot(
        "devices",
        async () => 7,
        (state) => state,
      ),
    ).toBe(7);
    expect(ear.missed()).toBe(0);
    server.connect("s", 0);
    expect(ear.missed()).toBe(1);
  });
});
