import { expect, test } from "vitest";
import { judgeChannels } from "./channels";

const NOW = Date.UTC(2026, 10, 28, 12);
const channel = (name: string, failingSince: number | null = null, waiting = 0, enabled = true) => ({
  ...{ name, enabled, failingSince, waiting, trouble: failingSince === null ? null : "500 no" },
});

test("channels are well, unless one fails, all do, or nobody decides", () => {
  const judge = (channels: ReturnType<typeof channel>[], undecidedSince: number | null = null, tellsAnybody = true) =>
    judgeChannels({ channels, tellsAnybody, undecidedSince }, NOW);
  expect(judge([]).status).toBe("pass");
  expect(judge([channel("a"), channel("off", NOW, 3, false)]).status).toBe("pass");
  expect(judge([channel("a"), channel("b", NOW - 1000, 12)])).toMatchObject({
    status: "warn",
    summary: "1 channel can't be used; 12 messages wait.",
    cause: "b since 2026-11-28T11:59:59.000Z: 500 no",
  });
  expect(judge([channel("b", NOW)]).status).toBe("fail");
  expect(judge([channel("a")], NOW - 31_000).summary).toBe("Nobody is told of alerts.");
  expect(judge([channel("a")], null, false)).toMatchObject({
    status: "warn",
    summary: "Nobody is told of alerts: no route leads to a channel.",
  });
  expect(judge([], null, false).status, "it isn't in use").toBe("pass");
  expect(judge([channel("a")], NOW - 5000).status).toBe("pass");
});
