import { expect, test } from "vitest";
import type { PartitionState } from "@/server/ports/event-log";
import { askedPatiently, progressOf } from "./pipeline-state";

const now = 100_000;
const partition = (more: Partial<PartitionState>): PartitionState => ({
  ...{ partition: 0, start: 0, end: 10, committed: 4, oldestWaiting: 70_000, owner: null },
  readableEnd: more.end ?? 10,
  ...more,
});
const progress = (
  state: Partial<PartitionState>,
  next: number | null,
  { cluster = "here", topicId = "1" }: { cluster?: string; topicId?: string | null } = {},
) =>
  progressOf(
    { cluster: "here", topic: "t", topicId: "1", members: 1, partitions: [partition(state)] },
    next === null ? [] : [{ cluster, partition: 0, next, topicId, lastBreak: null, waiting: null }],
    now,
  )[0];

test("the position in PostgreSQL is what was handled; the log's is only a hint", () => {
  expect(progress({}, 7)).toMatchObject({ committed: 7, lag: 3, lagSeconds: 30 });
  expect(progress({}, 10)).toMatchObject({ committed: 10, lag: 0, lagSeconds: 0 });
  expect(progress({}, null)).toMatchObject({ committed: 4, lag: 6 });
  // Handled between the two looks: the log knows it already.
  expect(progress({ committed: 10, oldestWaiting: null }, 7)).toMatchObject({ committed: 10, lag: 0, lagSeconds: 0 });
  expect(progress({}, 7, { cluster: "elsewhere" })).toMatchObject({ committed: 4, lag: 6 });
});

test("nothing handled yet, expired, or made anew: all that is held waits", () => {
  expect(progress({ committed: null, start: 2 }, null)).toMatchObject({ committed: null, lag: 8 });
  expect(progress({ start: 8 }, 5)).toMatchObject({ lag: 2 });
  expect(progress({ end: 3 }, 9)).toMatchObject({ lag: 3 });
  expect(progress({ committed: 7 }, 7, { topicId: "another" })).toMatchObject({ lag: 10 });
  expect(progress({}, 7, { topicId: null })).toMatchObject({ lag: 3 });
});

test("what is behind an open transaction waits, and is told apart", () => {
  expect(progress({ readableEnd: 7 }, 7)).toMatchObject({ lag: 3, held: 3, lagSeconds: 30 });
  expect(progress({ readableEnd: 8 }, 5)).toMatchObject({ lag: 5, held: 2 });
  expect(progress({ readableEnd: 8 }, 10)).toMatchObject({ lag: 0, held: 0 });
  expect(progress({}, 5)).toMatchObject({ lag: 5, held: 0 });
});

test("an age that isn't known is null, never 0", () => {
  expect(progress({ oldestWaiting: null }, 7)).toMatchObject({ lag: 3, lagSeconds: null });
});

test("a log that hangs holds up an answer once, and not again until it has answered", async () => {
  const hangs = () => new Promise<string>(() => undefined);
  let log: () => Promise<string> = () => Promise.reject(new Error("away"));
  const errors: unknown[] = [];
  const ask = askedPatiently(
    () => log(),
    (error) => errors.push(error),
  );
  expect(await ask()).toBeNull();
  expect(errors).toHaveLength(1);
  log = hangs;
  expect(await ask()).toBeNull();
  log = () => Promise.resolve("topic");
  expect(await ask()).toBe("topic");
  // Well again, it is waited for: only a failure of its own ends that.
  let fail: (error: Error) => void = () => undefined;
  log = () => new Promise((_, reject) => (fail = reject));
  const asked = ask();
  fail(new Error("too late"));
  expect(await asked).toBeNull();
  expect(errors).toHaveLength(2);
});
