import { afterEach, expect, test, vi } from "vitest";
import { createLogger, type LogFormat } from "./logger";
import { inContext } from "./logs/context";
import { LOG_FIELDS } from "./logs/fields";

function lines(format: LogFormat, level = "info") {
  const written: Record<string, unknown>[] = [];
  const to = { write: (line: string) => void written.push(JSON.parse(line) as Record<string, unknown>) };
  return { written, logger: createLogger({ role: "web", level, format, to }) };
}

const CONTEXT = { request_id: "r-1", trace_id: "a".repeat(32), span_id: "b".repeat(16) };
const TYPES = { text: "string", number: "number", time: "string", object: "object" } as const;

/** An error as pg throws them, with everything that it knows of the row. */
const refused = () =>
  Object.assign(new Error('invalid input syntax for type integer: "very private"'), {
    ...{ name: "error", code: "22P02", detail: "Failing row contains (very private).", where: "very private" },
    ...{ query: "INSERT INTO t VALUES ('very private')", parameters: ["very private"] },
  });

/** The fields of a line by their names in the table: those of an error are one level below. */
function flat({ error, ...others }: Record<string, unknown>) {
  const inError = Object.entries((error as object | undefined) ?? {}).map(([name, value]) => [`error.${name}`, value]);
  return { ...others, ...(Object.fromEntries(inError) as object) } as Record<string, unknown>;
}

afterEach(() => void vi.useRealTimers());

test("a line has the fields of the table and none else, each of its type; ECS has all of them by its names", () => {
  const write = (format: LogFormat) => {
    const { written, logger } = lines(format);
    inContext(CONTEXT, () => logger.warn({ err: refused(), repeats: 3, topic: "t", count: 2 }, "told"));
    return written[0]!;
  };
  const line = flat(write("json"));
  expect(Object.keys(line).sort()).toEqual(Object.keys(LOG_FIELDS).sort());
  for (const [name, { type }] of Object.entries(LOG_FIELDS))
    expect([name, typeof line[name]]).toEqual([name, TYPES[type]]);
  expect(line).toMatchObject({
    ...CONTEXT,
    level: "warn",
    msg: "told",
    "error.code": "22P02",
    details: { topic: "t" },
  });
  expect(new Date(line.time as string).toISOString()).toBe(line.time);

  const ecs = write("ecs");
  const common = { "ecs.version": "8.11.0", "service.name": "fieldwatch" };
  expect(ecs).toMatchObject(common);
  expect(Object.keys(ecs).sort()).toEqual(
    [...Object.keys(common), ...Object.values(LOG_FIELDS).map((field) => field.ecs)].sort(),
  );
  for (const [name, field] of Object.entries(LOG_FIELDS)) {
    if (!["time", "role", "error.stack"].includes(name)) expect([name, ecs[field.ecs]]).toEqual([name, line[name]]);
  }
});

test("of an error it tells class, code, message and place, never what was written or read", () => {
  const { written, logger } = lines("json");
  const unreadable = () => {
    try {
      JSON.parse('{"temperature": very private}');
    } catch (error) {
      return error;
    }
  };
  logger.error({ err: refused() }, "one");
  logger.error({ err: new Error("around", { cause: refused() }) }, "two");
  logger.error({ err: unreadable() }, "three");
  logger.error({ err: "thrown as text" }, "four");
  expect(JSON.stringify(written)).not.toContain("private");
  const errors = written.map(({ error }) => error as { message: string; stack?: string });
  expect(errors[0]!.message).toBe("invalid input syntax for type integer: …");
  expect(errors[0]!.stack).toMatch(/^error\n {4}at refused/);
  expect(errors[1]).toMatchObject({ message: expect.stringContaining("around: because of invalid input syntax") });
  expect(errors[3]).toMatchObject({ type: "string", message: "thrown as text" });
});

test("lines that say the same are written ten times a minute, then counted; others and debug lines aren't", () => {
  vi.useFakeTimers();
  const { written, logger } = lines("json", "debug");
  const messages = () => written.splice(0).map(({ msg }) => msg);
  for (let i = 0; i < 128; i++) logger.warn({ i }, "an engine is away");
  for (let i = 0; i < 12; i++) logger.debug("batch committed");
  logger.warn({ err: Object.assign(new Error("x"), { code: "ECONNREFUSED" }) }, "an engine is away");
  expect(messages()).toEqual([
    ...Array<string>(10).fill("an engine is away"),
    ...Array<string>(12).fill("batch committed"),
    "an engine is away",
  ]);
  vi.advanceTimersByTime(60_000);
  const [told, ...more] = written;
  expect(more).toEqual([]);
  expect(told).toMatchObject({ msg: "an engine is away … 118 more like this", repeats: 118, details: { i: 127 } });
  written.length = 0;
  logger.warn("an engine is away");
  expect(messages()).toEqual(["an engine is away"]);
});

test("a thousand kinds of lines don't grow what is remembered, and none is lost", () => {
  const { written, logger } = lines("json");
  for (let kind = 0; kind < 1000; kind++) for (let i = 0; i < 11; i++) logger.info(`kind ${kind}`);
  const told = written.reduce((sum, { repeats }) => sum + (typeof repeats === "number" ? repeats : 1), 0);
  // What is still held is of the kinds that are still remembered.
  expect(told).toBe(1000 * 11 - 500);
});
