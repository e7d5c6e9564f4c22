import { execFileSync } from "node:child_process";
import path from "node:path";

/** Makes a certificate for `name` that signed itself, with its key, in a folder. @returns the two files. */
export function makeCertificate(folder: string, name: string): { readonly cert: string; readonly key: string } {
  const [cert, key] = [path.join(folder, `${name}.crt`), path.join(folder, `${name}.key`)];
  const args = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90"];
  args.push("-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`, "-keyout", key, "-out", cert);
  execFileSync("openssl", ["req", ...args], { stdio: "ignore" });
  return { cert, key };
}
