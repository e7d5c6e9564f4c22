import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { cache, type Found, fromGo } from "../made-programs";

const KUBECTL = "kubectl";
const KUBERNETES = "1.34.4";
const ETCD = "v3.6.16";
/** Modules of Go whose sources hold the definitions of others' kinds, and the folder they lie in. */
const DEFINITIONS: readonly (readonly [module: string, folder: string])[] = [
  ["github.com/kedacore/keda/v2@v2.21.0", "config/crd/bases"],
  ["github.com/prometheus-operator/prometheus-operator@v0.85.0", "example/prometheus-operator-crd"],
  ["sigs.k8s.io/secrets-store-csi-driver@v1.5.3", "config/crd/bases"],
  ["github.com/external-secrets/external-secrets@v0.20.4", "config/crds/bases"],
];
/** Only what the manifests name. */
const KINDS = /scaledobjects|servicemonitors|podmonitors|secretproviderclasses\.|externalsecrets/;
/** What lies beside k8s.io/kubernetes in its repository, and has to be of the same version. */
const STAGING = (
  "api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap code-generator component-base component-helpers " +
  "controller-manager cri-api cri-client csi-translation-lib dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager " +
  "kube-proxy kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver sample-cli-plugin sample-controller"
).split(" ");

/** What the drill runs. */
type Wanted = "kube-apiserver" | "kubectl" | "etcd";

/**
 * The programs of a cluster's control plane that check manifests: kubectl as it is installed, and what isn't, built once through the Go module proxy if
 * `mayBuild`. kube-apiserver takes some eight minutes of processor time and 2 GB of memory.
 */
export function findControlPlane(mayBuild: boolean): Readonly<Record<Wanted, string>> | { readonly missing: string } {
  const found: Partial<Record<Wanted, string>> = {};
  const onlyBy = mayBuild ? null : "kubernetes";
  if (spawnSync(KUBECTL, ["version", "--client"]).status === 0) found.kubectl = KUBECTL;
  for (const wanted of ["kube-apiserver", "etcd", "kubectl"] as const) {
    if (found[wanted] !== undefined) continue;
    const one = wanted === "etcd" ? findEtcd(onlyBy) : findOfKubernetes(wanted, onlyBy);
    if ("missing" in one) return { missing: `${wanted}: ${one.missing}` };
    found[wanted] = one.program;
  }
  return found as Record<Wanted, string>;
}

function findOfKubernetes(wanted: "kube-apiserver" | "kubectl", onlyBy: string | null): Found {
  const at = `k8s.io/kubernetes/cmd/${wanted}`;
  // Without a version of its own, the server takes itself for one of no version, and kubectl for an older one.
  const version = `-X k8s.io/component-base/version.gitVersion=v${KUBERNETES}`;
  return fromGo(`${wanted}-${KUBERNETES}`, { onlyBy }, [
    ["mod", "edit", ...STAGING.map((name) => `-replace=k8s.io/${name}=k8s.io/${name}@v0${KUBERNETES.slice(1)}`)],
    ["get", "-tool", `${at}@v${KUBERNETES}`],
    ["build", "-p", "1", "-trimpath", `-ldflags=-s -w ${version}`, "-o", "made", at],
  ]);
}

function findEtcd(onlyBy: string | null): Found {
  const at = "go.etcd.io/etcd/server/v3";
  return fromGo(`etcd-${ETCD}`, { onlyBy }, [
    ["get", "-tool", `${at}@${ETCD}`],
    ["build", "-p", "1", "-trimpath", "-ldflags=-s -w", "-o", "made", at],
  ]);
}

/** Files with the definitions of kinds that the manifests use and Kubernetes hasn't; fetched through the Go module proxy. */
export function findDefinitions(): { readonly files: readonly string[] } | { readonly missing: string } {
  const files: string[] = [];
  for (const [module, folder] of DEFINITIONS) {
    const { status, stdout, stderr, error } = spawnSync("go", ["mod", "download", "-json", module], {
      cwd: cache(),
      encoding: "utf8",
    });
    if (status !== 0) return { missing: `${module}: ${error?.message ?? (stderr.trim() || stdout.trim())}` };
    const at = path.join((JSON.parse(stdout) as { Dir: string }).Dir, folder);
    files.push(
      ...readdirSync(at)
        .filter((name) => KINDS.test(name))
        .map((name) => path.join(at, name)),
    );
  }
  return { files };
}
