import { afterAll, beforeAll, describe } from "vitest";
import { createBench, type DeadLettersFixture } from "./dead-letters/bench";
import { changingContract } from "./dead-letters/changing";
import { countingContract } from "./dead-letters/counting";
import { findingContract } from "./dead-letters/finding";
import { keepingContract } from "./dead-letters/keeping";

/** Defines the tests that every store of dead letters passes. */
export function deadLettersContract(name: string, createFixture: () => Promise<DeadLettersFixture>): void {
  describe(`dead letters: ${name}`, () => {
    const bench = createBench(createFixture);
    beforeAll(() => bench.setUp());
    afterAll(() => bench.tearDown());
    keepingContract(bench);
    findingContract(bench);
    changingContract(bench);
    countingContract(bench);
  });
}
