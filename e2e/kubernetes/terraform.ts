import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Provider } from "./tools";

/** What every resource and block takes besides its own. */
const META = new Set([
  "depends_on",
  "count",
  "for_each",
  "provider",
  "lifecycle",
  "provisioner",
  "connection",
  "dynamic",
]);
const PREFIXES: Readonly<Record<string, Provider>> = { aws: "aws", google: "google", azurerm: "azurerm" };

interface Block {
  readonly [argument: string]: unknown;
}
interface Field {
  readonly isRequired: boolean;
  /** The interface of a nested block. */
  readonly block: string | null;
}

/** What is wrong with the arguments of a module's resources and data sources: unknown ones, and required ones that aren't there. */
export async function argumentProblems(
  file: string,
  text: string,
  { parse, typesOf }: { parse: (file: string, text: string) => Promise<unknown>; typesOf: (of: Provider) => string },
): Promise<string[]> {
  const { resource = {}, data = {} } = (await parse(file, text)) as Record<
    string,
    Record<string, Record<string, unknown>>
  >;
  const problems: string[] = [];
  for (const [kind, all] of [
    ["resource", resource],
    ["data", data],
  ] as const)
    for (const [type, named] of Object.entries(all)) {
      const [prefix = "", ...words] = type.split("_");
      const provider = PREFIXES[prefix];
      if (provider === undefined) continue;
      const folder = kind === "data" ? ["data", prefix, ...words] : words;
      const types = path.join(typesOf(provider), folder.join("-"), "index.d.ts");
      if (!existsSync(types)) {
        problems.push(`${file}: there is no ${kind} ${type}`);
        continue;
      }
      const interfaces = interfacesIn(readFileSync(types, "utf8"));
      const [config = ""] = [...interfaces.keys()].filter((name) => name.endsWith("Config"));
      for (const [name, blocks] of Object.entries(named))
        for (const block of blocks as Block[]) check(`${file}: ${type}.${name}`, block, config, interfaces);
    }
  return problems;

  function check(at: string, block: Block, name: string, interfaces: Interfaces, top = name): void {
    const fields = interfaces.get(name);
    if (fields === undefined) return;
    // What is nested takes none of that: `provider` is a block there, of a cluster's encryption.
    const isNested = name !== top;
    const dynamic = Object.keys((block.dynamic ?? {}) as object);
    const given = [
      ...Object.keys(block).filter((one) => one !== "dynamic" && (isNested || !META.has(one))),
      ...dynamic,
    ].map(camel);
    for (const argument of given) if (!fields.has(argument)) problems.push(`${at} takes no ${argument}`);
    for (const [argument, { isRequired }] of fields)
      if (isRequired && !given.includes(argument)) problems.push(`${at} wants ${argument}`);
    for (const [argument, value] of Object.entries(block)) {
      const nested = fields.get(camel(argument))?.block;
      if (nested == null || !Array.isArray(value)) continue;
      for (const one of value)
        if (typeof one === "object") check(`${at}.${argument}`, one as Block, nested, interfaces, top);
    }
  }
}

/** The module files of infra/<cloud>. */
export function moduleFiles(cloud: string): string[] {
  return readdirSync(`infra/${cloud}`)
    .filter((name) => name.endsWith(".tf"))
    .map((name) => `infra/${cloud}/${name}`);
}

type Interfaces = ReadonlyMap<string, ReadonlyMap<string, Field>>;

function interfacesIn(text: string): Interfaces {
  const found = [...text.matchAll(/^export interface (\w+)[^{]*\{\n([^]*?)^\}/gm)].map(([, name, body]) => {
    const fields = [...body!.matchAll(/^ {4}readonly (\w+)(\??): ([^;{]*)/gm)].map(([, field, optional, type]) => {
      const [, block = null] = /^(?:cdktf\.IResolvable \| )?([A-Z]\w+)(?:\[\])?/.exec(type!.trim()) ?? [];
      return [field!, { isRequired: optional === "", block }] as const;
    });
    return [name!, new Map<string, Field>(fields)] as const;
  });
  return new Map(found);
}

function camel(name: string): string {
  return name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
