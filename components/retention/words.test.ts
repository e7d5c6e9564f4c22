import { expect, test } from "vitest";
import { bytesWords, keptWords } from "./words";

test("how long, and how much", () => {
  expect([null, 1, 90, 365, 730, 400].map(keptWords)).toEqual([
    ...["for ever", "1 day", "90 days", "1 year", "2 years", "400 days"],
  ]);
  expect([0, 999, 1000, 8192, 1_500_000_000].map(bytesWords)).toEqual([
    { figure: "0", unit: "B" },
    { figure: "999", unit: "B" },
    { figure: "0.977", unit: "KiB" },
    { figure: "8", unit: "KiB" },
    { figure: "1.4", unit: "GiB" },
  ]);
});
