import { expect, test } from "vitest";
import { until } from "@/server/testing/until";
import { startLiveAlerts } from "./live-alerts";

test("each audience is told once of what changed at its sites, however much that is, and then rests", async () => {
  const told: { key: string; at: number }[] = [];
  const rooms = new Map(["alerts", "alerts@1,3", "alerts@2", "devices", "a socket"].map((key) => [key, null]));
  const live = startLiveAlerts({
    io: { sockets: { adapter: { rooms } } },
    send: (key, room, data) => {
      expect([room, data]).toEqual(["alerts", { kind: "alerts" }]);
      told.push({ key, at: performance.now() });
    },
  });
  try {
    const began = performance.now();
    for (let i = 0; i < 1000; i++) live.changed(3);
    live.changed(0);
    await until(() => told.length > 0);
    expect(told.map(({ key }) => key)).toEqual(["alerts", "alerts@1,3"]);
    expect(told[0]!.at - began).toBeLessThan(500);
    live.changed(2);
    await until(() => told.length > 2);
    expect(told.slice(2).map(({ key }) => key)).toEqual(["alerts", "alerts@2"]);
    expect(told[2]!.at - told[0]!.at).toBeGreaterThan(950);
    live.changed("any");
    await until(() => told.length === 7);
  } finally {
    live.stop();
  }
});
