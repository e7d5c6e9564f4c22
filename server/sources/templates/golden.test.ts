import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readJson } from "@/server/domain/json";
import type { Mapping } from "@/server/domain/mapping/mapping";
import type { Delivery, Leaf, Mapped, Part } from "@/server/domain/mapping/delivery";
import { SOURCE_KINDS } from "@/server/domain/source";
import { DECODER_OF } from "../decoders/decoders";
import { readFixtures } from "./fixtures";
import { explainDelivery, readDelivery } from "../read";
import { templateOf } from "../known-senders";
import { KNOWN_SENDERS } from "./templates";

const fixtures = readFixtures();

it("has three fixtures of every kind at least", () => {
  const few = SOURCE_KINDS.filter((kind) => fixtures.filter((fixture) => fixture.kind === kind).length < 3);
  expect(few).toEqual([]);
  expect(KNOWN_SENDERS.templates.map(({ kind }) => kind).sort()).toEqual([...SOURCE_KINDS].sort());
});

describe.each(fixtures)("$kind, $name", ({ kind, name, delivery, table }) => {
  const mapping = templateOf(KNOWN_SENDERS, kind).mapping;
  const mapped = explainDelivery(mapping, delivery);

  it("becomes exactly these readings, and each of its leaves is used, ignored by a rule, or refused by name", async () => {
    await expect(tableOf(mapped)).toMatchFileSnapshot(table);
  });

  it("has a fate for every leaf, once", () => {
    const paths = mapped.leaves!.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths).toHaveLength(partsOf(mapping, delivery).reduce((sum, part) => sum + countLeaves(part), 0));
  });

  it("is the same without an explanation", () => {
    expect({ ...readDelivery({ mapping, labels: {} }, delivery), leaves: mapped.leaves }).toEqual(mapped);
  });

  it("is guessed by its shape", () => {
    expect(KNOWN_SENDERS.guess(delivery)[0]?.kind, `${kind}/${name}`).toBe(kind);
  });
});

/** The table people review: a line a reading, then a line a leaf that is none. */
function tableOf({ messages, refused, leaves }: Mapped): string {
  const readings = messages.flatMap(({ device, time, timeFrom, readings: of, bytes }) => [
    `${device} at ${new Date(time).toISOString()} (${timeFrom})${labelsIn(bytes)}`,
    ...of.map(({ metric, value, unit }) => `  ${metric} = ${JSON.stringify(value)}${unit === null ? "" : ` ${unit}`}`),
  ]);
  const left = leaves!
    .filter(({ as }) => as !== "reading")
    .map(({ path, as, why }: Leaf) => `  ${path || "(all)"}: ${as} ${why}`.trimEnd());
  // Node 22 and later add the line to where JSON ends too early.
  const refusals = refused.map(({ path, reason, detail }) =>
    `  ${path || "(all)"}: ${reason}: ${detail}`.replace(/(at position \d+) \(line \d+ column \d+\)/, "$1"),
  );
  return [...readings, "", "no readings:", ...left, "", "refused:", ...refusals, ""].join("\n");
}

function labelsIn(bytes: Uint8Array): string {
  const { site, type, labels, state, gone } = readJson(new TextDecoder().decode(bytes)).json as Record<string, unknown>;
  return ` ${JSON.stringify({ site, type, labels, state, gone })}`.replace(" {}", "");
}

function partsOf(mapping: Mapping, delivery: Delivery): readonly Part[] {
  try {
    return DECODER_OF[mapping.decode](delivery);
  } catch (error) {
    return [{ path: "", error: (error as Error).message }];
  }
}

function countLeaves(part: Part): number {
  if ("error" in part) return 1;
  const count = (value: unknown): number => {
    const members = typeof value === "object" && value !== null ? Object.values(value) : [];
    return members.length === 0 ? 1 : members.reduce((sum: number, member) => sum + count(member), 0);
  };
  return count(part.value.json);
}

it.each(SOURCE_KINDS)("has a sample of %s", (kind) => {
  const { body, encoding } = KNOWN_SENDERS.templates.find((template) => template.kind === kind)!.sample;
  const usual = fixtures.find((fixture) => fixture.kind === kind && fixture.name === "usual")!;
  expect(Buffer.from(body, encoding)).toEqual(Buffer.from(usual.delivery.body));
});

it("names where each fixture comes from", () => {
  for (const { table } of fixtures)
    expect(JSON.parse(readFileSync(table.replace(/txt$/, "json"), "utf8"))).toHaveProperty("after");
});
