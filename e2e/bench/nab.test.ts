import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { main } from "./nab";

const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-nab-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BEGIN = Date.UTC(2014, 0, 1);
const timeText = (i: number) => new Date(BEGIN + i * 300_000).toISOString().slice(0, 19).replace("T", " ");

/** A file of NAB: two weeks of a day's wave, with a jump where there is one. */
function addFile(name: string, jumpAt: number | null): void {
  const rows = Array.from({ length: 4032 }, (_, i) => {
    const value = 20 + 8 * Math.sin((2 * Math.PI * i) / 288) + Math.sin(i * i);
    return `${timeText(i)},${value + (jumpAt !== null && i >= jumpAt && i < jumpAt + 5 ? 30 : 0)}`;
  });
  mkdirSync(path.dirname(path.join(folder, "data", name)), { recursive: true });
  writeFileSync(path.join(folder, "data", name), `timestamp,value\n${rows.join("\r\n")}\r\n`);
}

test("scores what is there of a checkout of NAB, in its folders and by its labels", async () => {
  addFile("realTweets/found.csv", 3000);
  addFile("artificialNoAnomaly/none.csv", null);
  mkdirSync(path.join(folder, "labels"));
  const window = [2950, 3050].map((i) => `${timeText(i)}.000000`);
  writeFileSync(
    path.join(folder, "labels/combined_windows.json"),
    JSON.stringify({
      "realTweets/found.csv": [window],
      "artificialNoAnomaly/none.csv": [],
      "realAWSCloudWatch/absent.csv": [window],
    }),
  );
  const said: string[] = [];
  vi.spyOn(console, "log").mockImplementation((text: string) => void said.push(text));
  expect(await main(["--data", folder, "--threshold", "1.5"])).toBe(0);
  vi.restoreAllMocks();
  const text = said.join("\n");
  expect(text).toMatch(/realTweets\/found\.csv \| +1 \| +1 \| +0/);
  expect(text).toMatch(/artificialNoAnomaly\/none\.csv \| +0 \| +0 \| +0/);
  expect(text).toContain("2 files of 3");
  // The middle of the window: a little less than the most there is.
  expect(Number(/standard: ([\d.]+)/.exec(text)![1])).toBeGreaterThan(90);
});
