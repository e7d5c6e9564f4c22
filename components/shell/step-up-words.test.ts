import { expect, test } from "vitest";
import { secretOf } from "./step-up-words";

test("a link may be pasted whole, or what stands behind #k= alone", () => {
  for (const pasted of ["http://localhost:3000/sign-in#k=a-B_9", " a-B_9\n", "open https://x.example/sign-in#k=a-B_9 "])
    expect(secretOf(pasted)).toBe("a-B_9");
});
