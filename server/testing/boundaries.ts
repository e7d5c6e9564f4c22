import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { parseSync, Visitor } from "oxc-parser";

/** One part of the program: which files belong to it, and what they may import besides each other. */
export interface Room {
  readonly name: string;
  /** Folder or file, relative to the root, with forward slashes. */
  readonly at: string;
  /** Rooms it may import, by name. */
  readonly imports: readonly string[];
  /** Packages it may import; all when left out. `node:` stands for everything built into Node. */
  readonly packages?: readonly string[];
}

const FOUNDATION = ["domain", "ports", "contracts", "postgres", "async", "config", "observability"];
const FEATURES = [
  "simulator",
  "replay",
  "health",
  "realtime",
  "jobs",
  "catalog",
  "readings",
  "ingest",
  "sources",
  "alerting",
  "notifications",
  "quality",
  "oddness",
  "events",
  "views",
  "access",
  "dead-letters",
  "backup",
  "lineage",
  "erasure",
];
const SENDERS = ["simulator", "replay"];
const BROWSER_FOUNDATION = ["contracts", "domain"];
/** Rooms of components, each above those before it. */
const BROWSER_LAYERS = ["ui", "live", "queries", "shell", "views"];
/** A subject's screens; above all layers, and never of each other. */
const VIEWS = [
  "overview",
  "devices",
  "explore",
  "metrics",
  "dead-letters",
  "pipeline",
  "health",
  "jobs",
  "retention",
  "access",
  "sources",
  "alerts",
  "notifications",
  "quality",
  "events",
];
const BROWSER_PACKAGES = [
  "react",
  "react-dom",
  "next",
  "@mantine/",
  "@tanstack/",
  "@fontsource",
  "recharts",
  "jsonc-parser",
  "socket.io-client",
  "zod",
];

/** The import rules; an import points at a room named here or is refused. */
const ROOMS: readonly Room[] = [
  { name: "domain", at: "server/domain", imports: [], packages: ["zod", "fastest-levenshtein"] },
  { name: "ports", at: "server/ports", imports: ["domain"], packages: [] },
  { name: "contracts", at: "server/contracts", imports: ["domain"], packages: ["zod"] },
  { name: "config", at: "server/config", imports: ["domain"] },
  { name: "observability", at: "server/observability", imports: ["config", "domain"] },
  // Stands before everything that answers, so it knows nothing of what it lets in to.
  { name: "front-door", at: "server/front-door", imports: ["domain", "contracts"], packages: ["node:"] },
  { name: "async", at: "server/async", imports: ["domain"], packages: ["node:"] },
  { name: "postgres", at: "server/postgres", imports: ["domain", "async", "config", "observability"] },
  {
    name: "adapters",
    at: "server/adapters",
    imports: ["ports", "domain", "async", "postgres", "config", "observability"],
  },
  // Its commit calls the contributors of these subjects; they know nothing of it.
  { name: "pipeline", at: "server/pipeline", imports: [...FOUNDATION, "catalog", "readings", "alerting", "quality"] },
  // Brings messages to the telemetry route with batching and retries: the simulator and replay are its two users.
  { name: "delivery", at: "server/delivery", imports: FOUNDATION },
  { name: "compose", at: "server/compose.ts", imports: [...FOUNDATION, "adapters"] },
  { name: "boot", at: "server/boot", imports: [...FOUNDATION, "compose", "access"] },
  ...FEATURES.map((name) => ({
    name,
    at: `server/${name}`,
    imports: SENDERS.includes(name) ? [...FOUNDATION, "delivery"] : FOUNDATION,
  })),
  {
    name: "api",
    at: "server/api",
    imports: [
      ...FOUNDATION,
      "catalog",
      "readings",
      "ingest",
      "sources",
      "pipeline",
      "health",
      "dead-letters",
      "jobs",
      "access",
      "alerting",
      "notifications",
      "quality",
      "oddness",
      "events",
      "views",
      "lineage",
    ],
  },
  { name: "testing", at: "server/testing", imports: ["*"] },
  { name: "wiring", at: "server", imports: ["*"] },
  {
    name: "app",
    at: "app",
    imports: ["api", "contracts", ...[...BROWSER_LAYERS, ...VIEWS].map((name) => `components/${name}`)],
  },
  ...BROWSER_LAYERS.map((name, i) => ({
    name: `components/${name}`,
    at: `components/${name}`,
    imports: [...BROWSER_FOUNDATION, ...BROWSER_LAYERS.slice(0, i).map((below) => `components/${below}`)],
    packages: BROWSER_PACKAGES,
  })),
  ...VIEWS.map((name) => ({
    name: `components/${name}`,
    at: `components/${name}`,
    imports: [...BROWSER_FOUNDATION, ...BROWSER_LAYERS.map((below) => `components/${below}`)],
    packages: BROWSER_PACKAGES,
  })),
  { name: "e2e", at: "e2e", imports: ["*"] },
];

