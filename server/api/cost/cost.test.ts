import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { costAnswer } from "@/server/contracts/cost";
import { pipelineAnswer } from "@/server/contracts/pipeline";
import { createApiRig, message, NDJSON, read } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

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
  // Long enough to take more than empty tables do.
  const long = (i: number) => JSON.stringify(message("press-08", i, { note: randomBytes(500).toString("hex") }));
  await rig.post(Array.from({ length: 600 }, (_, i) => long(i)).join("\n"), { headers: NDJSON });
  await until(async () => (await read(pipelineAnswer, rig.get("getPipeline"))).totals.messages === 1204);
  const early = await read(costAnswer, rig.compose().handle("getCost", new Request("http://here/api"), {}));
  expect(early).toMatchObject({ messages: 1204, messagesPerDay: null, total: { in30Days: null, in365Days: null } });
  expect(early.estimates[0]).toMatchObject({ in365Days: null, disk: null });
  expect(early.stores.every(({ in365Days }) => in365Days === null)).toBe(true);
  await rig.owner.query("UPDATE device SET first_seen = now() - interval '30 minutes'");
  const found = await cost();
  const stored = new Map(found.stores.map((one) => [one.store, one]));
  expect([...stored.keys()]).toEqual(["raw", "minutes", "hours", "messages", "deadLetters", "log"]);
  expect(found).toMatchObject({ messages: 1204, elsewhere: [], trouble: null });
  const perDay = found.messagesPerDay!;
  expect(perDay / (1204 * 48)).toBeCloseTo(1, 1);
  const { rows } = await rig.owner.query<{ bytes: number }>(
    `SELECT sum(pg_total_relation_size(t))::float8 AS bytes FROM unnest(ARRAY['archive_block', 'archive_fresh', 'message_archive']::regclass[]) t`,
  );
  const messages = stored.get("messages")!;
  expect(messages.bytes).toBeGreaterThanOrEqual(rows[0]!.bytes);
  expect(messages.free).toBeLessThan(messages.bytes);
  expect(messages.perMessage).toBeCloseTo((messages.bytes - messages.free - messages.empty) / 1204, 6);
  expect(messages.in365Days).toBeCloseTo(messages.free + messages.empty + messages.perMessage! * perDay * 30, 0);
  const log = stored.get("log")!;
  expect(log.in365Days).toBeCloseTo(log.free + log.empty + log.perMessage! * perDay * 7, 0);
  // Nothing was rolled up yet: what these tables take empty says nothing of what they will take.
  for (const store of ["minutes", "hours"] as const) {
    const { bytes, empty, perMessage, in365Days } = stored.get(store)!;
    expect([empty, perMessage, in365Days]).toEqual([bytes, null, null]);
  }
  const inAYear = found.total.in365Days!;
  expect(inAYear).toBeGreaterThan(found.total.bytes);
  expect(found.prices).toEqual({ date: "2026-01-31", source: "Our contract", currency: "EUR", isOwn: true });
  expect(found.estimates).toHaveLength(1);
  const { machine, disk, objects, in365Days } = found.estimates[0]!;
  expect(machine).toBeCloseTo(found.machine.vcpus * 10 + found.machine.memoryGiB, 6);
  expect(disk).toBeCloseTo((inAYear / 1024 ** 3) * 1.3, 6);
  expect(in365Days).toBeCloseTo(machine + disk! + objects!, 6);
  expect(found.levers.map(({ lever }) => lever)).toContain("messageRetention");
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
