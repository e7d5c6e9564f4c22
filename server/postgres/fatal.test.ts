import { expect, test } from "vitest";
import { explainFatal } from "./fatal";
import { StartError } from "./start-error";

const withCode = (code: string) => Object.assign(new Error("told"), { code });

test("each end for good has its name, what PostgreSQL said, and what to do", () => {
  for (const code of ["42P01", "42501", "XX001"]) {
    const explained = explainFatal(withCode(code))!;
    expect(explained).toBeInstanceOf(StartError);
    expect(explained.why).toContain(`told (${code})`);
    expect(explained.fix).not.toBe("");
  }
  const known = new StartError("a", "b", "c");
  expect(explainFatal(known)).toBe(known);
  expect(explainFatal(withCode("23505"))).toBeUndefined();
  expect(explainFatal(new Error("told"))).toBeUndefined();
});
