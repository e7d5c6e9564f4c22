import { readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { parse } from "yaml";

export const ROOT = path.resolve(import.meta.dirname, "../..");

/** The parts of a service that the tests look at; the published schema says what they may hold. */
export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly container_name?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly network_mode?: string;
  readonly networks?: readonly string[] | Readonly<Record<string, { readonly aliases?: readonly string[] } | null>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly profiles?: readonly string[];
  readonly healthcheck?: { readonly disable?: boolean; readonly test?: readonly string[] } & Record<string, unknown>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly restart?: string;
  readonly mem_limit?: string;
  readonly init?: boolean;
  readonly read_only?: boolean;
  readonly deploy?: { readonly replicas?: string };
  readonly logging?: { readonly driver: string; readonly options: Readonly<Record<string, string>> };
}

export interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly networks: Readonly<
    Record<
      string,
      { readonly internal: boolean; readonly ipam?: { readonly config: readonly { readonly subnet: string }[] } }
    >
  >;
}

/** docker/compose.yaml as text, and its variables: every one named in it, and those it refuses to go without. */
export function readCompose(): { text: string; named: string[]; required: string[] } {
  const text = readFileSync(path.join(ROOT, "docker/compose.yaml"), "utf8");
  const found = [...withoutComments(text).matchAll(VARIABLE)].map(({ groups }) => groups!).filter(({ name }) => name);
  const names = (list: typeof found) => [...new Set(list.map(({ name }) => name!))].sort();
  return { text, named: names(found), required: names(found.filter(({ operator }) => operator === ":?")) };
}

/** docker/.env.example's variables. */
export function readEnvExample(): Record<string, string> {
  return parseEnv(readFileSync(path.join(ROOT, "docker/.env.example"), "utf8")) as Record<string, string>;
}

/** The file's meaning once Compose has put `env` in. @throws Error naming a required variable that is missing or empty. */
export function resolveCompose(text: string, env: Readonly<Record<string, string>>): ComposeFile {
  const put = (value: string) =>
    value.replace(VARIABLE, (whole, ...rest) => {
      const { name, operator, other } = rest.at(-1) as Record<string, string | undefined>;
      if (name === undefined) return "$";
      const given = env[name];
      if (given !== undefined && given !== "") return given;
      if (operator === ":-") return other ?? "";
      if (operator === ":?") throw new Error(`${name} ${other}`);
      throw new Error(`${whole} has neither a default nor a message`);
    });
  return walk(parse(text, { merge: true }), put) as ComposeFile;
}

/** `$$`, or `${NAME}` with what Compose allows behind the name; a `$` of any other kind stays and is caught by the tests. */
const VARIABLE = /\$\$|\$\{(?<name>[A-Z_][A-Z0-9_]*)(?:(?<operator>:[-?])(?<other>[^}]*))?\}/g;

function walk(value: unknown, put: (text: string) => string): unknown {
  if (typeof value === "string") return put(value);
  if (Array.isArray(value)) return value.map((item) => walk(item, put));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, put)]));
}

function withoutComments(text: string): string {
  return text.replace(/^\s*#.*$/gm, "");
}
