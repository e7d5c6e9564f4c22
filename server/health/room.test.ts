import { expect, test } from "vitest";
import { createForecast, judgeRoom } from "./room";

const HOUR = 3_600_000;
const GIB = 1024 ** 3;
const room = (free: number) => ({ free: free * GIB, total: 100 * GIB, least: GIB / 2 });

test("a full disk fails and says what that means and what to do; one that will be soon warns", () => {
  expect(judgeRoom(room(0.4), null, "/data")).toMatchObject({
    ...{ status: "fail", summary: "Messages are not taken: 410 MiB are free, and 512 MiB must stay so." },
    ...{ cause: expect.stringContaining("507"), fix: expect.stringContaining("/data") },
  });
  expect(judgeRoom(room(9), null, "/data")).toMatchObject({ status: "pass" });
  expect(judgeRoom(room(9), { inMs: 96 * HOUR, byMs: HOUR }, "/data")).toMatchObject({ status: "pass" });
  expect(judgeRoom(room(9), { inMs: 5 * HOUR, byMs: 2 * HOUR }, "/data")).toMatchObject({
    status: "warn",
    summary: expect.stringMatching(/At the rate of the last 2 h( 0 min)? that is in 5 h( 0 min)?\.$/),
  });
});

test("a forecast goes by what was used up within a day, once an hour was seen", () => {
  const forecast = createForecast();
  expect(forecast(0, room(20))).toBeNull();
  expect(forecast(HOUR / 2, room(19))).toBeNull();
  expect(forecast(HOUR, room(18.5))).toEqual({ byMs: HOUR, inMs: 12 * HOUR });
  expect(forecast(2 * HOUR, room(21)), "room was made").toBeNull();
  // Of the first hour nothing is within the day any more.
  expect(forecast(26.5 * HOUR, room(20.5))).toBeNull();
  expect(forecast(28.5 * HOUR, room(18.5))).toEqual({ byMs: 2 * HOUR, inMs: 18 * HOUR });
  expect(forecast(HOUR, room(1)), "a clock set back").toBeNull();
});
