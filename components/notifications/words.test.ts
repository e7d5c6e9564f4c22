import { describe, expect, test } from "vitest";
import type { ChannelView, RouteView } from "@/server/contracts/notifications";
import { channelState, channelsVerdict, coveredWords, leftWords, recurrenceWords, routeWords } from "./words";

const NOW = Date.parse("2026-11-28T12:00:00Z");

const channel = (parts: Partial<ChannelView> = {}): ChannelView => ({
  ...{ id: 1, name: "Slack", kind: "slack", title: "Slack", settings: {}, secrets: [], enabled: true, fallback: null },
  ...{ mostPerHour: 120, failingSince: null, trouble: null, nextTryAt: null, waiting: 0, revision: 0 },
  lastOkAt: "2026-11-28T11:00:00Z",
  ...parts,
});

const route = (parts: Partial<RouteView> = {}): RouteView => ({
  ...{ id: 1, place: 1, name: "all", enabled: true, matchers: [], channels: [1], groupBy: ["rule", "site"] },
  ...{ waitMs: 30_000, intervalMs: 300_000, repeatMs: 14_400_000, resolved: true, late: true, escalate: null },
  revision: 0,
  ...parts,
});

const nameOf = (id: number) => ["", "Slack", "On-call", "Boss"][id]!;

test("a route is a sentence: which alerts, then who, how and when", () => {
  expect(
    routeWords(
      route({
        matchers: [
          { field: "site", is: "is", values: ["north"] },
          { field: "severity", is: "is", values: ["critical"] },
        ],
        channels: [2, 1],
        groupBy: ["site"],
        escalate: { afterMs: 600_000, channels: [3] },
      }),
      nameOf,
    ),
  ).toEqual({
    of: "Critical at north",
    then: "On-call, Slack; grouped by site, after 30 s, again every 4 h; also Boss after 10 min unacknowledged",
  });
  expect(routeWords(route({ groupBy: [], waitMs: 0, repeatMs: null, resolved: false, late: false }), nameOf)).toEqual({
    of: "Every alert",
    then: "Slack; all in one message, at once, told once, not when it is over, not what comes to light later",
  });
});

test("matchers say what they cover, and what they don't", () => {
  expect(coveredWords([{ field: "device", is: "is", values: ["press-*", "mill-*"] }])).toBe("All of press-* or mill-*");
  expect(
    coveredWords([
      { field: "label", key: "line", is: "not", values: ["7"] },
      { field: "site", is: "not", values: ["north"] },
    ]),
  ).toBe("All not at north with line not 7");
});

describe("the verdict", () => {
  test("says that nobody is told, and why", () => {
    expect(channelsVerdict([channel()], [], NOW)).toMatchObject({ mark: "warning", text: expect.stringContaining("no route") as string }); // prettier-ignore
    expect(channelsVerdict([channel({ enabled: false })], [route()], NOW).text).toContain("its channels are");
  });
  test("tells a route for the rest from routes for some", () => {
    expect(channelsVerdict([channel()], [route()], NOW).mark).toBe("ok");
    const some = route({ matchers: [{ field: "site", is: "is", values: ["north"] }] });
    expect(channelsVerdict([channel()], [some], NOW).text).toContain("that no route takes, nobody is told");
  });
  test("says first which channel takes nothing, since when, and what waits", () => {
    const away = channel({ failingSince: "2026-11-28T11:55:57Z", waiting: 12 });
    expect(channelsVerdict([away], [route()], NOW)).toEqual({
      mark: "failing",
      text: "Slack has taken nothing for 4 min; 12 messages wait and nothing is lost.",
    });
    const justNow = channel({ failingSince: new Date(NOW - 17_000).toISOString(), waiting: 12 });
    expect(channelsVerdict([justNow], [route()], NOW).text, "as the verdict of all pages says it").toContain(
      "nothing for less than a minute;",
    );
  });
});

test("a channel that is off, failing, unused and well never look alike", () => {
  const states = [{}, { enabled: false }, { failingSince: "2026-11-28T11:00:00Z" }, { lastOkAt: null }].map(
    (parts) => channelState(channel(parts)).word,
  );
  expect(new Set(states).size).toBe(4);
});

test("plain recurrences are words, others stay as they are", () => {
  expect(recurrenceWords("0 2 * * 6", 120)).toBe("Each Saturday at 02:00 for 2 h");
  expect(recurrenceWords("30 22 * * *", 30)).toBe("Each day at 22:30 for 30 min");
  expect(recurrenceWords("0 2 * * 1,3", 60)).toBe("Each Monday and Wednesday at 02:00 for 1 h");
  expect(recurrenceWords("6 * * * *", 10)).toBe("Each hour at :06 for 10 min");
  expect(recurrenceWords("0 */4 1 * *", 60)).toBe("0 */4 1 * *, for 1 h");
  expect(recurrenceWords("0 2 * * mon#1", 60)).toBe("0 2 * * mon#1, for 1 h");
});

test("what is left is in rough words", () => {
  expect([59_999, 754_000, 18_100_000].map(leftWords)).toEqual(["59 s", "12 min", "5 h"]);
});
