import { expect, it, vi } from "vitest";
import { createTogether } from "./together";

it("runs all that one task hands over in one later task, in order, whatever one of them throws", () => {
  const tasks: (() => void)[] = [];
  const reported = vi.fn();
  vi.stubGlobal("reportError", reported);
  const together = createTogether((run) => tasks.push(run));
  const ran: string[] = [];
  together(() => ran.push("a"));
  together(() => {
    throw new Error("b");
  });
  together(() => {
    ran.push("c");
    together(() => ran.push("d"));
  });
  expect([ran.length, tasks.length]).toEqual([0, 1]);
  tasks.shift()!();
  expect(ran).toEqual(["a", "c"]);
  expect(reported).toHaveBeenCalledOnce();
  tasks.shift()!();
  expect(ran).toEqual(["a", "c", "d"]);
  vi.unstubAllGlobals();
});
