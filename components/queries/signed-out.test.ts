import { describe, expect, it } from "vitest";
import { signInAddress, wayBack } from "./signed-out";

const at = (address: string) => signInAddress(new URL(address, "http://here"));

describe("signInAddress", () => {
  it("holds the way back, with what the address says", () => {
    expect(at("/devices?state=silent#x")).toBe("/sign-in?to=%2Fdevices%3Fstate%3Dsilent%23x");
    expect(at("/devices/a%2Fb")).toBe("/sign-in?to=%2Fdevices%2Fa%252Fb");
  });

  it("needs none from the overview, and leads nowhere from the sign-in page itself", () => {
    expect(at("/")).toBe("/sign-in");
    expect(at("/sign-in?to=%2Fdevices")).toBeNull();
  });
});

describe("wayBack", () => {
  it("goes to a path of this site", () => {
    expect(wayBack("/devices?state=silent&q=a%20b#top")).toBe("/devices?state=silent&q=a%20b#top");
    expect(wayBack(null)).toBe("/");
    expect(wayBack("/devices?_rsc=1x2")).toBe("/devices");
    expect(wayBack("/sign-in?to=/devices")).toBe("/");
  });

  it.each([
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "/\t/evil.example/",
    "/\n\\evil.example",
    "/.//evil.example/",
    "/x/..//evil.example/",
    "javascript:alert(1)",
    "devices",
    "",
    "http:devices",
  ])("goes nowhere else: %j", (to) => {
    expect(wayBack(to)).toBe("/");
  });
});
