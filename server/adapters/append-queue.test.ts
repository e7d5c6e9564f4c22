import { expect, test } from "vitest";
import { LogUnavailableError } from "@/server/ports/event-log";
import { type AppendCall, createAppender } from "./append-queue";

test("what waits longer than it may is rejected and never written; the others are", async () => {
  const written: AppendCall[] = [];
  let go = () => {};
  const slow = new Promise<void>((resolve) => (go = resolve));
  const appender = createAppender(
    () => async (calls) => {
      await slow;
      written.push(...calls);
    },
    { records: 100, bytes: 1e6 },
  );
  const call = (value: string) => [{ key: null, value: Buffer.from(value) }];
  const first = appender.append("t", call("first"));
  const before = Date.now() + 20;
  const late = appender.append("t", call("late"), before);
  const other = appender.append("t", call("other"), before + 60_000);
  late.catch(() => undefined);
  while (Date.now() <= before) await new Promise((resolve) => setTimeout(resolve, 5));
  go();
  await expect(late).rejects.toThrow(LogUnavailableError);
  await Promise.all([first, other]);
  await expect(appender.append("t", call("too late"), Date.now() - 1)).rejects.toThrow(LogUnavailableError);
  await appender.idle();
  expect(written.map(([record]) => Buffer.from(record!.value).toString())).toEqual(["first", "other"]);
});
