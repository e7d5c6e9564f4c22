import { expect, test } from "vitest";
import { loadConfig } from "./config";

const trusting = (TRUSTED_PROXIES: string) => () => loadConfig({ TRUSTED_PROXIES }, "").frontDoor.TRUSTED_PROXIES;

test.each(["0.0.0.0/0", "::/0", "10.0.0.7,128.0.0.0/1", "0.0.0.0/7", "2000::/3"])(
  "%s would have anybody say who they are, and is refused",
  (text) => expect(trusting(text)).toThrow(/none wider than 10\.0\.0\.0\/8 or fc00::\/7/),
);

test("networks as private ones are at most, and single addresses, are proxies", () => {
  expect(trusting("10.0.0.0/8, fc00::/7, ::1, 192.0.2.7/32")()).toHaveLength(4);
});
