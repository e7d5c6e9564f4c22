import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { StartError } from "@/server/postgres/start-error";
import { type Engine, engineFolder, launchLogged, startEngine, untilAnswers } from "./engine";
import { ENGINES_DIR, EnginesMissing, javaTool } from "./java";
import { freePort } from "./ports";

const run = promisify(execFile);

const VERSION = "4.11.0";
const BUCKET = "fieldwatch-cold";

/** A server that speaks S3's protocol (Adobe S3Mock), with one bucket. It takes any key. */
export interface S3Server extends Engine {
  readonly endpoint: string;
  readonly bucket: string;
}

/** Starts it on a free port and waits until it answers. @throws EnginesMissing when Maven can't fetch it; StartError when it doesn't start. */
export async function startS3(say: (line: string) => void = () => {}): Promise<S3Server> {
  const jar = await prepareS3Mock(say);
  const port = await freePort();
  const folder = engineFolder("s3", undefined);
  const logFile = path.join(folder.dataDir, "s3.log");
  const endpoint = `http://127.0.0.1:${port}`;
  const engine = await startEngine({
    folder,
    stopSignal: "TERM",
    logFile,
    async launch(onLaunch) {
      const settings = [
        `--com.adobe.testing.s3mock.http-port=${port}`,
        `--com.adobe.testing.s3mock.store.root=${path.join(folder.dataDir, "files")}`,
        "--com.adobe.testing.s3mock.store.retain-files-on-exit=true",
        `--com.adobe.testing.s3mock.store.initial-buckets=${BUCKET}`,
        "--server.port=0",
        "--server.address=127.0.0.1",
      ];
      mkdirSync(path.join(folder.dataDir, "files"), { recursive: true });
      const flags = ["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
      const launched = launchLogged(javaTool("java"), [...flags, "-jar", jar, ...settings], { logFile });
      onLaunch(launched);
      await untilAnswers("The S3 server", launched, logFile, () => answers(`${endpoint}/${BUCKET}`));
    },
  });
  return Object.assign(Object.create(engine) as Engine, { endpoint, bucket: BUCKET });
}

/** Fetches its one file with Maven unless it is there (once, 60 MB). */
async function prepareS3Mock(say: (line: string) => void): Promise<string> {
  const jar = path.join(ENGINES_DIR, `s3mock-${VERSION}.jar`);
  if (existsSync(jar)) return jar;
  say("fetching Adobe S3Mock with Maven (once, 60 MB)");
  const unfinished = path.join(ENGINES_DIR, `s3mock.new-${process.pid}`);
  const artifact = `com.adobe.testing:s3mock:${VERSION}:jar:exec`;
  try {
    mkdirSync(unfinished, { recursive: true });
    const plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";
    await run("mvn", ["-q", "-B", "-C", `${plugin}:get`, `-Dartifact=${artifact}`, "-Dtransitive=false"]);
    await run("mvn", ["-q", "-B", `${plugin}:copy`, `-Dartifact=${artifact}`, `-DoutputDirectory=${unfinished}`]);
    renameSync(path.join(unfinished, `s3mock-${VERSION}-exec.jar`), jar);
  } catch (error) {
    const { stdout = "", message } = error as Error & { stdout?: string };
    const why = (stdout.trim() || message).split("\n").slice(0, 8).join("\n");
    throw new EnginesMissing("Real engines can't be started here: S3Mock can't be fetched", why, "Install Maven.");
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  if (!existsSync(jar)) throw new StartError("S3Mock isn't where Maven should have put it", jar, "Remove .engines.");
  return jar;
}

async function answers(url: string): Promise<boolean> {
  return fetch(url, { method: "HEAD", signal: AbortSignal.timeout(1000) }).then(
    ({ status }) => status === 200,
    () => false,
  );
}
