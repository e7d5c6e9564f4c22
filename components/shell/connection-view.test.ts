import { describe, expect, it } from "vitest";
import { connectionView } from "./connection-view";

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

  it("tells connecting from never connected", () => {
    const connection = { phase: "connecting", since: 1000, heardAt: null } as const;
    expect(connectionView(connection, 2000).word).toBe("Connecting");
    expect(connectionView(connection, 60_000)).toMatchObject({ word: "Stale", staleSince: 1000 });
  });
});
