import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pause, until } from "../waiting";
import { type Proxy, startProxy } from "./proxy";

let echo: Server;
let proxy: Proxy;
beforeEach(async () => {
  echo = createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  proxy = await startProxy();
  proxy.aim((echo.address() as { port: number }).port);
});
afterEach(async () => {
  await proxy.close();
  await new Promise((resolve) => echo.close(resolve));
});

/** A client that keeps what it gets. */
async function client(): Promise<{ socket: Socket; got: () => number; text: () => string; closed: () => boolean }> {
  const socket = connect(proxy.port, "127.0.0.1");
  const parts: Buffer[] = [];
  let closed = false;
  socket.on("data", (part: Buffer) => parts.push(part));
  socket.on("error", () => {});
  socket.on("close", () => (closed = true));
  await new Promise<void>((resolve) => socket.once("connect", resolve).once("close", () => resolve()));
  const text = () => Buffer.concat(parts).toString();
  return { socket, text, got: () => text().length, closed: () => closed };
}

const wait = (condition: () => boolean, what: string) => until(condition, { timeoutMs: 10_000, everyMs: 5, what });

test("passes everything in order, more than it holds at once too, and closes with the other side", async () => {
  const { socket, text, got, closed } = await client();
  const sent = Array.from({ length: 200_000 }, (_, i) => `${i}\n`).join("");
  socket.write(sent);
  await wait(() => got() === sent.length, "all to come back");
  expect(text()).toBe(sent);
  socket.end();
  await wait(closed, "the connection to close");
});

test("cut resets what is there and what comes, until mended", async () => {
  const before = await client();
  proxy.cut();
  await wait(before.closed, "the connection to be reset");
  const during = await client();
  await wait(during.closed, "a new connection to be reset");
  proxy.mend();
  const after = await client();
  after.socket.write("again");
  await wait(() => after.text() === "again", "an echo");
  after.socket.destroy();
});

test("stalled connections stay open and silent, and deliver all of it when mended", async () => {
  const { socket, text, closed } = await client();
  proxy.stall();
  socket.write("held");
  await pause(200);
  expect([text(), closed()]).toEqual(["", false]);
  proxy.mend();
  await wait(() => text() === "held", "what was held");
  socket.destroy();
});

test("slow is late both ways, and no faster than its rate", async () => {
  const { socket, text, got } = await client();
  proxy.slow({ latencyMs: 100, bytesPerSecond: Infinity });
  let began = performance.now();
  socket.write("x");
  await wait(() => text() === "x", "an echo");
  expect(performance.now() - began).toBeGreaterThan(195);
  proxy.slow({ latencyMs: 0, bytesPerSecond: 100_000 });
  began = performance.now();
  socket.write("y".repeat(50_000));
  await wait(() => got() === 50_001, "all of it");
  expect(performance.now() - began).toBeGreaterThan(490);
  socket.destroy();
});
