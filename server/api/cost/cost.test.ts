import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { costAnswer } from "@/server/contracts/cost";
import { createApiRig, read } from "@/server/testing/api-rig";

const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-test-"));
const pricesFile = path.join(folder, "prices.json");
afterAll(() => rmSync(folder, { recursive: true }));
const rig = createApiRig({ PRICES_FILE: pricesFile, ARCHIVE_RETENTION_DAYS: "30" });
const cost = () => read(costAnswer, rig.get("getCost"));
const own = {
  ...{ date: "2026-01-31", source: "Our contract", currency: "EUR" },
  providers: [{ provider: "Own", vcpu: 10, memoryGiB: 1, diskGiB: 1, objectGiB: 0.1, spotDiscount: 0 }],
};

test("what is stored is measured, goes on as it comes, and costs what one's own prices say", async () => {
  writeFileSync(pricesFile, JSON.stringify(own));
  await rig.sendFleet();
  const found = await cost();
  const stored = new Map(found.stores.map((one) => [one.store, one]));
  expect([...stored.keys()]).toEqual(["raw", "minutes", "hours", "messages", "deadLetters", "log"]);
  expect(found).toMatchObject({ messages: 604, messagesPerDay: 604 * 24, elsewhere: [], trouble: null });
  const { rows } = await rig.owner.query<{ bytes: number }>(
    `SELECT sum(pg_total_relation_size(t))::float8 AS bytes FROM unnest(ARRAY['archive_block', 'archive_fresh', 'message_archive']::regclass[]) t`,
  );
  const messages = stored.get("messages")!;
  expect(messages.bytes).toBeGreaterThanOrEqual(rows[0]!.bytes);
  expect(messages.free).toBeLessThan(messages.bytes);
  expect(messages.perMessage).toBeCloseTo((messages.bytes - messages.free) / 604, 6);
  expect(messages.in365Days).toBeCloseTo(messages.free + messages.perMessage! * 604 * 24 * 30, 0);
  const raw = stored.get("raw")!;
  expect(raw.in365Days).toBeCloseTo(raw.free + raw.perMessage! * (604 + 604 * 24 * 365), 0);
  expect(found.total.in365Days).toBeGreaterThan(found.total.in30Days);
  expect(found.prices).toEqual({ date: "2026-01-31", source: "Our contract", currency: "EUR", isOwn: true });
  expect(found.estimates).toHaveLength(1);
  const [{ machine, disk, objects, in365Days }] = found.estimates as [(typeof found.estimates)[0]];
  expect(machine).toBeCloseTo(found.machine.vcpus * 10 + found.machine.memoryGiB, 6);
  expect(disk).toBeCloseTo((found.total.in365Days / 1024 ** 3) * 1.3, 6);
  expect(in365Days).toBeCloseTo(machine + disk + objects, 6);
  expect(found.levers.map(({ lever }) => lever)).toEqual(
    expect.arrayContaining(["rawRetention", "messageRetention", "coldTier"]),
  );
});

test("a file of prices that can't be used says what is wrong with it, and what is stored is told all the same", async () => {
  for (const [text, trouble] of [
    ["{", "it isn't JSON"],
    [JSON.stringify({ ...own, currency: "euros" }), "currency: must be a currency's three letters, e.g. EUR"],
    [JSON.stringify({ ...own, providers: [{ ...own.providers[0], vcpu: -1 }] }), "providers.0.vcpu: "],
  ] as const) {
    writeFileSync(pricesFile, text);
    const found = await cost();
    expect(found.trouble).toContain(`PRICES_FILE, ${pricesFile}: ${trouble}`);
    expect([found.prices, found.estimates, found.stores.length]).toEqual([null, [], 6]);
  }
  rmSync(pricesFile);
  expect((await cost()).trouble).toContain("ENOENT");
});
