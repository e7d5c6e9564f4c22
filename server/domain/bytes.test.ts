import { expect, test } from "vitest";
import { formatBytes } from "./bytes";

test("bytes have the digits that say something", () => {
  expect([0, 1.5, 999, 1000, 2000, 8192, 1_500_000_000, 536_870_912, 2 ** 63].map(formatBytes)).toEqual([
    ...["0 B", "1.5 B", "999 B", "0.977 KiB", "1.95 KiB", "8 KiB", "1.4 GiB", "512 MiB", "8192 PiB"],
  ]);
});
