import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeCertificate } from "@/server/testing/certificate";
import { loadConfig } from "./config";
import { exposureOf, refuseExposure } from "./exposure";

const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-tls-"));
afterAll(() => rmSync(folder, { recursive: true }));
const one = makeCertificate(folder, "one.example");
const two = makeCertificate(folder, "two.example");

/** What is said against these variables; null if nothing. */
function refused(env: Record<string, string>): string | null {
  try {
    refuseExposure(loadConfig(env, ""));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

test.each(["0.0.0.0", "::", "192.0.2.1", "iot.example"])(
  "listening on %s takes TLS, a proxy, or the word for it",
  (HOST) => {
    const why = refused({ HOST })!;
    for (const way of ["TLS_CERT_FILE", "TLS_KEY_FILE", "PUBLIC_URL=https", "TRUSTED_PROXIES", "ALLOW_PLAIN_HTTP=true"])
      expect(why).toContain(way);
    expect(refused({ HOST, PUBLIC_URL: "https://iot.example" })).toContain("TRUSTED_PROXIES");
    expect(refused({ HOST, PUBLIC_URL: "http://iot.example", TRUSTED_PROXIES: "10.0.0.1" })).toContain(
      "PUBLIC_URL=https",
    );
    expect(refused({ HOST, PUBLIC_URL: "https://iot.example", TRUSTED_PROXIES: "10.0.0.1" })).toBeNull();
    expect(refused({ HOST, ALLOW_PLAIN_HTTP: "true" })).toBeNull();
    expect(refused({ HOST, TLS_CERT_FILE: one.cert, TLS_KEY_FILE: one.key })).toBeNull();
  },
);

test.each(["127.0.0.1", "127.3.2.1", "::1", "localhost", ""])("listening on %j takes nothing", (HOST) => {
  expect(refused({ HOST })).toBeNull();
});

test("a certificate that can't be used is named, whatever it listens on", () => {
  const broken = path.join(folder, "broken.crt");
  writeFileSync(broken, "no certificate");
  expect(refused({ TLS_CERT_FILE: one.cert })).toContain("TLS_KEY_FILE: is missing");
  expect(refused({ TLS_KEY_FILE: one.key })).toContain("TLS_CERT_FILE: is missing");
  expect(refused({ TLS_CERT_FILE: one.cert, TLS_KEY_FILE: `${one.key}x` })).toContain("TLS_KEY_FILE: names a file");
  expect(refused({ TLS_CERT_FILE: one.cert, TLS_KEY_FILE: two.key })).toContain("no pair that can be used");
  expect(refused({ TLS_CERT_FILE: broken, TLS_KEY_FILE: one.key })).toContain("no pair that can be used");
});

test("who could read along", () => {
  const of = (env: Record<string, string>) => exposureOf(loadConfig(env, ""));
  expect(of({})).toBe("loopback");
  expect(of({ ALLOW_PLAIN_HTTP: "true" })).toBe("loopback");
  expect(of({ HOST: "::", ALLOW_PLAIN_HTTP: "true" })).toBe("plain");
  expect(of({ HOST: "::", PUBLIC_URL: "https://a", TRUSTED_PROXIES: "::1", ALLOW_PLAIN_HTTP: "true" })).toBe(
    "proxy-tls",
  );
  expect(of({ TLS_CERT_FILE: one.cert, TLS_KEY_FILE: one.key })).toBe("own-tls");
});
