import { expect, test } from "vitest";
import { judgeBackups } from "./backup";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const made = { time: "2026-11-27T10:00:00Z", folder: "/mnt/backups/fieldwatch-1", bytes: 1 };

test("health tells the age of the last backup, and warns of one that failed or is too old", () => {
  expect(judgeBackups(null, null, NOW)).toEqual({ status: "pass", summary: "No backup was made." });
  expect(judgeBackups({ made, failed: null }, null, NOW)).toEqual({
    ...{ status: "pass", summary: "The last one is 1 d 2 h old, in /mnt/backups/fieldwatch-1." },
  });
  expect(judgeBackups({ made, failed: null }, 26, NOW)).toMatchObject({ status: "pass" });
  expect(judgeBackups({ made, failed: null }, 25, NOW)).toMatchObject({
    status: "warn",
    cause: expect.stringContaining("1 d 1 h"),
  });
  expect(judgeBackups(null, 24, NOW)).toMatchObject({ status: "warn", summary: "No backup was made." });
  const failed = { time: "2026-11-28T10:00:00Z", why: "There is no room for the backup: /mnt" };
  expect(judgeBackups({ made, failed }, null, NOW)).toMatchObject({
    ...{
      status: "warn",
      cause: "There is no room for the backup: /mnt",
      fix: expect.stringContaining("npm run backup"),
    },
  });
});
