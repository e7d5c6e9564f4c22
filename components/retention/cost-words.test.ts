import { expect, test } from "vitest";
import { formatMoney, leverWords, unknownWords } from "./cost-words";

test("money has the digits it needs", () => {
  expect([0, 0.001, 0.4, 12.345, 1240.4].map((amount) => formatMoney(amount, "EUR"))).toEqual([
    ...["€0.00", "less than €0.01", "€0.40", "€12.35", "€1,240"],
  ]);
});

test("what can't be told yet is said so", () => {
  const stores = [{ perMessage: 7 }, { perMessage: null }] as never;
  expect(unknownWords({ messagesPerDay: null, stores })).toMatch(/^It is too early to tell/);
  expect(unknownWords({ messagesPerDay: 7, stores })).toMatch(/^Where too little is there yet/);
  expect(unknownWords({ messagesPerDay: 7, stores: [] })).toBeNull();
});

test("a lever says what machine would do", () => {
  const machine = { vcpus: 8, memoryGiB: 32, load: 0.3, neededVcpus: 1, neededMemoryGiB: 3 };
  expect(leverWords("rightSize", { machine }).what).toBe("A machine with 1 processor and 3 GiB");
});
