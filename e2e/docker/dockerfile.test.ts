import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "./compose-file";
import { imageEnvironment, isIgnored, readDockerfile } from "./dockerfile";

const instructions = readDockerfile();
const stages = instructions.filter(({ name }) => name === "FROM").map(({ stage }) => stage);
const image = instructions.filter(({ stage }) => stage === stages.at(-1));
const only = (name: string) => image.filter((one) => one.name === name).map(({ rest }) => rest);
const copies = instructions
  .filter(({ name }) => name === "COPY")
  .map(({ rest }) => {
    const [, from] = /--from=(\S+)/.exec(rest) ?? [];
    return {
      from,
      sources: rest
        .replace(/--\S+\s+/g, "")
        .split(/\s+/)
        .slice(0, -1),
    };
  });

describe("docker/Dockerfile", () => {
  test("is based on one pinned Node that package.json and CI allow", () => {
    const bases = instructions.filter(({ name }) => name === "FROM").map(({ rest }) => rest.split(" ")[0]!);
    const outside = bases.filter((base) => !stages.includes(base));
    expect(outside).toHaveLength(1);
    const [, major] = /^node:(\d+)\.\d+\.\d+-bookworm-slim$/.exec(outside[0]!)!;
    const tested = /node: \[([^\]]+)\]/.exec(readFileSync(path.join(ROOT, ".github/workflows/ci.yml"), "utf8"))![1]!;
    expect(tested.split(",").map((one) => one.trim())).toContain(major);
  });

  test("uses every stage it names", () => {
    const used = new Set(instructions.flatMap(({ name, rest }) => (name === "FROM" ? [rest.split(" ")[0]] : [])));
    copies.forEach(({ from }) => used.add(from));
    expect(stages.slice(0, -1).filter((stage) => !used.has(stage))).toEqual([]);
    expect(copies.flatMap(({ from }) => from ?? []).filter((from) => !stages.includes(from))).toEqual([]);
  });

  test("runs as a user that isn't root, says when it is well, and stops as the roles expect", () => {
    const order = image.map(({ name }) => name);
    expect(only("USER")).toEqual(["1000:1000"]);
    expect(order.indexOf("USER")).toBeLessThan(order.indexOf("ENTRYPOINT"));
    expect(order.slice(order.indexOf("USER")).filter((name) => name === "RUN" || name === "COPY")).toEqual([]);
    expect(only("HEALTHCHECK")[0]).toMatch(/CMD \["node", "docker\/healthcheck\.mjs"\]$/);
    expect(only("STOPSIGNAL")).toEqual(["SIGTERM"]);
    expect(only("CMD")).toEqual(['["web"]']);
    expect(only("EXPOSE")).toEqual(["3000 1883"]);
    // Where compose.yaml puts volumes: without a folder of the user's, a new one would be root's.
    expect(only("RUN")).toEqual(["install -d -o node -g node /data /keys"]);
    expect(imageEnvironment()).toMatchObject({ NODE_ENV: "production", HOST: "0.0.0.0" });
  });

  test("carries this version and licence", () => {
    const { version, license } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as Record<
      string,
      string
    >;
    const labels = only("LABEL").join(" ");
    expect(labels).toContain(`org.opencontainers.image.version="${version}"`);
    expect(labels).toContain(`org.opencontainers.image.licenses="${license}"`);
  });

  test("holds no secret, and names no registry", () => {
    const said = instructions.filter(({ name }) => ["ARG", "ENV", "LABEL"].includes(name)).map(({ rest }) => rest);
    expect(said.filter((rest) => /password|secret|token|:\/\//i.test(rest))).toEqual([]);
    expect(instructions.filter(({ rest }) => /--registry|--build-arg|https?:\/\//.test(rest))).toEqual([]);
  });

  test("copies only what is there and what .dockerignore lets in", () => {
    const sources = copies.filter(({ from }) => from === undefined).flatMap((copy) => copy.sources);
    expect(sources).toContain(".");
    const files = sources.filter((source) => source !== ".");
    expect(files.length).toBeGreaterThan(5);
    const there = new Set(readdirSync(ROOT, { withFileTypes: true }).map(({ name }) => name));
    for (const file of files) {
      const [top = ""] = file.split("/");
      expect([file, there.has(top) && readable(file), isIgnored(file)]).toEqual([file, true, false]);
    }
  });
});

describe(".dockerignore", () => {
  test.each([
    ...[
      "node_modules/next/package.json",
      ".git/config",
      ".fieldwatch/postgres.json",
      "dist/main.mjs",
      ".next/BUILD_ID",
    ],
    ...[".env", "docker/.env", "server/.env", ".env.local", "e2e/run.mjs", "docs/docker.md", "docker/compose.yaml"],
    ...["server/worker.test.ts", "server/testing/database.ts", "coverage/index.html", "test-results/a.png"],
  ])("keeps %s out", (file) => expect(isIgnored(file)).toBe(true));

  // Files that server/boot/sources.mjs counts as sources: without one of these the image would be another program.
  test.each([
    ...["app/layout.tsx", "components/ui/theme.ts", "server/main.ts", "server/boot/setup-steps.mjs"],
    ...["server/postgres/generated/client.ts", "prisma/schema.prisma", "public/favicon.svg"],
    ...["next.config.js", "package.json", "package-lock.json", "tsconfig.json", ".npmrc"],
  ])("lets %s in", (file) => expect([isIgnored(file), readable(file)]).toEqual([false, true]));
});

function readable(file: string): boolean {
  try {
    return readFileSync(path.join(ROOT, file)).length > 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EISDIR";
  }
}
