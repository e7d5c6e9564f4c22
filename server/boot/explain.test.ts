import { expect, test } from "vitest";
import { ConfigError, loadConfig } from "@/server/config/config";
import { explain, formatStartError } from "./explain";

const DATABASE_URL = "postgresql://ana:hunter2@db.example:6000/plant";
const config = loadConfig({ DATABASE_URL, PORT: "3000" }, "");
const failure = (code: string, more: object = {}) => Object.assign(new Error(`failed with ${code}`), { code, ...more });

test.each([
  ["ECONNREFUSED", "Nothing listens on db.example:6000"],
  ["ENOTFOUND", "The host db.example isn't known"],
  ["ETIMEDOUT", "db.example:6000 doesn't answer"],
  ["28P01", "refuses the user ana"],
  ["3D000", 'has no database "plant"'],
  ["42501", "may not make tables"],
  ["53300", "has no connection left"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "isn't trusted"],
])("%s of DATABASE_URL is put into words, without the password", (code, why) => {
  const text = formatStartError(explain(failure(code), config)!);
  expect(text).toContain(why);
  expect(text).toContain("How to fix it");
  expect(text).not.toContain("hunter2");
  expect(text.split("\n").length).toBeLessThan(20);
});

test.each([
  ["EADDRINUSE", "PORT=3001 npm start"],
  ["EACCES", "PORT=3000 npm start"],
  ["EADDRNOTAVAIL", "HOST"],
])("%s of the port says what to do", (code, fix) => {
  expect(explain(failure(code, { syscall: "listen" }), config)!.fix).toContain(fix);
});

test("a refused configuration names every variable", () => {
  const error = new ConfigError([
    { variable: "PORT", problem: "must be a whole number", example: "3000" },
    { variable: "HOST", problem: "must not be empty", example: "127.0.0.1" },
  ]);
  const text = formatStartError(explain(error)!);
  expect(text).toContain("PORT: must be a whole number");
  expect(text).toContain("HOST: must not be empty");
});

test("a bug is not explained away", () => {
  expect(explain(new TypeError("x is not a function"), config)).toBeUndefined();
  expect(explain(failure("42P01"), config)).toBeUndefined();
});
