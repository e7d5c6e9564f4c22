import { expect, test } from "vitest";
import { meanWithoutDust, withoutDust } from "./dust";

test.each([
  [16.040000000000003, 16.04],
  [0.1 + 0.2, 0.3],
  [214_224.00499999998, 214_224.005],
  [-2.9999999999999996, -3],
  [1.7000000000000002e300, 1.7e300],
])("takes the dust off %s", (value, clean) => expect(withoutDust(value)).toBe(clean));

test.each([0, 21.3, 0.004532068199369834, 1 / 3, Math.PI, 9_007_199_254_740_991, 5e-324, Number.MAX_VALUE])(
  "leaves %s as it was sent",
  (value) => expect(withoutDust(value)).toBe(value),
);

test("leaves a mean among the readings it is of, where these have dust as they were sent", () => {
  const sent = 0.1 + 0.2;
  expect(meanWithoutDust({ mean: sent, min: sent, max: sent })).toBe(sent);
  expect(meanWithoutDust({ mean: 16.040000000000003, min: 16, max: 16.08 })).toBe(16.04);
});
