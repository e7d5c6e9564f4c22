import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { findControlPlane, findDefinitions } from "../kubernetes/api-server";
import { MANIFEST_TYPOS, typed } from "../kubernetes/typos";
import { freePort } from "../product";
import { until } from "../waiting";
import { createChecks } from "./checks";
import { OVERLAYS } from "./manifests";

const START_MS = 120_000;
const TOKEN = "drill";

/**
 * The overlays before a real API server with the definitions of KEDA, the Prometheus operator, External Secrets and the CSI driver: each is taken as
 * it is, with no warning of Pod Security, and what isn't in the schema is refused. The first run builds the server, for some ten minutes; short, it
 * takes one that was built before.
 */
export async function main(argv: string[]): Promise<number> {
  const { short } = parseArgs({ args: argv, options: { short: { type: "boolean", default: false } } }).values;
  const programs = findControlPlane(!short);
  if ("missing" in programs) return leftOut(programs.missing);
  const definitions = findDefinitions();
  if ("missing" in definitions) return leftOut(definitions.missing);

  const checks = createChecks("kubernetes");
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-kubernetes-"));
  const running: ChildProcess[] = [];
  try {
    const [store, peers, port] = [await freePort(), await freePort(), await freePort()];
    const at = (one: number) => `http://127.0.0.1:${one}`;
    const run = (program: string, args: readonly string[]) => {
      const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
      let said = "";
      child.stderr.on("data", (part: Buffer) => (said = (said + part.toString()).slice(-3000)));
      running.push(child);
      return () => said;
    };
    run(programs.etcd, [
      ...["--data-dir", "etcd", "--listen-client-urls", at(store), "--advertise-client-urls", at(store)],
      ...[
        "--listen-peer-urls",
        at(peers),
        "--initial-advertise-peer-urls",
        at(peers),
        "--initial-cluster",
        `default=${at(peers)}`,
      ],
    ]);
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      ...{ modulusLength: 2048, publicKeyEncoding: { type: "spki", format: "pem" } },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    for (const [name, text] of [
      ["accounts.key", privateKey],
      ["accounts.pub", publicKey],
      ["tokens.csv", `${TOKEN},drill,drill,system:masters\n`],
    ] as const)
      writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    const serverSaid = run(programs["kube-apiserver"], [
      ...[
        "--etcd-servers",
        at(store),
        "--bind-address",
        "127.0.0.1",
        "--secure-port",
        String(port),
        "--cert-dir",
        "certificates",
      ],
      ...["--service-account-issuer", "https://drill.invalid", "--service-account-signing-key-file", "accounts.key"],
      ...[
        "--service-account-key-file",
        "accounts.pub",
        "--token-auth-file",
        "tokens.csv",
        "--authorization-mode",
        "AlwaysAllow",
      ],
      ...["--service-cluster-ip-range", "10.96.0.0/16", "--advertise-address", "10.96.0.99"],
    ]);
    const kubectl = (args: readonly string[], input?: string) => {
      const own = ["--server", `https://127.0.0.1:${port}`, "--insecure-skip-tls-verify", "--token", TOKEN];
      const env = { ...process.env, KUBECONFIG: path.join(folder, "none") };
      return spawnSync(programs.kubectl, [...own, ...args], { input, encoding: "utf8", env });
    };
    await until(() => kubectl(["get", "--raw", "/readyz"]).status === 0, {
      timeoutMs: START_MS,
      what: `the API server is ready: ${serverSaid()}`,
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${serverSaid()}`);
    });
    const files = definitions.files.flatMap((file) => ["--filename", file]);
    // By the server: they are too large for the note that kubectl keeps of what it applied.
    const defined = kubectl(["apply", "--server-side", ...files]);
    checks.that(
      `${definitions.files.length} definitions of others' kinds`,
      defined.status === 0,
      defined.stderr.slice(0, 500),
    );
    const waited = kubectl(["wait", "--for=condition=Established", "--timeout=60s", ...files]);
    checks.that("which are established", waited.status === 0, waited.stderr.slice(0, 500));
    const namespace = kubectl([
      "apply",
      "--filename",
      "docker/kubernetes/base/namespace.yaml",
      "--namespace",
      "fieldwatch",
    ]);
    checks.that("the namespace", namespace.status === 0, namespace.stderr.slice(0, 500));

    const render = (overlay: string) =>
      spawnSync(programs.kubectl, ["kustomize", `docker/kubernetes/overlays/${overlay}`], { encoding: "utf8" }).stdout;
    const offer = (manifests: string) =>
      kubectl(["apply", "--dry-run=server", "--validate=strict", "--filename", "-"], manifests);
    for (const overlay of OVERLAYS) {
      const { status, stdout, stderr } = offer(render(overlay));
      // Made here without it, the namespace lacks what `apply` would remember.
      const warnings = stderr
        .split("\n")
        .filter((line) => line.startsWith("Warning") && !line.includes("last-applied-configuration"));
      checks.that(
        `${overlay}: ${stdout.trim().split("\n").length} objects are taken, without a warning`,
        status === 0 && warnings.length === 0,
        stderr.slice(0, 800),
      );
    }
    // What Pod Security and policies are for, a schema doesn't know.
    for (const typo of MANIFEST_TYPOS.filter(({ isPolicy }) => !isPolicy)) {
      const { status, stderr } = offer(typed(render("demo"), typo));
      checks.that(`refused: ${typo.what}`, status !== 0, stderr.trim().split("\n").at(-1)!.slice(0, 160));
    }
    const careless = {
      what: "privileges",
      from: "allowPrivilegeEscalation: false",
      to: "allowPrivilegeEscalation: true",
    };
    const warned = offer(typed(render("demo"), careless));
    const warning = warned.stderr.split("\n").find((line) => line.includes("would violate PodSecurity")) ?? "";
    checks.that("warned of: a container that may gain privileges", warning !== "", warning.slice(0, 160));
    const scaling = readFileSync("docker/kubernetes/parts/scaling/scaling.yaml", "utf8").replace(
      "minReplicaCount",
      "minReplicas",
    );
    const refused = offer(scaling);
    checks.that("refused: a field that KEDA doesn't know", refused.status !== 0, refused.stderr.trim().slice(0, 160));
    return checks.finish();
  } finally {
    for (const child of running.reverse()) child.kill();
    await Promise.all(running.map((child) => child.exitCode ?? new Promise((resolve) => child.once("exit", resolve))));
    rmSync(folder, { recursive: true, force: true });
  }
}

function leftOut(why: string): number {
  console.log(`kubernetes: left out (${why})`);
  return 0;
}
