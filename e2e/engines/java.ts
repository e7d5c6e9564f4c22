import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { StartError } from "@/server/postgres/start-error";

const run = promisify(execFile);

/** Kafka 4 needs this Java. */
const LEAST_JAVA = 17;

const SOURCES = path.join(process.cwd(), "e2e", "engines");

/** Folder at the root that holds the engines' programs and, for `npm run engines`, their data. Ignored by git. */
export const ENGINES_DIR = path.join(process.cwd(), ".engines");

/** This machine can't start Kafka or the MongoDB-wire server; says what is missing and how to get it. */
export class EnginesMissing extends StartError {}

/** The command that starts a Java engine. */
export interface Java {
  readonly program: string;
  /** Class path with every engine in it. */
  readonly classPath: string;
}

/**
 * Finds Java, and fetches the engines' jars with Maven if they aren't there yet (once, 50 MB). Safe when several processes
 * do it at once.
 * @param say told what takes long.
 * @throws EnginesMissing when Java or Maven is missing or too old, or Maven can't fetch.
 */
export async function prepareJava(say: (line: string) => void = () => {}): Promise<Java> {
  if (process.platform === "win32")
    throw missing("this is Windows", "Kafka and the MongoDB-wire server are started on Linux and macOS only.");
  const program = javaTool("java");
  const version = await versionOf(program);
  if (version === undefined) throw missing("no Java", `There is no Java (the program "java" doesn't run).`);
  if (version < LEAST_JAVA)
    throw missing(`Java ${version} is too old`, `Java ${version} is installed; Kafka needs ${LEAST_JAVA} or later.`);
  const hash = createHash("sha256");
  for (const file of ["pom.xml", "MongoServerLauncher.java"]) hash.update(readFileSync(path.join(SOURCES, file)));
  const libs = path.join(ENGINES_DIR, `libs-${hash.digest("hex").slice(0, 12)}`);
  if (!existsSync(libs)) await fetchJars(libs, say);
  return { program, classPath: `${libs}${path.delimiter}${path.join(libs, "*")}` };
}

/** Makes `libs` whole or not at all. */
async function fetchJars(libs: string, say: (line: string) => void): Promise<void> {
  const [maven, compiler] = ["mvn", javaTool("javac")];
  if (!(await runs(maven, ["-v"]))) throw missing("no Maven", `There is no Maven (the program "mvn" doesn't run).`);
  if (!(await runs(compiler, ["-version"])))
    throw missing("no Java compiler", `Java is installed without its compiler ("javac" doesn't run).`);
  say("fetching Apache Kafka and mongo-java-server with Maven (once, 50 MB)");
  const unfinished = `${libs}.new-${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  try {
    await orMissing("Maven could not fetch the engines", maven, [
      ...["-q", "-B", "-C", "-f", path.join(SOURCES, "pom.xml"), "dependency:copy-dependencies"],
      ...["-DincludeScope=runtime", `-DoutputDirectory=${unfinished}`],
    ]);
    await orMissing("the launcher of the MongoDB-wire server doesn't compile", compiler, [
      ...["--release", String(LEAST_JAVA), "-cp", path.join(unfinished, "*"), "-d", unfinished],
      path.join(SOURCES, "MongoServerLauncher.java"),
    ]);
    renameSync(unfinished, libs);
  } catch (error) {
    // Another process was first: its folder holds the same.
    if (!existsSync(libs)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

async function orMissing(what: string, command: string, args: readonly string[]): Promise<void> {
  try {
    await run(command, args, { maxBuffer: 2 ** 26 });
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
    const lines = `${stdout}${stderr}`.trim() || message;
    throw missing(what, lines.split("\n").slice(0, 8).join("\n"));
  }
}

/** A program of JAVA_HOME, else of the PATH. */
export function javaTool(name: string): string {
  const home = process.env.JAVA_HOME;
  const ofHome = home ? path.join(home, "bin", name) : undefined;
  return ofHome !== undefined && existsSync(ofHome) ? ofHome : name;
}

async function versionOf(java: string): Promise<number | undefined> {
  try {
    const { stdout, stderr } = await run(java, ["-version"]);
    const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(`${stdout}${stderr}`) ?? [];
    // Java 8 calls itself 1.8.
    return first === undefined ? undefined : Number(first === "1" ? second : first);
  } catch {
    return undefined;
  }
}

async function runs(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}

function missing(short: string, why: string): EnginesMissing {
  return new EnginesMissing(
    `Real engines can't be started here: ${short}`,
    why,
    `Install a JDK (${LEAST_JAVA} or later) and Maven:\n` +
      "  Debian, Ubuntu   apt-get install -y default-jdk-headless maven\n" +
      "  Fedora           dnf install -y java-latest-openjdk-devel maven\n" +
      "  macOS            brew install openjdk maven\n" +
      "or start the engines with Docker: docker compose -f docker/compose.yaml up (docs/docker.md)",
  );
}
