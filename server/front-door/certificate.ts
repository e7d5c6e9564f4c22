import { X509Certificate } from "node:crypto";
import type { Server } from "node:https";

/** A certificate and its private key, in PEM. */
export interface Pair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The certificate in use, and why a newer one in the files is not. */
export interface CertificateState {
  /** Names it is made out to. */
  readonly names: string;
  /** When it ends, in milliseconds since 1970. */
  readonly validTo: number;
  /** Null when the files hold the certificate in use. */
  readonly problem: string | null;
}

export interface Certificate {
  readonly pair: Pair;
  state(): CertificateState;
  /** Gives `server` each new pair; connections that are open keep theirs. */
  keepCurrent(server: Pick<Server, "setSecureContext">): void;
  stop(): void;
}

/**
 * Reads a certificate, and reads it again every so often: files of secrets are replaced by links and mounts, of which no watch tells for sure.
 * @param options.read throws when the files can't be used together; then what was read before stays.
 * @throws what `read` throws the first time.
 */
export function openCertificate(options: {
  read: () => Pair;
  everyMs: number;
  onChange: (state: CertificateState) => void;
}): Certificate {
  const { read, everyMs, onChange } = options;
  let pair = read();
  let problem: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  const state = () => {
    const { subjectAltName, subject, validTo } = new X509Certificate(pair.cert);
    return { names: subjectAltName ?? subject, validTo: Date.parse(validTo), problem };
  };
  return {
    pair,
    state,
    keepCurrent(server) {
      timer = setInterval(() => {
        const before = problem;
        try {
          const found = read();
          problem = null;
          if (found.cert.equals(pair.cert) && found.key.equals(pair.key)) return before !== null && onChange(state());
          server.setSecureContext({ ...found, minVersion: OLDEST_TLS });
          pair = found;
          onChange(state());
        } catch (error) {
          problem = (error as Error).message;
          if (problem !== before) onChange(state());
        }
      }, everyMs).unref();
    },
    stop: () => clearInterval(timer),
  };
}

/** The oldest TLS that is spoken. */
export const OLDEST_TLS = "TLSv1.2";
