import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { argumentProblems, moduleFiles } from "../kubernetes/terraform";
import { findFormatter, findProviders, findRenderer, findValidators } from "../kubernetes/tools";
import { MANIFEST_TYPOS, TERRAFORM_TYPOS, typed } from "../kubernetes/typos";
import { type Checks, createChecks } from "./checks";

export const OVERLAYS = ["demo", "production", "aws", "gcp", "azure"] as const;
const VERSIONS = ["1.31", "1.34", "1.37"];
const CLOUDS = ["aws", "gcp", "azure"];

/**
 * The manifests of docker/kubernetes, rendered, and the modules of infra before real validators: schemas of several versions of Kubernetes, checkov's
 * policies, and what each provider's resources take. Then ten seeded mistakes, of which each must be found. What can't be had is named, and left out.
 */
export async function main(): Promise<number> {
  const checks = createChecks("manifests");
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-manifests-"));
  try {
    manifests(checks, folder);
    await terraform(checks);
  } finally {
    rmSync(folder, { recursive: true });
  }
  // With nothing to check by there is nothing to fail, and that was said.
  return checks.finish() === 0 || checks.failed.length === 0 ? 0 : 1;
}

function manifests(checks: Checks, folder: string): void {
  const renderer = findRenderer();
  if ("missing" in renderer)
    return console.log(`  left out: the manifests, which nothing renders here (${renderer.missing})`);
  const files = OVERLAYS.map((overlay) => {
    const { status, stdout, stderr } = spawnSync(
      renderer.program,
      ["kustomize", `docker/kubernetes/overlays/${overlay}`],
      { encoding: "utf8" },
    );
    checks.that(`${overlay} is rendered`, status === 0 && stdout.includes("kind: Deployment"), stderr.trim());
    const file = path.join(folder, `${overlay}.yaml`);
    writeFileSync(file, stdout);
    return file;
  });
  const validators = findValidators();
  if ("missing" in validators)
    return console.log(`  left out: kubernetes-validate and checkov (${validators.missing})`);
  const validate = (version: string, all: readonly string[]) =>
    tell(path.join(validators.bin, "kubernetes-validate"), [
      "--kubernetes-version",
      version,
      "--strict",
      "--quiet",
      "--no-warn",
      ...all,
    ]);
  const police = (all: readonly string[]) =>
    tell(path.join(validators.bin, "checkov"), [
      ...["--config-file", "docker/kubernetes/checkov.yaml", "--framework", "kubernetes"],
      ...["--skip-download", "--quiet", "--compact", ...all.flatMap((file) => ["--file", file])],
    ]);
  for (const version of VERSIONS) {
    const { isWell, said } = validate(version, files);
    checks.that(`${files.length} overlays are valid for Kubernetes ${version}`, isWell, said);
  }
  const policies = police(files);
  checks.that("checkov finds nothing", policies.isWell, policies.said);

  const [demo = ""] = files;
  const seeded = path.join(folder, "seeded");
  mkdirSync(seeded);
  for (const [at, typo] of MANIFEST_TYPOS.entries()) {
    const file = path.join(seeded, `${at}.yaml`);
    writeFileSync(file, typed(readFileSync(demo, "utf8"), typo));
    const found = validate(VERSIONS[1]!, [file]);
    const isFound = !found.isWell || !police([file]).isWell;
    checks.that(
      `seeded and found: ${typo.what}`,
      isFound,
      found.isWell ? "" : found.said.split("\n")[0]!.slice(0, 120),
    );
  }
}

async function terraform(checks: Checks): Promise<void> {
  const texts = CLOUDS.flatMap((cloud) => moduleFiles(cloud)).map(
    (file) => [file, readFileSync(file, "utf8")] as const,
  );
  const formatter = findFormatter();
  if ("missing" in formatter) console.log(`  left out: the format of Terraform modules (${formatter.missing})`);
  else
    for (const [file, input] of texts) {
      const { status, stdout } = spawnSync(formatter.program, [], { input, encoding: "utf8" });
      checks.that(`${file} is formatted`, status === 0 && stdout === input);
    }
  const providers = await findProviders();
  if ("missing" in providers) return console.log(`  left out: arguments of Terraform modules (${providers.missing})`);
  for (const [file, text] of texts)
    checks.equal(`${file}: arguments`, await argumentProblems(file, text, providers), []);
  for (const typo of TERRAFORM_TYPOS) {
    const text = typed(readFileSync(typo.file, "utf8"), typo);
    const problems = await argumentProblems(typo.file, text, providers).catch((error: unknown) => [
      String(error).split("\n")[0]!,
    ]);
    checks.that(`seeded and found: ${typo.what}`, problems.length > 0, problems[0]?.slice(0, 120));
  }
}

function tell(program: string, args: readonly string[]): { isWell: boolean; said: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return { isWell: status === 0, said: status === 0 ? "" : `${stdout}${stderr}`.trim().slice(0, 2000) };
}
