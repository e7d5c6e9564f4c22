import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { javaTool } from "./java";

const run = promisify(execFile);

/** Guards a key that is worth nothing outside of its test. */
export const STORE_PASSWORD = "fieldwatch";

/** A key with a certificate for 127.0.0.1 and localhost that it signed itself. */
export interface Certificate {
  /** PKCS12, with STORE_PASSWORD. */
  readonly storeFile: string;
  /** PEM: clients trust it as their authority. */
  readonly caFile: string;
}

/** Makes the certificate in the folder, unless it is there, with Java's keytool; it is valid for a year. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const [storeFile, caFile] = [path.join(folder, "tls.p12"), path.join(folder, "tls-ca.pem")];
  const store = ["-keystore", storeFile, "-storetype", "PKCS12", "-storepass", STORE_PASSWORD, "-alias", "engine"];
  if (!existsSync(caFile)) {
    await run(javaTool("keytool"), [
      ...["-genkeypair", ...store, "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "365"],
      ...["-dname", "CN=localhost", "-ext", "bc:c=ca:true", "-ext", "san=ip:127.0.0.1,dns:localhost"],
    ]);
    await run(javaTool("keytool"), ["-exportcert", "-rfc", ...store, "-file", caFile]);
  }
  return { storeFile, caFile };
}
