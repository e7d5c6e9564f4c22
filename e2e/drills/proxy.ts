import { createServer, type Socket, connect } from "node:net";
import { pause } from "../waiting";

/** A TCP proxy between the product and an engine, which can do what networks do to connections. */
export interface Proxy {
  readonly port: number;
  /** Target of new connections from now on. */
  aim(port: number): void;
  /** Resets every connection, and every new one until `mend`. */
  cut(): void;
  /** Ends every connection that is open, as happens when the engine's process is killed; new ones pass. */
  end(): void;
  /** Keeps connections open, new ones too, and passes nothing until `mend`. */
  stall(): void;
  /** Passes everything late, and no more than so much a second on each connection and direction. */
  slow(how: Slowness): void;
  /** Passes at once what was held back, and everything after it. */
  mend(): void;
  /** Bytes passed so far, both directions. */
  passed(): number;
  close(): Promise<void>;
}

export interface Slowness {
  readonly latencyMs: number;
  /** Infinity leaves the rate alone. */
  readonly bytesPerSecond: number;
}

type Condition = "open" | "cut" | "stalled" | Slowness;

/** Bytes that one direction of one connection may hold; past that the sender has to wait, as on a real network. */
const HELD_BYTES = 256 * 1024;

/** Starts a proxy on a free port of this machine. */
export async function startProxy(): Promise<Proxy> {
  let target = 0;
  let condition: Condition = "open";
  let changed = signal();
  let passed = 0;
  const sockets = new Set<Socket>();

  function become(next: Condition): void {
    condition = next;
    changed.resolve();
    changed = signal();
  }

  /** Waits until a chunk that came at `arrived` may go on. */
  async function held(arrived: number, bytes: number): Promise<void> {
    for (;;) {
      if (condition === "open" || condition === "cut") return;
      if (condition === "stalled") {
        await changed.promise;
        continue;
      }
      const due = arrived + condition.latencyMs - performance.now();
      const sending = (bytes / condition.bytesPerSecond) * 1000;
      const told = await Promise.race([changed.promise.then(() => "changed"), pause(Math.max(0, due) + sending)]);
      if (told !== "changed") return;
    }
  }

  function forward(from: Socket, to: Socket): void {
    const waiting: { chunk: Buffer; arrived: number }[] = [];
    let bytes = 0;
    let ended = false;
    let running = false;
    const run = async () => {
      if (running) return;
      running = true;
      for (let next = waiting[0]; next; next = waiting[0]) {
        await held(next.arrived, next.chunk.byteLength);
        if (to.destroyed) return;
        waiting.shift();
        bytes -= next.chunk.byteLength;
        passed += next.chunk.byteLength;
        if (!to.write(next.chunk))
          await new Promise<void>((resolve) => void to.once("drain", resolve).once("close", resolve));
        if (bytes < HELD_BYTES) from.resume();
      }
      running = false;
      if (ended) to.end();
    };
    from.on("data", (chunk: Buffer) => {
      waiting.push({ chunk, arrived: performance.now() });
      bytes += chunk.byteLength;
      if (bytes >= HELD_BYTES) from.pause();
      void run();
    });
    from.on("end", () => {
      ended = true;
      void run();
    });
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on("error", () => {}); // Its close says it.
    if (condition === "cut") return void client.resetAndDestroy();
    const engine = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    engine.on("error", () => {});
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      sockets.add(one);
      one.once("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      forward(one, other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };

  return {
    port,
    aim: (to) => (target = to),
    cut() {
      become("cut");
      for (const socket of sockets) socket.resetAndDestroy();
    },
    end() {
      for (const socket of sockets) socket.destroy();
    },
    stall: () => become("stalled"),
    slow: (how) => become(how),
    mend: () => become("open"),
    passed: () => passed,
    async close() {
      become("cut");
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function signal(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
