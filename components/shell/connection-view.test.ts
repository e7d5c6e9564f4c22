import { describe, expect, it } from "vitest";
import { connectionView, isHung } from "./connection-view";

describe("connectionView", () => {
  it("is connected while frames come, and stale when a connected channel falls silent", () => {
    const connection = { phase: "connected", since: 0, heardAt: 5000 } as const;
    expect(connectionView(connection, 8000)).toEqual({ mark: "ok", word: "Connected", staleSince: null });
    expect(connectionView(connection, 8600)).toEqual({ mark: "stale", word: "Stale", staleSince: 5000 });
  });

  it("is reconnecting for a moment, then stale since the last frame", () => {
    const connection = { phase: "reconnecting", since: 10_000, heardAt: 9800 } as const;
    expect(connectionView(connection, 12_000)).toMatchObject({ word: "Reconnecting", staleSince: 9800 });
    expect(connectionView(connection, 21_000)).toEqual({ mark: "stale", word: "Stale", staleSince: 9800 });
  });

  it("stays stale when a channel that had fallen silent breaks", () => {
    const connection = { phase: "reconnecting", since: 45_000, heardAt: 5000 } as const;
    expect(connectionView(connection, 45_100)).toEqual({ mark: "stale", word: "Stale", staleSince: 5000 });
  });

  it("tells connecting from never connected", () => {
    const connection = { phase: "connecting", since: 1000, heardAt: null } as const;
    expect(connectionView(connection, 2000).word).toBe("Connecting");
    expect(connectionView(connection, 60_000)).toMatchObject({ word: "Stale", staleSince: 1000 });
  });
});

describe("isHung", () => {
  it("is so while neither the channel nor a request tells anything", () => {
    expect(isHung(null, 0)).toBe(false);
    // The last frame brought what is shown.
    expect(isHung(5000, 5002)).toBe(true);
    expect(isHung(5000, 0)).toBe(true);
    // A request was answered since: the channel alone doesn't get through.
    expect(isHung(5000, 16_000)).toBe(false);
  });
});
