import { expect, test } from "vitest";
import type { SiteLive } from "@/server/domain/fleet-live";
import { fleetProbe, judgeFleet } from "./fleet";

const site = (name: string | null, live: number, usual: number, more: Partial<SiteLive> = {}): SiteLive => ({
  ...{ site: name, live, usual, known: Math.max(live, usual), lastSeen: 5000, fellAt: 4000 },
  ...more,
});

test("a fleet of which none is live is trouble, since it was heard last", () => {
  expect(judgeFleet([site("north", 0, 200), site(null, 0, 9, { lastSeen: 9000 })], 0)).toMatchObject({
    ...{ status: "warn", since: 9000, summary: "None of 209 devices is live." },
    fix: expect.stringContaining("`/devices?state=silent`"),
  });
  expect(judgeFleet([site("north", 0, 0, { known: 1 })], 0).summary).toBe("The only device isn't live.");
  expect(judgeFleet([], 0).status).toBe("pass");
});

test("a site of which more than half is missing is named, with a link to who; a fleet may miss a fifth", () => {
  expect(judgeFleet([site("north", 9, 60), site("south", 150, 150)], 0)).toMatchObject({
    ...{ status: "warn", since: 4000, summary: "51 of 60 devices of north that usually send don't." },
    fix: expect.stringContaining("&site=north"),
  });
  expect(judgeFleet([site("north", 40, 60), site("south", 30, 50)], 0).summary).toBe(
    "40 of 110 devices that usually send don't.",
  );
  expect(judgeFleet([site("north", 50, 60), site("south", 50, 50)], 0).status).toBe("pass");
});

test("few devices, and devices that are usually quiet, are no trouble of the fleet", () => {
  expect(judgeFleet([site("north", 0, 2), site("south", 50, 50)], 0).status).toBe("pass");
  expect(judgeFleet([site("north", 10, 9.6, { known: 300 })], 0).status).toBe("pass");
});

test("while messages wait nobody knows who is silent, and nothing is learned", async () => {
  expect(judgeFleet([site("north", 0, 9)], 31).status).toBe("unknown");
  expect(judgeFleet([site("north", 0, 9)], null).status).toBe("unknown");
  let [now, lag, notes, reads] = [0, 60, 0, 0];
  const probe = fleetProbe({
    read: async () => (reads++, [site("north", 9, 9)]),
    note: async () => void notes++,
    lagSeconds: async () => lag,
    now: () => now,
  });
  await probe.run();
  expect(notes).toBe(0);
  lag = 0;
  for (now = 0; now <= 70_000; now += 5000) await probe.run();
  expect([notes, reads]).toEqual([2, 8]);
});
