import { randomBytes } from "node:crypto";

/** Headers of every answer, refusals and sockets too; there are none that would let pages of other origins read it. */
const ALWAYS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
} as const;

const NO_FRAMES = "frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'";
const YEAR_S = 31_536_000;

/** The headers of an answer that isn't a page: nothing in it is ever run or shown as one. */
export function securityHeaders(isHttps: boolean): Record<string, string> {
  return {
    ...ALWAYS,
    "content-security-policy": `default-src 'none'; style-src 'unsafe-inline'; ${NO_FRAMES}`,
    ...(isHttps ? { "strict-transport-security": `max-age=${YEAR_S}` } : {}),
  };
}

/** The policy of one page. Only scripts that carry its nonce run, and those they load; the component library styles elements in place. */
export function pagePolicy(): string {
  const nonce = randomBytes(16).toString("base64");
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "worker-src 'self'",
    NO_FRAMES,
  ].join("; ");
}
