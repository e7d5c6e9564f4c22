import { expect, test } from "vitest";
import { mappingSchema } from "@/server/domain/mapping/mapping";
import { NOTHING_BESIDE } from "@/server/domain/mapping/delivery";
import { readDelivery } from "../read";
import { esphome } from "./esphome";
import { generic } from "./generic";
import { homeAssistant } from "./home-assistant";
import { shellyGen1 } from "./shelly-gen1";
import { tasmota } from "./tasmota";
import type { SourceTemplate } from "./template";

function read({ mapping }: SourceTemplate, topic: string, body: unknown) {
  const delivery = {
    body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    arrived: Date.UTC(2026, 10, 28),
    beside: { ...NOTHING_BESIDE, topic },
  };
  const { messages, refused, ignored } = readDelivery({ mapping: mappingSchema.parse(mapping), labels: {} }, delivery);
  const readings = Object.fromEntries(
    messages.flatMap((one) => one.readings.map(({ metric, value }) => [metric, value])),
  );
  return { readings, absent: ignored.get("absent") ?? 0, refused };
}

test.each([-127, -200, 327.67, 3276.7, 32767, 65535, "nan", "unavailable", "unknown", "None", "NULL"])(
  "%s as a temperature or humidity is no reading, and is counted",
  (none) => {
    const { readings, absent, refused } = read(generic, "d", { temperature: none, hum: none, power: 5 });
    expect({ readings, absent, refused }).toEqual({ readings: { power: 5 }, absent: 2, refused: [] });
  },
);

test("85 is none of a DS18B20, -200 none of a gas; everything else may be as large or cold as it likes", () => {
  const chips = { DS18B20: { Temperature: 85 }, BME280: { Temperature: 85, Humidity: 40 }, TempUnit: "C" };
  const told = read(tasmota, "tele/shed/SENSOR", chips);
  expect(told.readings).toMatchObject({ "BME280.Temperature": 85, "BME280.Humidity": 40 });
  expect(told.readings).not.toHaveProperty("DS18B20.Temperature");
  expect(told.absent).toBe(1);
  expect(
    read(generic, "d", { "CO(GT)": -200, power: 327.67, altitude: -200, count: 65535, level: 85 }).readings,
  ).toEqual({
    ...{ power: 327.67, altitude: -200, count: 65535, level: 85 },
  });
});

test.each([
  [esphome, "shed/sensor/ds18b20/state", "85.0"],
  [esphome, "shed/sensor/outside_temp/state", "nan"],
  [homeAssistant, "ha/sensor/attic_temperature/state", '"unavailable"'],
  [homeAssistant, "ha/sensor/attic_temperature/state", "-127"],
  [shellyGen1, "shellies/ht/ext_temperature/0", "999"],
  [shellyGen1, "shellies/ht/sensor/humidity", "655.35"],
])("$kind: a single value that stands for none is absent", (template, topic, body) => {
  expect(read(template, topic, body)).toEqual({ readings: {}, absent: 1, refused: [] });
});