/** The root's entries: the program's own folders and files, and what tools and repositories need there. */
export const ROOT_ENTRIES: readonly string[] = [
  ...["app", "components", "server", "prisma", "docker", "public", "e2e", "docs", "infra"],
  ...[
    "next.config.js",
    "instrumentation-client.ts",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "prisma.config.ts",
    "vitest.config.ts",
    ".oxlintrc.json",
  ],
  ...[
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "LICENSE",
    ".env.example",
    ".dockerignore",
    ".gitignore",
    ".npmrc",
    ".oxfmtrc.json",
  ],
  ...[".ci", ".github", ".git"],
  // Made by tools, ignored by git.
  ...[
    "node_modules",
    ".next",
    "dist",
    ".fieldwatch",
    ".fieldwatch-backups",
    ".engines",
    ".env",
    "next-env.d.ts",
    "tsconfig.tsbuildinfo",
    "coverage",
    "test-results",
  ],
];

const SKIPPED = new Set(["node_modules", ".next", "dist", "generated"]);

/** Every source file of the program below `root`, relative to it. */
export function sourceFiles(root: string): string[] {
  return ["app", "components", "server", "e2e"]
    .flatMap((folder) => walk(path.join(root, folder)))
    .map((file) => slashed(path.relative(root, file)));
}

/** The room `file` (relative, forward slashes) belongs to: the one with the longest path. */
export function roomOf(file: string): Room | undefined {
  const holding = ROOMS.filter((room) => file === room.at || file.startsWith(`${room.at}/`));
  return holding.sort((a, b) => b.at.length - a.at.length)[0];
}

/** Finds what is wrong with the imports of `file`, one sentence each. Type-only, dynamic and re-exported imports count too. */
export function violations(root: string, file: string): string[] {
  const room = roomOf(file);
  if (!room || (room.name === "wiring" && file.split("/").length > 2))
    return [`${file} is in no room of server/testing/boundaries.ts`];
  const isTest = /\.(test|contract)\.tsx?$/.test(file);
  return importsOf(root, file).flatMap((target) => {
    const problem = isTest ? null : refusal(room, file, target);
    return problem === null ? [] : [`${file} imports ${target}: ${problem}`];
  });
}

/** Every circle of imports among `files`: the files of each, which all reach each other. Tarjan's strongly connected components. */
export function circles(root: string, files: readonly string[]): string[][] {
  const byModule = new Map(files.map((file) => [file.replace(/(\/index)?(\.d)?\.(tsx?|mjs)$/, ""), file]));
  const found: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];

  function visit(file: string): void {
    order.set(file, order.size);
    lowest.set(file, order.get(file)!);
    open.push(file);
    for (const target of importsOf(root, file)) {
      const inside = resolveInside(file, target)?.replace(/\.mjs$/, "");
      const next = inside === undefined ? undefined : byModule.get(inside);
      if (next === undefined) continue;
      if (!order.has(next)) visit(next);
      if (open.includes(next)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(next)!));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1) found.push(circle);
  }
  for (const file of files) if (!order.has(file)) visit(file);
  return found;
}

function importsOf(root: string, file: string): string[] {
  const { program, module } = parseSync(file, readFileSync(path.join(root, file), "utf8"));
  const targets = module.staticImports.map(({ moduleRequest }) => moduleRequest.value);
  for (const { entries } of module.staticExports)
    for (const { moduleRequest } of entries) if (moduleRequest !== null) targets.push(moduleRequest.value);
  const add = (node: { type: string; value?: unknown }) => {
    if (node.type === "Literal" && typeof node.value === "string") targets.push(node.value);
  };
  new Visitor({
    ImportExpression: ({ source }) => add(source),
    TSImportType: ({ source }) => add(source),
    CallExpression({ callee, arguments: [first] }) {
      if (callee.type === "Identifier" && callee.name === "require" && first !== undefined) add(first);
    },
  }).visit(program);
  return [...new Set(targets)];
}

function refusal(room: Room, file: string, target: string): string | null {
  const inside = resolveInside(file, target);
  if (inside === null) {
    if (room.packages === undefined) return null;
    const allowed = room.packages.some(
      (name) =>
        target === name ||
        target.startsWith(/[/:]$/.test(name) ? name : `${name}/`) ||
        (name === "@fontsource" && target.startsWith(name)),
    );
    return allowed ? null : `${room.name} may import only ${room.packages.join(", ") || "no package"}`;
  }
  const other = roomOf(/\.(mjs|css|json)$/.test(inside) ? inside : `${inside}.ts`);
  if (!other) return inside.includes("/") ? "it belongs to no room" : null;
  if (other.name === room.name || room.imports.includes("*") || room.imports.includes(other.name)) return null;
  return `${room.name} may import only ${room.imports.join(", ") || "nothing"}`;
}

/** The target's path relative to the root, or null for a package. */
function resolveInside(file: string, target: string): string | null {
  if (target.startsWith("@/")) return target.slice(2);
  if (target.startsWith(".")) return path.posix.normalize(path.posix.join(path.posix.dirname(file), target));
  return null;
}

function walk(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const full = path.join(folder, name);
    if (statSync(full).isDirectory()) return SKIPPED.has(name) ? [] : walk(full);
    return /\.(tsx?|mjs)$/.test(name) ? [full] : [];
  });
}

function slashed(file: string): string {
  return file.split(path.sep).join("/");
}
