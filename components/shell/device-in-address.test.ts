import { expect, test } from "vitest";
import { toSegment } from "@/server/domain/segment";
import { deviceInAddress } from "./device-in-address";

test("every device that may be stored has an address that leads to it", () => {
  for (const name of ["press-07", "a:b.c", ".", "..", "page.rsc", "constructor"])
    expect(deviceInAddress(toSegment(name))).toBe(name);
});

test("what can't be the name of a device is none", () => {
  for (const segment of ["%E0%A4%A", "a%20b", "%00", "~", "a~~", "", "x".repeat(129)])
    expect(deviceInAddress(segment)).toBeNull();
});
