/** Collects the checks of one drill: prints each, and counts. */
export interface Checks {
  equal(what: string, found: unknown, wanted: unknown): void;
  that(what: string, holds: boolean, found?: string): void;
  /** Failures so far. */
  readonly failed: readonly string[];
  /** Prints the sum; the exit code. */
  finish(): number;
}

export function createChecks(drill: string): Checks {
  let passed = 0;
  const failed: string[] = [];
  const note = (what: string, holds: boolean, found: string) => {
    if (holds) passed++;
    else failed.push(what);
    console.log(`${holds ? "  ok  " : "  FAIL"} ${what}${found === "" ? "" : `: ${found}`}`);
  };
  return {
    equal(what, found, wanted) {
      const same = JSON.stringify(found) === JSON.stringify(wanted);
      note(
        what,
        same,
        same ? JSON.stringify(found).slice(0, 120) : `${JSON.stringify(found)}, expected ${JSON.stringify(wanted)}`,
      );
    },
    failed,
    that: (what, holds, found = "") => note(what, holds, found),
    finish() {
      console.log(`${drill}: ${passed} passed, ${failed.length} failed`);
      return failed.length === 0 && passed > 0 ? 0 : 1;
    },
  };
}
