import { afterAll, beforeAll, describe } from "vitest";
import type { DeadLetters } from "@/server/ports/dead-letters";
import { createBench } from "./dead-letters/bench";
import { changingContract } from "./dead-letters/changing";
import { countingContract } from "./dead-letters/counting";
import { findingContract } from "./dead-letters/finding";
import { keepingContract } from "./dead-letters/keeping";
import type { DocumentStoreFixture } from "./message-archive.contract";

/** Defines the tests that every store of dead letters passes. */
export function deadLettersContract(
  name: string,
  createFixture: () => Promise<DocumentStoreFixture<DeadLetters>>,
): void {
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
