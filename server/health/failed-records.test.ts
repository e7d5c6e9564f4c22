import { expect, test } from "vitest";
import type { DeadLetterFilter, KeptDeadLetter } from "@/server/ports/dead-letters";
import { failedRecordsProbe } from "./failed-records";

function probeWith(open: number) {
  const asked: DeadLetterFilter[] = [];
  const letter = { position: { log: "l", partition: 3, offset: 17 }, detail: "TypeError: x is not a function" };
  const probe = failedRecordsProbe({
    deadLetters: {
      count: async (filter) => {
        asked.push(filter);
        return { open, resending: 0, resent: 0, discarded: 0, refused: 0 };
      },
      find: async () => (open > 0 ? [letter as KeptDeadLetter] : []),
    },
  });
  return { probe, asked };
}

test("a message that made the worker fail is shown until it is settled, without the words it may hold", async () => {
  const { probe, asked } = probeWith(2);
  expect(await probe.run()).toMatchObject({
    status: "warn",
    summary: "2 messages made the worker fail; they are kept whole, and the others went on.",
    cause: "The newest is of partition 3 at 17; its error stands in its dead letter.",
  });
  expect(asked).toEqual([{ sites: "all", reason: "internalError", status: "open" }]);
});

test("none is good", async () => {
  expect(await probeWith(0).probe.run()).toMatchObject({ status: "pass" });
});
