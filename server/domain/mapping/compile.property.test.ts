import fc from "fast-check";
import { expect, test } from "vitest";
import { type JsonReading, readJson } from "../json";
import { decodeMessage } from "../decode-message";
import { readingsOf } from "../message";
import { compileMapping } from "./compile";
import type { Beside, Mapped, Part } from "./delivery";
import { type MappingInput, mappingSchema } from "./mapping";

const ARRIVED = Date.parse("2026-11-28T12:00:00Z");
const ANY_TIME = { now: Number.MAX_SAFE_INTEGER, futureToleranceMs: 0, retentionMs: null };
/** Of CPU, so that what else runs on the machine doesn't count; it is there to find a mapping that never ends, not to measure. */
const MOST_CPU_MS = 2000;

/** Few names, so that paths, globs and payloads meet. */
const key = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("a", "b", "c", "t", "id", "ts", "list", "u") },
  {
    weight: 2,
    arbitrary: fc.constantFrom("0", "a.b", "x y", "é/", "__proto__", "constructor", "", "toString", "\\", "{"),
  },
);
const scalar = fc.oneof(
  fc.constantFrom(
    "null",
    "true",
    "false",
    "0",
    "-0",
    "21.5",
    "-127",
    "1e400",
    "NaN",
    "12345678901234567890",
    "1795831391550",
  ),
  fc.constantFrom(
    '""',
    '"on"',
    '"OFF"',
    '"21.50"',
    '"007"',
    '"nan"',
    '"mV"',
    '"°F"',
    '"2026-11-28T02:03:11.123456789+0000"',
  ),
  fc.constantFrom(
    '"2026-10-25T02:30:00"',
    '"1764295391"',
    '"12345678901234567890123"',
    '"dev 1/ü"',
    '"1,5"',
    "[]",
    "{}",
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.string({ maxLength: 8 }).map((text) => JSON.stringify(text)),
);
const payload = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 3, arbitrary: scalar },
    { weight: 2, arbitrary: fc.array(tie("tree"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`) },
    {
      weight: 5,
      arbitrary: fc
        .uniqueArray(fc.tuple(key, tie("tree")), { maxLength: 6, selector: ([name]) => name })
        .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`),
    },
  ),
})).tree;

const payloads = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: payload },
    { weight: 4, arbitrary: payload.filter((text) => text.startsWith("{") || text.startsWith("[")) },
  ),
  {
    minLength: 1,
    maxLength: 2,
  },
);

const path = fc
  .array(fc.constantFrom("a", "b", "list", "0", "t", "ts", "id", String.raw`a\.b`), { maxLength: 3 })
  .map((keys) => keys.join("."));
