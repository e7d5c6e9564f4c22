import { expect, test } from "vitest";
import { acknowledgement, alertsQuery } from "./alerts";
import { backtestBody } from "./backtests";
import { moment } from "./common";
import { newSilenceBody } from "./notifications";
import { whyQuery } from "./why";

test.each([
  ["2026-11-30T13:30:00Z", "2026-11-30T13:30:00.000Z"],
  ["2026-11-30T13:30:00.000Z", "2026-11-30T13:30:00.000Z"],
  ["2026-11-30t13:30:00.123456z", "2026-11-30T13:30:00.123Z"],
  ["2026-11-30 14:30:00+01:00", "2026-11-30T13:30:00.000Z"],
  ["1969-07-20T20:17:40Z", "1969-07-20T20:17:40.000Z"],
])("%s is a moment", (given, read) => {
  expect(moment.parse(given)).toBe(read);
});

test.each([
  "2026-11-30",
  "2026-11-30T13:30:00",
  "2026-11-30T13:30Z",
  "2026-02-31T00:00:00Z",
  "1764509400",
  "tomorrow",
  "",
])("%j is none, and the answer says how to write one", (given) => {
  expect(moment.safeParse(given).error?.issues[0]?.message).toBe(
    "must be an RFC 3339 time with a zone, such as 2026-11-30T13:30:00Z or 2026-11-30T14:30:00+01:00",
  );
});

test("a moment is taken in whatever way it is written", () => {
  const [given, read] = ["2026-11-30T14:30:00+01:00", "2026-11-30T13:30:00.000Z"];
  expect(acknowledgement.parse({ until: given }).until).toBe(read);
  expect(alertsQuery.parse({ from: given }).from).toBe(read);
  expect(newSilenceBody.shape.endsAt.parse(given)).toBe(read);
  expect(whyQuery.shape.at.parse(given)).toBe(read);
  expect(backtestBody.shape.from.parse(given)).toBe(read);
});
