import { afterAll, beforeAll, describe } from "vitest";
import { createBench, type EventLogFixture } from "./event-log/bench";
import { consumerContract } from "./event-log/consumer";
import { groupsContract } from "./event-log/groups";
import { outagesContract } from "./event-log/outages";
import { recordsContract } from "./event-log/records";

export type { EventLogFixture, OpenLog } from "./event-log/bench";

const TEST_MS = 60_000;

/** Defines the tests that every event log passes. */
export function eventLogContract(name: string, createFixture: () => Promise<EventLogFixture>): void {
  describe(`event log: ${name}`, { timeout: TEST_MS }, () => {
    const bench = createBench(createFixture);
    beforeAll(() => bench.setUp(), TEST_MS);
    afterAll(() => bench.tearDown(), TEST_MS);
    recordsContract(bench);
    consumerContract(bench);
    groupsContract(bench);
    outagesContract(bench);
  });
}