const glob = fc.oneof(
  fc.constant("*"),
  fc
    .array(fc.constantFrom("a", "b", "*", "?", ".", "t", "0"), { minLength: 1, maxLength: 5 })
    .map((all) => all.join("")),
);
const template = fc
  .array(
    fc.oneof(
      path.map((to) => `{${to}}`),
      fc.constantFrom(
        "{topic.1}",
        "{topic}",
        "{query.q}",
        "{header.h}",
        "{@key}",
        "{envelope.a}",
        "{part.p}",
        "{kafka.key}",
        "x",
        "-",
      ),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((pieces) => pieces.join(""));
const time = fc.record({
  from: fc.oneof(
    path.map((to) => ({ path: to })),
    template.map((of) => ({ template: of })),
  ),
  format: fc.constantFrom("rfc3339", "s", "ms", "us", "ns", "local", "pattern"),
  pattern: fc.constant("yyyy-MM-dd'T'HH:mm:ss"),
  zone: fc.constant("Europe/Berlin"),
} as const);
const readings = fc.record(
  {
    root: fc.oneof({ weight: 3, arbitrary: fc.constant("") }, path),
    depth: fc.nat(4),
    separator: fc.constantFrom(".", "_", ""),
    arrays: fc.constantFrom("index", "drop", "history"),
    include: fc.array(glob, { maxLength: 2 }).map((all) => [...all, "*"].slice(0, 2)),
    exclude: fc.array(
      glob.filter((text) => text !== "*"),
      { maxLength: 2 },
    ),
    prefix: template,
    name: template,
  },
  { requiredKeys: ["root"] },
);
const mapping: fc.Arbitrary<MappingInput> = fc
  .record(
    {
      when: fc.oneof(
        fc.constant([]),
        fc.array(
          fc.oneof(
            fc.constantFrom({ topic: "t/#" }, { topic: "other/+" }, { exists: "" }, { missing: "none" }),
            path.map((exists) => ({ exists })),
            fc.record({ value: template, differs: fc.constantFrom([null], ["x"], [1, true]) }),
          ),
          { maxLength: 1 },
        ),
      ),
      each: fc.option(
        fc.record({
          path,
          of: fc.constantFrom("array", "object"),
          optional: fc.constantFrom(true, true, false),
        } as const),
      ),
      device: fc.array(template, { maxLength: 2 }).map((all) => [...all, "dev"]),
      time: fc.oneof(fc.constant([]), fc.array(time, { maxLength: 2 })),
      withoutTime: fc.constantFrom("arrival", "arrival", "arrival", "refuse"),
      readings: fc.array(readings, { minLength: 1, maxLength: 3 }),
      rename: fc.array(fc.record({ from: glob, to: fc.constantFrom("{*}", "r.{*2}", "same", "é") }), { maxLength: 2 }),
      values: fc.record({
        numericStrings: fc.boolean(),
        decimalComma: fc.boolean(),
        booleans: fc.array(fc.record({ metric: glob, true: fc.constant(["on"]), false: fc.constant(["off"]) }), {
          maxLength: 1,
        }),
        enums: fc.array(fc.record({ metric: glob, values: fc.constant({ on: 1, nan: 2 }) }), { maxLength: 1 }),
      }),
      absent: fc.array(fc.record({ metric: glob, values: fc.constant([-127, "nan", false]) }), { maxLength: 2 }),
      units: fc.array(
        fc.record({
          metric: glob,
          from: fc.oneof(
            fc.constantFrom({ unit: "mV" }, { unit: "°F" }, { unit: "odd" }),
            path.map((to) => ({ path: to })),
          ),
        }),
        { maxLength: 2 },
      ),
      labels: fc.dictionary(fc.constantFrom("site", "type", "room", "é"), template, { maxKeys: 3 }),
    },
    { requiredKeys: ["device", "readings"] },
  )
  .map(({ each, ...rest }) => ({
    ...rest,
    ...(each ? { each } : {}),
    decode: "json" as const,
    readings: rest.readings.map((rule) => ({
      ...rule,
      ...(rule.arrays === "history" && { historyTime: { path: "ts", format: "ms" as const } }),
    })),
  })) as fc.Arbitrary<unknown> as fc.Arbitrary<MappingInput>;
const beside: fc.Arbitrary<Beside> = fc.record({
  contentType: fc.constant(null),
  topic: fc.constantFrom(null, "t/dev 1/x", "other"),
  retained: fc.boolean(),
  path: fc.constant([]),
  query: fc.constantFrom({}, { q: "v" }),
  headers: fc.constant({ h: "w" }),
  kafka: fc.constantFrom(null, { topic: "k", key: "key", headers: {}, timestamp: 5 }),
});

/** Leaves by a walk of its own. */
function leavesOf(value: unknown, at = ""): string[] {
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0) return [at];
  return Object.keys(value).flatMap((name) => {
    const written = name === "" ? String.raw`\e` : name.replaceAll(/[.\\]/g, String.raw`\$&`);
    return leavesOf((value as Record<string, unknown>)[name], at === "" ? written : `${at}.${written}`);
  });
}

function textsOf({ messages }: Mapped): string[] {
  return messages.map(({ bytes }) => new TextDecoder().decode(bytes));
}

test("every leaf is accounted for once, messages say what was told of them, and an explanation changes nothing", () => {
  let [messages, leaves] = [0, 0];
  fc.assert(
    fc.property(payloads, mapping, beside, (texts, input, besides) => {
      const parsed = mappingSchema.parse(input);
      const read = texts.flatMap((text): JsonReading[] => {
        try {
          return [readJson(text)];
        } catch {
          return [];
        }
      });
      const parts: Part[] = read.map((value, i) => ({
        value,
        path: read.length > 1 ? `line ${i}` : "",
        beside: { p: "q" },
      }));
      const delivery = { body: new Uint8Array(), arrived: ARRIVED, beside: besides };
      const began = process.cpuUsage();
      const run = compileMapping(parsed);
      const plain = run(parts, delivery);
      const told = compileMapping(parsed, { explain: true })(parts, delivery);
      expect(process.cpuUsage(began).user / 1000).toBeLessThan(MOST_CPU_MS);

      expect(textsOf(told)).toEqual(textsOf(plain));
      expect({ refused: plain.refused, ignored: plain.ignored }).toEqual({
        refused: told.refused,
        ignored: told.ignored,
      });
      expect(textsOf(run(parts, delivery))).toEqual(textsOf(plain));

      // Each leaf once.
      const expected = read.flatMap(({ json }, i) =>
        leavesOf(json).map((at) => (read.length === 1 ? at : at === "" ? `line ${i}` : `line ${i}: ${at}`)),
      );
      expect(told.leaves!.map((leaf) => leaf.path)).toEqual(expected);
      leaves += expected.length;

      // What leaves became is what messages hold, and what was refused is told.
      const readings = told.messages.flatMap((message) => message.readings);
      expect(
        told
          .leaves!.filter(({ as }) => as === "reading")
          .map(({ path, why }) => `${path} ${why}`)
          .sort(),
      ).toEqual(readings.map((reading) => `${reading.path} ${reading.metric}`).sort());
      for (const { path } of told.leaves!.filter(({ as }) => as === "refused"))
        expect(
          told.refused.some((refusal) => isWithin(path, refusal.path)),
          path,
        ).toBe(true);

      // The worker reads the same.
      for (const message of told.messages) {
        messages++;
        const outcome = decodeMessage(message.bytes, ANY_TIME);
        if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.detail}`);
        const { device, eventTime, texts: words, units, state, refused, refusedLabels } = outcome.message;
        expect({ device, eventTime, refused, refusedLabels }).toEqual({
          ...{ device: message.device, eventTime: message.time, refused: [], refusedLabels: [] },
        });
        const found = new Map<string, unknown>([...readingsOf(outcome.message), ...words, ...(state ?? [])]);
        expect(found).toEqual(new Map(message.readings.map(({ metric, value }) => [metric, value])));
        expect(state !== undefined).toBe(message.isState);
        expect(units ?? new Map()).toEqual(
          new Map(message.readings.flatMap(({ metric, unit }) => (unit === null ? [] : [[metric, unit]]))),
        );
      }
    }),
    { numRuns: 10_000 },
  );
  expect(messages).toBeGreaterThan(2000);
  expect(leaves).toBeGreaterThan(10_000);
}, 120_000);

function isWithin(path: string, whole: string): boolean {
  return whole === "" || path === whole || path.startsWith(`${whole}.`) || path.startsWith(`${whole}: `);
}
