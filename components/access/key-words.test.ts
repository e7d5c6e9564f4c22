import { describe, expect, it } from "vitest";
import { curlWith, networksIn, newNamesNote, purposeOf } from "./key-words";

describe("curlWith", () => {
  it("sends a message as the device the key is for", () => {
    const sent = curlWith({ kind: "device", device: "pump-01" }, "fwd_x", "https://here");
    expect(sent).toContain("curl https://here/api/v1/telemetry");
    expect(sent).toContain("-H 'Authorization: Bearer fwd_x'");
    expect(sent).toContain(`-d '{"device":"pump-01","time":'$(date +%s)',"readings":{"temperature":21.3}}'`);
    expect(curlWith({ kind: "site", device: null }, "fws_x", "http://here:3000")).toContain(`"device":"press-07"`);
  });

  it("asks who a program's key is", () => {
    expect(curlWith({ kind: "service", device: null }, "fwk_x", "http://here:3000")).toBe(
      "curl http://here:3000/api/v1/me -H 'Authorization: Bearer fwk_x'",
    );
  });
});

it("tells when a key has nearly named as much that is new as it may, and when it has", () => {
  const limits = { devices: 2000, metrics: 100 };
  expect(newNamesNote({ devices: 1599, metrics: 0 }, limits)).toBeNull();
  expect(newNamesNote({ devices: 0, metrics: 80 }, limits)).toEqual({
    ...{ text: "80 of 100 new metrics within the hour", isFull: false },
  });
  expect(newNamesNote({ devices: 2000, metrics: 5 }, limits)).toEqual({
    ...{ text: "2,000 of 2,000 new devices within the hour", isFull: true },
  });
  expect(newNamesNote({ devices: 0, metrics: 0 }, { devices: 0, metrics: 0 })).toBeNull();
});

it("says what a key is for, and takes addresses as they are written", () => {
  expect(purposeOf({ kind: "service", role: "viewer", device: null, source: null, site: null })).toBe(
    "Program, viewer",
  );
  expect(purposeOf({ kind: "service", role: "viewer", device: null, source: null, site: "north" })).toBe(
    "Program, viewer at north",
  );
  expect(purposeOf({ kind: "device", role: null, device: "pump-01", source: null, site: null })).toBe("Device pump-01");
  expect(purposeOf({ kind: "source", role: null, device: null, source: "barn", site: "north" })).toBe(
    "Source barn at north",
  );
  expect(purposeOf({ kind: "site", role: null, device: null, source: null, site: "north" })).toBe("Devices of north");
  expect(networksIn(" 10.0.0.0/8, 192.168.1.7\n::1 ")).toEqual(["10.0.0.0/8", "192.168.1.7", "::1"]);
});
