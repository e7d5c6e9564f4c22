import type { Config } from "./config/config";
import { readCertificate } from "./config/exposure";
import { type Certificate, openCertificate } from "./front-door/certificate";
import type { Logger } from "./observability/logger";

/** Interval of looking for a new certificate, in milliseconds. */
const CERTIFICATE_MS = 5000;

/** Reads the certificate of the configuration, if it names one. */
export function certificateOf({ frontDoor }: Config, logger: Logger): Certificate | null {
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = frontDoor;
  if (certFile === undefined || keyFile === undefined) return null;
  return openCertificate({
    read: () => readCertificate(certFile, keyFile),
    everyMs: CERTIFICATE_MS,
    onChange({ names, validTo, problem }) {
      if (problem === null) logger.info({ names, validTo: new Date(validTo).toISOString() }, "a certificate was read");
      else logger.warn({ why: problem }, "the new certificate can't be used; the one of before is kept");
    },
  });
}
