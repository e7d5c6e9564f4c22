import { expect, it } from "vitest";
import { keyState } from "./key-state";

const NOW = Date.parse("2026-11-28T12:00:00.000Z");
const days = (count: number) => new Date(NOW + count * 86_400_000).toISOString();

it("tells what works from what has ended, and warns before", () => {
  const state = (revokedAt: string | null, expiresAt: string | null) => keyState({ revokedAt, expiresAt }, NOW);
  expect(state(null, null)).toMatchObject({ word: "Works", isEnded: false });
  expect(state(null, days(30))).toMatchObject({ word: "Works", isEnded: false });
  expect(state(null, days(3))).toMatchObject({ mark: "warning", isEnded: false });
  expect(state(null, days(-1))).toMatchObject({ word: "Expired", isEnded: true });
  expect(state(days(-2), days(30))).toMatchObject({ word: "Revoked", isEnded: true });
});
