import { createServer } from "node:net";
import { expect, test } from "vitest";
import { LogUnavailableError } from "@/server/ports/event-log";
import { DatabaseClient, DatabasePool, DatabaseUnavailableError } from "./client";
import { classOf, fatalCauseOf } from "./error-classes";
import { StartError } from "./start-error";

const withCode = (code: string, more: object = {}) => Object.assign(new Error("x"), { code, ...more });

test.each([
  ["retryable", ["08006", "57P01", "53100", "40001", "40P01", "55P03", "28P01", "3D000", "25006"]],
  ["retryable", ["ECONNREFUSED", "ECONNRESET", "EAI_AGAIN", "ETIMEDOUT"]],
  ["fatal", ["42P01", "42703", "3F000", "42501", "XX001", "XX002"]],
  ["unhandled", ["23505", "22P02", "22003", "42601", "22021", "54000", "XX000", "ERR_INVALID_ARG_TYPE", "ENOENT"]],
] as const)("%s: %s", (kind, codes) => {
  expect(codes.map((code) => [code, classOf(withCode(code))])).toEqual(codes.map((code) => [code, kind]));
});

test("an error without a code is what its class says, whatever its words", () => {
  expect(classOf(new LogUnavailableError("x"))).toBe("retryable");
  expect(classOf(new StartError("a", "b", "c"))).toBe("fatal");
  for (const words of ["Connection terminated", "Query read timeout", "ECONNREFUSED"])
    expect(classOf(new Error(words))).toBe("unhandled");
  for (const other of [new TypeError("x"), new RangeError("x"), "x", null, undefined, { code: "08006" }])
    expect(classOf(other)).toBe("unhandled");
});

test("several at once are an outage only if each of them is", () => {
  expect(classOf(new AggregateError([withCode("ECONNREFUSED"), withCode("ECONNRESET")]))).toBe("retryable");
  expect(classOf(new AggregateError([withCode("ECONNREFUSED"), new Error("x")]))).toBe("unhandled");
  expect(classOf(new AggregateError([]))).toBe("unhandled");
});

test("a socket that isn't there yet is an outage, a file that isn't there is not", () => {
  expect(classOf(withCode("ENOENT", { syscall: "connect" }))).toBe("retryable");
  expect(classOf(withCode("ENOENT", { syscall: "open" }))).toBe("unhandled");
});

test("a fatal one has a cause", () => {
  expect(fatalCauseOf(withCode("42P01"))).toBe("schema");
  expect(fatalCauseOf(withCode("42501"))).toBe("rights");
  expect(fatalCauseOf(withCode("XX001"))).toBe("damage");
  expect(fatalCauseOf(withCode("23505"))).toBeUndefined();
  expect(fatalCauseOf("42P01")).toBeUndefined();
});

test("nothing there: refused by a code", async () => {
  const pool = new DatabasePool({ host: "127.0.0.1", port: 1, connectionTimeoutMillis: 1000 });
  expect(classOf(await pool.query("SELECT 1").catch((caught: unknown) => caught))).toBe("retryable");
  await pool.end();
});

test("what pg tells without a code has a class: a server that hangs up, and one that says nothing", async () => {
  const sockets = new Set<{ destroy(): void }>();
  let hangsUp = true;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    if (hangsUp) socket.once("data", () => socket.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const to = { host: "127.0.0.1", port, user: "x", database: "x", connectionTimeoutMillis: 300 };
  const failures: unknown[] = [];
  for (hangsUp of [true, false]) {
    const pool = new DatabasePool(to);
    const client = new DatabaseClient(to);
    client.on("error", () => {});
    for (const work of [() => pool.query("SELECT 1"), () => pool.connect(), () => client.connect()])
      failures.push(await work().catch((caught: unknown) => caught));
    await pool.end();
  }
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  expect(failures).toHaveLength(6);
  for (const failure of failures) expect(failure).toBeInstanceOf(DatabaseUnavailableError);
});
