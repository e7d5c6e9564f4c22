import pg from "pg";
import { expect, test } from "vitest";
import { LogUnavailableError } from "@/server/ports/event-log";
import { isOutage } from "./outage";

const withCode = (code: string) => Object.assign(new Error("x"), { code });

test.each(["08006", "57P01", "53100", "40001", "40P01", "55P03", "ECONNREFUSED", "ECONNRESET", "EAI_AGAIN"])(
  "%s is an outage",
  (code) => {
    expect(isOutage(withCode(code))).toBe(true);
  },
);

test.each(["23505", "22P02", "42P01", "42601", "22021", "ERR_INVALID_ARG_TYPE"])("%s is not", (code) => {
  expect(isOutage(withCode(code))).toBe(false);
});

test("what has no code: a lost connection is an outage, a bug is not", async () => {
  expect(isOutage(new LogUnavailableError("x"))).toBe(true);
  expect(isOutage(new TypeError("x"))).toBe(false);
  expect(isOutage("x")).toBe(false);
  const pool = new pg.Pool({ host: "127.0.0.1", port: 1, connectionTimeoutMillis: 1000 });
  const error: unknown = await pool.query("SELECT 1").catch((caught: unknown) => caught);
  expect(isOutage(error)).toBe(true);
  await pool.end();
});
