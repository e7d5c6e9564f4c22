import { mkdirSync } from "node:fs";
import path from "node:path";
import { MongoClient } from "mongodb";
import { type Engine, engineFolder, launchLogged, startEngine, untilAnswers } from "./engine";
import { prepareJava } from "./java";
import { freeEnginePort } from "./ports";

/** A server that speaks MongoDB's protocol (mongo-java-server on an H2 file). Not crash-safe: see docs/engines.md. */
export interface MongoServer extends Engine {
  /** Names the database `fieldwatch`; stays the same over stop and start. */
  readonly uri: string;
}

export interface MongoOptions {
  /** Kept after the end. Not given: a temporary folder. */
  readonly dataDir?: string;
  /** A free port if left out. */
  readonly port?: number;
  /** More environment of its process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with a line about anything that takes long. */
  readonly say?: (line: string) => void;
}

/** Starts the server and waits until it answers. @throws EnginesMissing without Java or Maven; StartError when it doesn't start. */
export async function startMongo(options: MongoOptions = {}): Promise<MongoServer> {
  const java = await prepareJava(options.say);
  const port = options.port ?? (await freeEnginePort());
  const folder = engineFolder("mongodb", options.dataDir);
  mkdirSync(folder.dataDir, { recursive: true });
  const logFile = path.join(folder.dataDir, "mongodb.log");
  const uri = `mongodb://127.0.0.1:${port}/fieldwatch`;
  const engine = await startEngine({
    folder,
    stopSignal: "TERM",
    logFile,
    async launch(onLaunch) {
      const file = path.join(folder.dataDir, "mongodb.mv");
      const args = [
        "-Xmx512m",
        "-Dlog4j2.level=INFO",
        "-cp",
        java.classPath,
        "MongoServerLauncher",
        file,
        "127.0.0.1",
        String(port),
      ];
      const launched = launchLogged(java.program, args, { logFile, ...(options.env && { env: options.env }) });
      onLaunch(launched);
      await untilAnswers("The MongoDB-wire server", launched, logFile, () => answers(uri, launched.pid));
    },
  });
  return Object.assign(Object.create(engine) as Engine, { uri });
}

/** True if it answers, and not another one that has the port. */
async function answers(uri: string, pid: number): Promise<boolean> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 1000, connectTimeoutMS: 1000 });
  try {
    return (await client.db().command({ serverStatus: 1 })).pid === pid;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}
