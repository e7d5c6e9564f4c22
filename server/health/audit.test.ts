import { expect, test } from "vitest";
import { judgeUnsealed } from "./audit";

test("health says when seals don't keep up, and when rows are gone before theirs", () => {
  expect(judgeUnsealed({ waiting: 0, oldestS: null, gone: 0 })).toMatchObject({ status: "pass" });
  expect(judgeUnsealed({ waiting: 3, oldestS: 59, gone: 0 })).toMatchObject({ status: "pass" });
  expect(judgeUnsealed({ waiting: 3, oldestS: 720, gone: 0 })).toMatchObject({
    ...{ status: "warn", summary: "3 rows unsealed, the oldest for 12 min.", fix: expect.stringContaining("Jobs") },
  });
  expect(judgeUnsealed({ waiting: 3, oldestS: 720, gone: 1 })).toMatchObject({
    ...{ status: "fail", summary: "1 row of the audit record is gone before the seal." },
  });
});
