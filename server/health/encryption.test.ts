import { expect, test } from "vitest";
import { judgeEncryption } from "./encryption";

const DAY = 86_400_000;
const at = (left: number, problem: string | null = null) =>
  judgeEncryption({ exposure: "own-tls", certificate: { names: "DNS:iot.example", validTo: left, problem } }, 0).status;

test("plain HTTP from elsewhere is warned of for ever, and all else is well", () => {
  const of = (exposure: "loopback" | "proxy-tls" | "plain") =>
    judgeEncryption({ exposure, certificate: null }, 0).status;
  expect([of("loopback"), of("proxy-tls"), of("plain")]).toEqual(["pass", "pass", "warn"]);
});

test("a certificate is warned of three weeks before its end, and when a newer one can't be used", () => {
  expect([at(22 * DAY), at(20 * DAY), at(0)]).toEqual(["pass", "warn", "fail"]);
  expect([at(90 * DAY, "key values mismatch"), at(-DAY, "key values mismatch")]).toEqual(["warn", "fail"]);
});
