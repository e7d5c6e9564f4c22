import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { fetchTimed, measured, serverNow } from "./server-time";

afterEach(() => vi.unstubAllGlobals());

test("the server's clock is known to half a round trip, whatever the browser's says", () => {
  const hour = 3_600_000;
  fc.assert(
    fc.property(
      fc.integer({ min: -24 * hour, max: 24 * hour }),
      fc.array(fc.tuple(fc.nat(5000), fc.nat(5000)), { minLength: 1 }),
      (truth, trips) => {
        let ahead: ReturnType<typeof measured> = null;
        for (const [there, back] of trips)
          ahead = measured(ahead, { madeAt: 1e12 + there + truth, askedAt: 1e12, gotAt: 1e12 + there + back });
        const best = Math.min(...trips.map(([there, back]) => (there + back) / 2 + 1));
        expect(Math.abs(ahead!.ms - truth)).toBeLessThanOrEqual(best);
      },
    ),
  );
});

test("a clock that is set while the page is open is noticed with the next answer", () => {
  const known = { ms: 0, error: 5 };
  const answer = { madeAt: 7_200_050, askedAt: 0, gotAt: 100 };
  expect(measured(known, answer)).toEqual({ ms: 7_200_000, error: 51 });
  expect(measured(known, { ...answer, madeAt: 60 })).toBe(known);
  expect(measured(known, { ...answer, gotAt: -1 })).toBe(known);
});

test("an answer's header tells the time, and one without tells nothing", async () => {
  const at = Date.now() + 7_200_000;
  vi.stubGlobal("fetch", async () => new Response("{}", { headers: { "fieldwatch-time": String(at) } }));
  await fetchTimed("/x", {});
  expect(Math.abs(serverNow() - at)).toBeLessThan(1000);
  vi.stubGlobal("fetch", async () => new Response("{}"));
  await fetchTimed("/x", {});
  expect(Math.abs(serverNow() - at)).toBeLessThan(1000);
});
