import fc from "fast-check";
import { expect, test } from "vitest";
import { IdSet } from "./id-set";

test("it holds what was added, in whatever order", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 })), (ids) => {
      const [set, model] = [new IdSet(), new Set<number>()];
      for (const id of ids) {
        expect(set.add(id)).toBe(!model.has(id));
        model.add(id);
      }
      for (let id = -1; id <= 41; id++) expect([id, set.has(id)]).toEqual([id, model.has(id)]);
    }),
  );
});
