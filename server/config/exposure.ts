import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { type Config, ConfigError, type ConfigProblem } from "./config";
import { isLoopback } from "./loopback";

type FrontDoor = Config["frontDoor"];

/** How far what is sent to this server can be read on its way. */
export type Exposure = "loopback" | "own-tls" | "proxy-tls" | "plain";

/** Tells who could read along, by where the server listens and who encrypts. */
export function exposureOf({ server, frontDoor }: Pick<Config, "server" | "frontDoor">): Exposure {
  if (frontDoor.TLS_CERT_FILE !== undefined) return "own-tls";
  if (isLoopback(server.HOST)) return "loopback";
  const isBehindTls = frontDoor.PUBLIC_URL?.startsWith("https:") && frontDoor.TRUSTED_PROXIES.length > 0;
  return isBehindTls ? "proxy-tls" : "plain";
}

/** The scheme that the port itself speaks. */
export function scheme({ TLS_CERT_FILE }: Pick<FrontDoor, "TLS_CERT_FILE">): "http" | "https" {
  return TLS_CERT_FILE === undefined ? "http" : "https";
}

/** For roles that listen: refuses to be reached from elsewhere in the clear, and a certificate that can't be used. @throws ConfigError */
export function refuseExposure(config: Pick<Config, "server" | "frontDoor">): void {
  const problems = certificateProblems(config.frontDoor);
  if (problems.length === 0 && exposureOf(config) === "plain" && !config.frontDoor.ALLOW_PLAIN_HTTP)
    problems.push({
      variable: "HOST",
      problem: `is ${config.server.HOST}, which others can reach, and nothing encrypts what they send: passwords and keys could be read on the way.
      Either leave HOST out, so that only this machine can reach it,
      or set TLS_CERT_FILE and TLS_KEY_FILE, by which it encrypts by itself,
      or PUBLIC_URL=https://… and TRUSTED_PROXIES, when a reverse proxy does,
      or ALLOW_PLAIN_HTTP=true, when everyone on this network may read along`,
      example: "127.0.0.1",
    });
  if (problems.length > 0) throw new ConfigError(problems);
}

/** Reads a certificate and its key. @throws Error in words when they can't be read, or don't belong together. */
export function readCertificate(certFile: string, keyFile: string): { readonly cert: Buffer; readonly key: Buffer } {
  const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  createSecureContext(pair);
  return pair;
}

function certificateProblems({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile }: FrontDoor): ConfigProblem[] {
  const of = (variable: "TLS_CERT_FILE" | "TLS_KEY_FILE", problem: string): ConfigProblem[] => [
    { variable, problem, example: `/etc/fieldwatch/tls.${variable === "TLS_CERT_FILE" ? "crt" : "key"}` },
  ];
  if (certFile === undefined && keyFile === undefined) return [];
  if (certFile === undefined) return of("TLS_CERT_FILE", "is missing: TLS_KEY_FILE is set");
  if (keyFile === undefined) return of("TLS_KEY_FILE", "is missing: TLS_CERT_FILE is set");
  for (const [variable, file] of [
    ["TLS_CERT_FILE", certFile],
    ["TLS_KEY_FILE", keyFile],
  ] as const) {
    try {
      readFileSync(file);
    } catch (error) {
      return of(variable, `names a file that can't be read: ${(error as Error).message}`);
    }
  }
  try {
    readCertificate(certFile, keyFile);
    return [];
  } catch (error) {
    return of("TLS_CERT_FILE", `and TLS_KEY_FILE are no pair that can be used: ${(error as Error).message}`);
  }
}
