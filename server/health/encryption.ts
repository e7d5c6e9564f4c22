import type { EpochMs } from "@/server/domain/terms";
import { type Finding, pass, type Probe } from "./probe";

const DAY_MS = 86_400_000;
/** How long before its end a certificate is warned of, in milliseconds. */
const SOON_MS = 21 * DAY_MS;

/** What the server speaks with those who come from elsewhere. */
export interface Encryption {
  readonly exposure: "loopback" | "own-tls" | "proxy-tls" | "plain";
  /** The certificate in use; null without own TLS. */
  readonly certificate: { readonly names: string; readonly validTo: EpochMs; readonly problem: string | null } | null;
}

/** Whether others could read along, and how long the certificate is good. */
export function encryptionProbe(read: () => Encryption, now: () => EpochMs): Probe {
  return {
    name: "front-door.encryption",
    title: "Encryption",
    group: "Front door",
    timeoutMs: 1000,
    run: async () => judgeEncryption(read(), now()),
  };
}

/** Judges what is spoken at `now`. */
export function judgeEncryption({ exposure, certificate }: Encryption, now: EpochMs): Finding {
  if (certificate !== null) return judgeCertificate(certificate, now);
  if (exposure === "loopback") return pass("Reached from this machine alone.");
  if (exposure === "proxy-tls") return pass("Reached through a reverse proxy that encrypts.");
  return {
    status: "warn",
    summary: "Reached from elsewhere without encryption.",
    cause: "ALLOW_PLAIN_HTTP is set: everyone on the way can read passwords, keys and readings.",
    fix: "Set TLS_CERT_FILE and TLS_KEY_FILE, or put a reverse proxy before it that encrypts, with PUBLIC_URL and TRUSTED_PROXIES; then take ALLOW_PLAIN_HTTP out.",
  };
}

function judgeCertificate({ names, validTo, problem }: NonNullable<Encryption["certificate"]>, now: EpochMs): Finding {
  const left = validTo - now;
  const end = new Date(validTo).toISOString().slice(0, 10);
  const summary = `HTTPS by a certificate for ${names}, good until ${end}.`;
  const renew =
    "Renew it, and put the new one in place of TLS_CERT_FILE and TLS_KEY_FILE: it is taken up without a restart.";
  if (problem !== null)
    return {
      status: left <= 0 ? "fail" : "warn",
      summary,
      cause: `The files hold another pair that can't be used, so the one of before is kept: ${problem}`,
      fix: "Put a certificate and the key that belongs to it in place of TLS_CERT_FILE and TLS_KEY_FILE.",
    };
  if (left <= 0) return { status: "fail", summary, cause: "It has ended: browsers refuse it.", fix: renew };
  if (left > SOON_MS) return pass(summary);
  return { status: "warn", summary, cause: `It ends in ${Math.ceil(left / DAY_MS)} days.`, fix: renew };
}
