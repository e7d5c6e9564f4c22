import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
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
    active: true,
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
    fail: () => fire("connect_error"),
    refuse() {
      socket.active = false;
      this.fail();
    },
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

  it("tries again when the server took the connection and then refused it, which Socket.IO doesn't do by itself", () => {
    vi.useFakeTimers();
    try {
      const server = scripted();
      const client = createLiveClient(() => server.socket);
      client.start();
      server.fail();
      vi.advanceTimersByTime(10_000);
      expect(server.reconnects()).toBe(0);
      server.refuse();
      vi.advanceTimersByTime(1000);
      expect(server.reconnects()).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });

  describe("told that its server leaves", () => {
    const toldToLeave = () => {
      const [one, two] = [scripted(), scripted()];
      const sockets = [one.socket, two.socket];
      const client = createLiveClient(() => sockets.shift()!);
      const ear = listen();
      client.watch("devices", ear.listener);
      client.start();
      one.connect("s", 0);
      one.leave(300);
      vi.advanceTimersByTime(300);
      return { one, two, client, ear };
    };
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it("opens a connection to another at the moment it is told, and leaves the first once that is there", () => {
      const { one, two, client, ear } = toldToLeave();
      one.leave(0);
      vi.advanceTimersByTime(0);
      two.fail();
      one.frame(1);
      expect([client.connection().phase, ear.seen, one.socket.connected]).toEqual(["connected", [1], true]);
      two.open();
      expect([client.connection().phase, one.socket.connected]).toEqual(["reconnecting", false]);
      two.answer("t", 4);
      one.frame(2);
      two.frame(5, "t");
      expect([client.connection().phase, ear.seen, ear.missed()]).toEqual(["connected", [1, 5], 1]);
      expect(one.reconnects()).toBe(0);
    });

    it("waits for the other when the first ends before that is there, and doesn't come back", () => {
      const { one, two, client, ear } = toldToLeave();
      one.drop("io server disconnect");
      expect([client.connection().phase, one.reconnects()]).toEqual(["reconnecting", 0]);
      two.connect("t", 0);
      two.frame(1, "t");
      expect([client.connection().phase, ear.seen, ear.missed()]).toEqual(["connected", [1], 1]);
      client.stop();
      expect(two.socket.connected).toBe(false);
    });
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
