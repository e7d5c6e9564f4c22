import { expect, test } from "vitest";
import { compileMapping } from "@/server/domain/mapping/compile";
import { NOTHING_BESIDE } from "@/server/domain/mapping/delivery";
import { mappingSchema } from "@/server/domain/mapping/mapping";
import { readJson } from "@/server/domain/json";
import { sourceHeaders } from "@/server/domain/source-mark";
import { pipelineBench } from "@/server/testing/pipeline-bench";

const bench = pipelineBench();
const T = Date.UTC(2026, 0, 15, 10, 0, 30);
const ORDERS = [
  ["text", "number"],
  ["number", "text"],
];

/** What two devices send of one metric: one as text, one as a number. */
const SENT: Readonly<Record<string, object>> = {
  text: { device: "by-text", time: T, readings: { soil: "20.5", power: "1e3" } },
  number: { device: "by-number", time: T + 1, readings: { soil: 20.7, power: 12 } },
};

const read = compileMapping(
  mappingSchema.parse({
    ...{ decode: "json", device: ["{device}"], time: [{ from: { path: "time" }, format: "ms" }] },
    readings: [{ root: "readings" }],
  }),
);

/** As a door of a source appends it. */
function appendMapped(message: object): void {
  const body = JSON.stringify(message);
  const part = { value: readJson(body), path: "", beside: {} };
  const delivery = { body: Buffer.from(body), arrived: T, beside: NOTHING_BESIDE };
  for (const { bytes } of read([part], delivery).messages)
    bench.log.append(0, JSON.parse(Buffer.from(bytes).toString()), T, sourceHeaders("barn", 1));
}

test.each(ORDERS)("numbers that come as %s and then as %s are the same readings through a source", async (...order) => {
  const rig = await bench.rig();
  for (const how of order) {
    appendMapped(SENT[how]!);
    await rig.drain();
  }
  expect((await bench.readings()).map(({ device, metric, value }) => [device, metric, value])).toEqual([
    ["by-number", "power", 12],
    ["by-number", "soil", 20.7],
    ["by-text", "power", 1000],
    ["by-text", "soil", 20.5],
  ]);
  expect(await bench.letters()).toEqual([]);
});

test.each(ORDERS)(
  "by the telemetry route, whose texts stay texts, %s before %s makes no other readings",
  async (...order) => {
    const rig = await bench.rig();
    for (const how of order) {
      bench.log.append(0, SENT[how]);
      await rig.drain();
    }
    expect((await bench.readings()).map(({ device, metric, value }) => [device, metric, value])).toEqual([
      ["by-number", "power", 12],
      ["by-number", "soil", 20.7],
    ]);
  },
);
