import { expect, it } from "vitest";
import { inMetricOrder } from "./metric-order";

it("shows what is measured before the device's own state", () => {
  expect(inMetricOrder(["battery", "temperature", "rssi", "co2"])).toEqual(["co2", "temperature", "battery", "rssi"]);
});
