import { expect, test } from "vitest";
import { metricOfList } from "./pinned";

test.each([
  ["sort=-value:battery&where=temperature > 3", "battery"],
  ["sort=id&where=silent >= 1 h and temperature > 3&columns=site,value:humidity", "temperature"],
  ["columns=site,value:humidity,value:battery", "humidity"],
  ["sort=lastSeen&where=wrong <&columns=site", null],
  ["", null],
])("the metric of a list of devices by %s", (address, metric) => {
  expect(metricOfList(new URLSearchParams(address))).toBe(metric);
});
