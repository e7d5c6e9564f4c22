import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { readRecording } from "./recording";

test("counts distinct readings, and keeps the latest and of equal times the first", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "recording-"));
  const file = path.join(folder, "a.ndjson");
  const line = (device: string, ts: number, t: number) => JSON.stringify({ device, ts, data: { t, m: t > 2 } });
  writeFileSync(
    file,
    [line("a", 10.5, 1), line("a", 12, 2), line("a", 12, 3), "", line("b", 1, 4), line("a", 11, 5)].join("\n"),
  );
  const { twins, ...counts } = readRecording(file);
  expect(counts).toEqual({ file, messages: 5, fields: 10, readings: 8, perMessage: 2, devices: 2 });
  expect(twins.get("a")?.get("t")).toEqual({ value: 2, time: 12_000 });
  rmSync(folder, { recursive: true });
});
