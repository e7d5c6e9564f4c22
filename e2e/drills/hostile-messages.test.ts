import { expect, test } from "vitest";
import { decodeMessage } from "@/server/domain/decode-message";
import { seeded } from "../waiting";
import { hostileMessage } from "./hostile-messages";

test("decoding agrees with what the generator expects", () => {
  const random = seeded(7);
  const now = Date.UTC(2026, 10, 24);
  const kinds = new Set<string>();
  for (let i = 0; i < 5000; i++) {
    const message = hostileMessage(i, random);
    kinds.add(message.kind);
    const outcome = decodeMessage(message.bytes, { now, futureToleranceMs: 600_000, retentionMs: null });
    const told = `${message.kind}: ${message.bytes.toString("latin1").slice(0, 200)}`;
    expect(outcome.ok ? undefined : outcome.reason, told).toBe(message.refused);
    if (!outcome.ok) continue;
    // A change of type shows only against the catalog.
    const drifts = message.fields.filter((reason) => reason === "typeDrift").length;
    expect(outcome.message.values.length, told).toBe(message.readings + message.duplicates + message.conflicts);
    expect(outcome.message.texts.length, told).toBeGreaterThanOrEqual(drifts);
    expect(
      outcome.message.refused.map((one) => one.reason),
      told,
    ).toEqual(message.fields.filter((reason) => reason !== "typeDrift"));
  }
  expect(kinds.size).toBeGreaterThan(25);
});
